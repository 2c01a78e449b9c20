"""Which kinds a cluster serves, and what a person may call them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from kubesteward_tools.cluster.transport import ReadTransport
from kubesteward_tools.errors import UnknownKind
from kubesteward_tools.world.kinds import ResourceType

_AGGREGATED = "apidiscovery.k8s.io"


class Kinds:
    """The kinds of one cluster, found by any of their names."""

    def __init__(self, types: Iterable[ResourceType]) -> None:
        self._types = tuple(types)
        self._by_name: dict[str, ResourceType] = {}
        for item in self._types:
            for name in _names(item):
                self._by_name.setdefault(name.lower(), item)

    def all(self) -> tuple[ResourceType, ...]:
        return self._types

    def find(self, name: str) -> ResourceType:
        """By kind, plural, singular or short name, with or without group and version, in any case.

        Raises:
            UnknownKind: with the nearest names.
        """
        found = self._by_name.get(name.strip().lower())
        if found is not None:
            return found
        near = difflib.get_close_matches(name.lower(), self._by_name, n=3, cutoff=0.6)
        kinds = sorted({self._by_name[item].kind for item in near})
        todo = f"Did you mean {' or '.join(kinds)}?" if kinds else "Ask for a kind such as Pod, Deployment or Node."
        raise UnknownKind(f"this cluster has no kind {name!r}.", todo=todo)


def _names(item: ResourceType) -> Iterable[str]:
    simple = (item.kind, item.plural, item.singular, *item.short_names)
    for name in filter(None, simple):
        yield name
        if item.group:
            yield f"{name}.{item.group}"
            yield f"{name}.{item.version}.{item.group}"
        yield f"{item.api_version}/{name}"


async def discover(transport: ReadTransport) -> Kinds:
    """Two requests on servers with aggregated discovery (1.26 and later), one for each group elsewhere."""
    types: list[ResourceType] = []
    for path in ("/api", "/apis"):
        types += await _legacy(transport, path)
    return Kinds(types)


async def _legacy(transport: ReadTransport, path: str) -> list[ResourceType]:
    root = await transport.get(path)
    if root.get("kind") == "APIGroupDiscoveryList":
        return list(_aggregated(root))
    if path == "/api":
        versions = [("", version, f"/api/{version}") for version in root.get("versions") or ()]
    else:
        preferred = [(group["name"], group["preferredVersion"]["version"]) for group in root.get("groups") or ()]
        versions = [(group, version, f"/apis/{group}/{version}") for group, version in preferred]
    types: list[ResourceType] = []
    for group, version, where in versions:
        try:
            listed = await transport.get(where)
        except Exception:  # noqa: BLE001, S112 - a dead aggregated API must not hide all the others
            continue
        types += _resources(group, version, listed.get("resources") or ())
    return types


def _resources(group: str, version: str, listed: Iterable[dict[str, Any]]) -> list[ResourceType]:
    listed = list(listed)
    below: dict[str, list[str]] = {}
    for entry in listed:
        plural, _, subresource = entry["name"].partition("/")
        if subresource:
            below.setdefault(plural, []).append(subresource)
    return [
        ResourceType(
            group=group,
            version=version,
            kind=entry["kind"],
            plural=entry["name"],
            namespaced=bool(entry.get("namespaced")),
            singular=entry.get("singularName", ""),
            short_names=tuple(entry.get("shortNames") or ()),
            categories=tuple(entry.get("categories") or ()),
            verbs=tuple(entry.get("verbs") or ()),
            subresources=tuple(below.get(entry["name"], ())),
        )
        for entry in listed
        if "/" not in entry["name"]
    ]


def _aggregated(root: dict[str, Any]) -> Iterable[ResourceType]:
    for group in root.get("items") or ():
        for version in (group.get("versions") or ())[:1]:
            for entry in version.get("resources") or ():
                yield ResourceType(
                    group=group["metadata"].get("name", ""),
                    version=version["version"],
                    kind=entry["responseKind"]["kind"],
                    plural=entry["resource"],
                    namespaced=entry.get("scope") == "Namespaced",
                    singular=entry.get("singularResource", ""),
                    short_names=tuple(entry.get("shortNames") or ()),
                    verbs=tuple(entry.get("verbs") or ()),
                    subresources=tuple(item["subresource"] for item in entry.get("subresources") or ()),
                )
