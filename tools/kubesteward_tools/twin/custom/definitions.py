"""One CustomResourceDefinition, read: its versions, their schemas and the resource types that they make.

API doc: apiextensions.k8s.io/v1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Object

CRDS = "customresourcedefinitions.apiextensions.k8s.io"
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
"""The finalizer that holds a deleted definition until its objects are gone."""

Schema = dict[str, Any]
_VERSION = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")
_STAGES = {None: 2, "beta": 1, "alpha": 0}


@dataclass(frozen=True, slots=True)
class Definition:
    """`obj` is the definition as it is stored; what is wrong in it counts as absent."""

    obj: Object

    @property
    def group(self) -> str:
        return str(self.obj["spec"]["group"])

    @property
    def names(self) -> dict[str, Any]:
        """Those that were accepted, or that are asked for as long as none were."""
        accepted = (self.obj.get("status") or {}).get("acceptedNames") or {}
        found: dict[str, Any] = accepted if accepted.get("kind") else self.obj["spec"]["names"]
        return found

    @property
    def resource(self) -> str:
        return f"{self.names['plural']}.{self.group}"

    @property
    def namespaced(self) -> bool:
        return str(self.obj["spec"].get("scope")) == "Namespaced"

    @property
    def storage(self) -> str:
        """The version that objects are kept in."""
        return next(str(item["name"]) for item in self.obj["spec"]["versions"] if item.get("storage"))

    @property
    def converts_by_webhook(self) -> bool:
        return (self.obj["spec"].get("conversion") or {}).get("strategy") == "Webhook"

    def is_true(self, condition: str, *, default: bool = False) -> bool:
        for item in (self.obj.get("status") or {}).get("conditions") or ():
            if item["type"] == condition:
                return str(item["status"]) == "True"
        return default

    @property
    def established(self) -> bool:
        """Definitions that came without conditions, out of a file, are taken to be in force."""
        return self.is_true("Established", default=True)

    def version(self, name: str) -> dict[str, Any]:
        return next((item for item in self.obj["spec"]["versions"] if item["name"] == name), {})

    def served(self) -> list[str]:
        """Names of the served versions, the most mature first."""
        found = [item["name"] for item in self.obj["spec"]["versions"] if item.get("served")]
        return sorted(found, key=maturity, reverse=True)

    def schema(self, version: str) -> Schema:
        """The OpenAPI v3 schema of a version; {} where there is none."""
        return (self.version(version).get("schema") or {}).get("openAPIV3Schema") or {}

    def scale(self, version: str) -> dict[str, str]:
        """The paths of the scale subresource, {} without one."""
        return (self.version(version).get("subresources") or {}).get("scale") or {}

    def type(self, version: str) -> ResourceType:
        names = self.names
        return ResourceType(
            group=self.group,
            version=version,
            kind=names["kind"],
            plural=names["plural"],
            namespaced=self.namespaced,
            singular=names.get("singular") or names["kind"].lower(),
            short_names=tuple(names.get("shortNames") or ()),
            categories=tuple(names.get("categories") or ()),
            subresources=tuple(sorted(self.version(version).get("subresources") or ())),
        )

    def types(self) -> Iterator[ResourceType]:
        """One for each served version, the most mature first."""
        return (self.type(version) for version in self.served())


def types_in(document: Any) -> list[ResourceType]:
    """The resource types that an object makes, if it is a definition as it should be."""
    if not isinstance(document, dict) or document.get("kind") != "CustomResourceDefinition":
        return []
    try:
        return list(Definition(document).types())
    except (KeyError, TypeError, AttributeError):
        return []


def maturity(version: str) -> tuple[int, ...]:
    """By what discovery prefers: v2, v1, v1beta2, v1alpha1, and anything else last (docs: version priority)."""
    match = _VERSION.fullmatch(version)
    if match is None:
        return (-1,)
    major, stage, minor = match.groups()
    return (_STAGES[stage], int(major), int(minor or 0))
