"""Which kinds a cluster serves, and what a person may call them."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Iterable
from typing import Any

from kubesteward_tools.cluster.transport import AGGREGATED_DISCOVERY, ReadTransport
from kubesteward_tools.errors import ClusterUnreachable, SteadyError, Unauthorized, UnknownKind
from kubesteward_tools.world.kinds import ResourceType


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

    def joined(self, more: Iterable[ResourceType]) -> Kinds:
        """These and some more, which come last."""
        return Kinds([*self._types, *more])

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
    """Two requests on servers with aggregated discovery (KEP-3352, 1.26 and later), one for each version elsewhere."""
    core, groups = await asyncio.gather(*(_below(transport, path) for path in ("/api", "/apis")))
    return Kinds(_first_of_each([*core, *groups]))


def _first_of_each(types: Iterable[ResourceType]) -> list[ResourceType]:
    """Each resource in the first version that serves it; servers name the versions they prefer first."""
    found: dict[str, ResourceType] = {}
    for item in types:
        found.setdefault(item.resource, item)
    return list(found.values())


async def _below(transport: ReadTransport, path: str) -> list[ResourceType]:
    root = await transport.get(path, accept=AGGREGATED_DISCOVERY)
    if root.get("kind") == "APIGroupDiscoveryList":
        return list(_aggregated(root))
    versions = [("", str(version)) for version in root.get("versions") or ()] if path == "/api" else _versions(root)
    listed = await asyncio.gather(*(_legacy(transport, group, version) for group, version in versions))
    return [item for types in listed for item in types]


def _versions(root: dict[str, Any]) -> list[tuple[str, str]]:
    """Group and version of an APIGroupList, the preferred version of each group first."""
    found = []
    for group in root.get("groups") or ():
        preferred = (group.get("preferredVersion") or {}).get("version")
        named = [item["version"] for item in group.get("versions") or ()]
        ordered = [item for item in named if item == preferred] + [item for item in named if item != preferred]
        found += [(group["name"], item) for item in ordered]
    return found


async def _legacy(transport: ReadTransport, group: str, version: str) -> list[ResourceType]:
    """Nothing for a group that does not answer: one dead aggregated API must not hide all the others."""
    try:
        listed = await transport.get(f"/apis/{group}/{version}" if group else f"/api/{version}")
    except (ClusterUnreachable, Unauthorized):
        raise
    except SteadyError:
        return []
    return _resources(group, version, listed.get("resources") or ())


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
        for version in group.get("versions") or ():
            for entry in version.get("resources") or ():
                if entry.get("responseKind"):
                    yield _of_aggregated((group.get("metadata") or {}).get("name", ""), version["version"], entry)


def _of_aggregated(group: str, version: str, entry: dict[str, Any]) -> ResourceType:
    return ResourceType(
        group=group,
        version=version,
        kind=entry["responseKind"]["kind"],
        plural=entry["resource"],
        namespaced=entry.get("scope") == "Namespaced",
        singular=entry.get("singularResource", ""),
        short_names=tuple(entry.get("shortNames") or ()),
        categories=tuple(entry.get("categories") or ()),
        verbs=tuple(entry.get("verbs") or ()),
        subresources=tuple(item["subresource"] for item in entry.get("subresources") or ()),
    )
