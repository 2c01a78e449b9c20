"""From when to when Kubernetes serves an API version of a kind, and what takes its place.

The table (`lifecycle.yaml`) restates the lifecycle that each type of k8s.io/api declares, with what older releases and
other API groups say in their release notes. Where a type declares only when it came, it is not deprecated.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from kubesteward_tools.twin.psa import LATEST

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_TABLE = Path(__file__).with_name("lifecycle.yaml")


@dataclass(frozen=True, slots=True)
class Life:
    """Minor versions of Kubernetes, 0 where there is none. Of another `product` they are words about its versions."""

    api: str
    kind: str
    since: int = 0
    deprecated: int = 0
    removed: int = 0
    use: str = ""
    product: str = ""
    product_deprecated: str = ""
    product_removed: str = ""

    def removed_at(self, target: int | None) -> bool:
        return bool(self.removed) and self.removed <= (target or LATEST)

    def deprecated_at(self, target: int | None) -> bool:
        """An add-on's version does not follow Kubernetes': what it deprecates is always told."""
        return bool(self.product) or (bool(self.deprecated) and self.deprecated <= (target or LATEST))

    def sentence(self) -> str:
        instead = f"use {self.use}" if self.use else "nothing takes its place"
        whole = f"{self.api} {self.kind}"
        if self.product:
            gone = f", removed in {self.product_removed}" if self.product_removed else ""
            return f"{whole} is deprecated since {self.product} {self.product_deprecated}{gone}; {instead}"
        gone = f"{'removed' if self.deprecated else 'served no more'} in Kubernetes 1.{self.removed}"
        if not self.deprecated:
            return f"{whole} is {gone}; {instead}"
        return f"{whole} is deprecated since 1.{self.deprecated}{f' and {gone}' if self.removed else ''}; {instead}"

    def details(self) -> dict[str, str]:
        """For machines: apiVersion, deprecated_in, removed_in, replacement."""
        return {
            "api_version": self.api,
            "deprecated_in": self.product_deprecated or _version(self.deprecated),
            "removed_in": self.product_removed or _version(self.removed),
            "replacement": self.use,
        }


def _version(minor: int) -> str:
    return f"1.{minor}" if minor else ""


def of(obj: Mapping[str, Any]) -> Life | None:
    """Of an object by its apiVersion and kind; None for what the table does not know.

    A server gives an object in the version that it was asked for, whatever it was written in; that stands in the
    annotation that kubectl apply leaves.
    """
    kind = str(obj.get("kind", ""))
    found = [find(api, kind) for api in (_applied(obj), str(obj.get("apiVersion", ""))) if api]
    ending = [life for life in found if life is not None and (life.removed or life.deprecated or life.product)]
    return next(iter([*ending, *found]), None)


def _applied(obj: Mapping[str, Any]) -> str:
    metadata = obj.get("metadata")
    notes = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    text = notes.get(_LAST_APPLIED) if isinstance(notes, Mapping) else None
    try:
        applied = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return ""
    return str(applied.get("apiVersion", "")) if isinstance(applied, dict) else ""


def find(api: str, kind: str) -> Life | None:
    """A list of a kind lives as long as the kind."""
    table = _table()
    found = table.get((api, kind)) or table.get((api, kind.removesuffix("List")))
    return found or table.get((api, "*"))


@cache
def _table() -> dict[tuple[str, str], Life]:
    import yaml

    rows = yaml.load(_TABLE.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    return {(life.api, life.kind): life for row in rows for life in _lives(row)}


def _lives(row: Mapping[str, Any]) -> list[Life]:
    use = row.get("use", "")
    if product := row.get("product"):
        deprecated, removed = str(row.get("deprecated", "")), str(row.get("removed", ""))
        found = Life(row["api"], "", use=use, product=product, product_deprecated=deprecated, product_removed=removed)
    else:
        since, gone, ends = (int(row.get(key) or 0) for key in ("since", "deprecated", "removed"))
        found = Life(row["api"], "", since, gone, ends, use)
    return [replace(found, kind=kind) for kind in row["kinds"]]
