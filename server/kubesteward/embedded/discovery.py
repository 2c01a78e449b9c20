"""Discovery and version: what a client asks before its first real question."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from kubesteward_tools.twin.bootstrap import VERSION
from kubesteward_tools.twin.custom.definitions import maturity
from kubesteward_tools.twin.resources import BUILT_IN
from kubesteward_tools.world.kinds import ResourceType

AGGREGATED = "apidiscovery.k8s.io"
_SUBRESOURCE_KINDS = {
    "scale": ("autoscaling", "v1", "Scale"),
    "eviction": ("policy", "v1", "Eviction"),
    "binding": ("", "v1", "Binding"),
    "exec": ("", "v1", "PodExecOptions"),
}
_SUBRESOURCE_VERBS = {
    "scale": ["get", "patch", "update"],
    "status": ["get", "patch", "update"],
    "log": ["get"],
    "exec": ["create", "get"],
    "eviction": ["create"],
    "binding": ["create"],
    "finalize": ["update"],
    "resize": ["get", "patch", "update"],
    "ephemeralcontainers": ["get", "patch", "update"],
}


Groups = dict[tuple[str, str], list[ResourceType]]
"""The served resources by group and version; the version that a group prefers comes before its others."""


def groups(custom: Iterable[ResourceType] = ()) -> Groups:
    """The built-in resources and those that definitions make."""
    found: Groups = defaultdict(list)
    for item in BUILT_IN:
        found[item.group, item.version].append(item)
    for item in sorted(custom, key=lambda item: maturity(item.version), reverse=True):
        found[item.group, item.version].append(item)
    return dict(found)


def version() -> dict[str, Any]:
    major, minor, _ = VERSION.lstrip("v").split(".")
    return {
        "major": major,
        "minor": minor,
        "gitVersion": f"{VERSION}+kubesteward",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z",
        "goVersion": "none",
        "compiler": "none",
        "platform": "linux/amd64",
    }


def api_versions() -> dict[str, Any]:
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def _versions(served: Groups) -> dict[str, list[str]]:
    """The versions of each group, the preferred one first."""
    found: dict[str, list[str]] = defaultdict(list)
    for group, version_ in served:
        found[group].append(version_)
    return found


def group_list(served: Groups) -> dict[str, Any]:
    listed = []
    for group, versions in _versions(served).items():
        entries = [{"groupVersion": f"{group}/{item}", "version": item} for item in versions]
        if group:
            listed.append({"name": group, "versions": entries, "preferredVersion": entries[0]})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}


def resource_list(served: Groups, group: str, version_: str) -> dict[str, Any] | None:
    """The APIResourceList of one group and version, None when it is not served."""
    kinds = served.get((group, version_))
    if kinds is None:
        return None
    found = [entry for kind in kinds for entry in _resources(kind)]
    name = f"{group}/{version_}" if group else version_
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": found}


def _resources(kind: ResourceType) -> list[dict[str, Any]]:
    entry: dict[str, Any] = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": list(kind.verbs),
    }
    for field, values in (("shortNames", kind.short_names), ("categories", kind.categories)):
        if values:
            entry[field] = list(values)
    return [entry, *(_subresource(kind, name) for name in kind.subresources)]


def _subresource(kind: ResourceType, name: str) -> dict[str, Any]:
    group, version_, other = _SUBRESOURCE_KINDS.get(name, ("", "", kind.kind))
    entry = {
        "name": f"{kind.plural}/{name}",
        "singularName": "",
        "namespaced": kind.namespaced,
        "kind": other,
        "verbs": _SUBRESOURCE_VERBS[name],
    }
    return entry | ({"group": group, "version": version_} if version_ else {})


def aggregated(served: Groups, *, core: bool) -> dict[str, Any]:
    """APIGroupDiscoveryList v2 of `/api` (core) or `/apis`."""
    items = [
        {
            "metadata": {"name": group, "creationTimestamp": None} if group else {"creationTimestamp": None},
            "versions": [_version(served, group, item) for item in versions],
        }
        for group, versions in _versions(served).items()
        if (not group) == core
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": f"{AGGREGATED}/v2", "metadata": {}, "items": items}


def _version(served: Groups, group: str, version_: str) -> dict[str, Any]:
    return {
        "version": version_,
        "resources": [_entry(kind) for kind in served[group, version_]],
        "freshness": "Current",
    }


def _entry(kind: ResourceType) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "resource": kind.plural,
        "responseKind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(kind.verbs),
    }
    for field, values in (("shortNames", kind.short_names), ("categories", kind.categories)):
        if values:
            entry[field] = list(values)
    if kind.subresources:
        entry["subresources"] = [_aggregated_subresource(kind, name) for name in kind.subresources]
    return entry


def _aggregated_subresource(kind: ResourceType, name: str) -> dict[str, Any]:
    group, version_, other = _SUBRESOURCE_KINDS.get(name, (kind.group, kind.version, kind.kind))
    response = {"group": group, "version": version_, "kind": other}
    return {"subresource": name, "responseKind": response, "verbs": _SUBRESOURCE_VERBS[name]}


def document(path: str, served: Groups) -> dict[str, Any] | None:
    """The document at a path ("/version", "/apis", "/apis/apps/v1"), None when there is none."""
    if path == "/apis":
        return group_list(served)
    if path in {"/version", "/api"}:
        return version() if path == "/version" else api_versions()
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) == 2:
        return resource_list(served, "", parts[1])
    if parts[0] == "apis" and len(parts) == 2:
        return _group(served, parts[1])
    return resource_list(served, parts[1], parts[2]) if parts[0] == "apis" and len(parts) == 3 else None


def _group(served: Groups, name: str) -> dict[str, Any] | None:
    found = [group for group in group_list(served)["groups"] if group["name"] == name]
    return {"kind": "APIGroup", "apiVersion": "v1", **found[0]} if found else None
