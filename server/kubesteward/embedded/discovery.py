"""Discovery, version and OpenAPI: what a client asks before its first real question."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from kubesteward_tools.twin.bootstrap import VERSION
from kubesteward_tools.twin.resources import BUILT_IN
from kubesteward_tools.world.kinds import ResourceType

AGGREGATED = "apidiscovery.k8s.io"
_SUBRESOURCE_KINDS = {
    "scale": ("autoscaling", "v1", "Scale"),
    "eviction": ("policy", "v1", "Eviction"),
    "binding": ("", "v1", "Binding"),
}
_SUBRESOURCE_VERBS = {
    "scale": ["get", "patch", "update"],
    "status": ["get", "patch", "update"],
    "log": ["get"],
    "eviction": ["create"],
    "binding": ["create"],
    "finalize": ["update"],
    "resize": ["get", "patch", "update"],
    "ephemeralcontainers": ["get", "patch", "update"],
}


def _groups() -> dict[tuple[str, str], list[ResourceType]]:
    found: dict[tuple[str, str], list[ResourceType]] = defaultdict(list)
    for item in BUILT_IN:
        found[(item.group, item.version)].append(item)
    return found


GROUPS = _groups()


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


def group_list() -> dict[str, Any]:
    groups = [
        {
            "name": group,
            "versions": [{"groupVersion": f"{group}/{version}", "version": version}],
            "preferredVersion": {"groupVersion": f"{group}/{version}", "version": version},
        }
        for group, version in GROUPS
        if group
    ]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def resource_list(group: str, version_: str) -> dict[str, Any] | None:
    """The APIResourceList of one group and version, None when it is not served."""
    kinds = GROUPS.get((group, version_))
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


def aggregated(*, core: bool) -> dict[str, Any]:
    """APIGroupDiscoveryList v2 of `/api` (core) or `/apis`."""
    items = [
        {
            "metadata": {"name": group, "creationTimestamp": None} if group else {"creationTimestamp": None},
            "versions": [{"version": version_, "resources": [_entry(kind) for kind in kinds], "freshness": "Current"}],
        }
        for (group, version_), kinds in GROUPS.items()
        if (not group) == core
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": f"{AGGREGATED}/v2", "metadata": {}, "items": items}


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


def document(path: str) -> dict[str, Any] | None:
    """The document at a path ("/version", "/apis/apps/v1", "/openapi/v3/api/v1"), None when there is none."""
    fixed = {"/version": version, "/api": api_versions, "/apis": group_list, "/openapi/v3": openapi_index}
    if path in fixed:
        return fixed[path]()
    of = openapi if path.startswith("/openapi/v3/") else resource_list
    parts = path.removeprefix("/openapi/v3").strip("/").split("/")
    if parts[0] == "api" and len(parts) == 2:
        return of("", parts[1])
    if parts[0] == "apis" and len(parts) == 2:
        return _group(parts[1])
    return of(parts[1], parts[2]) if parts[0] == "apis" and len(parts) == 3 else None


def _group(name: str) -> dict[str, Any] | None:
    found = [group for group in group_list()["groups"] if group["name"] == name]
    return {"kind": "APIGroup", "apiVersion": "v1", **found[0]} if found else None


def openapi_index() -> dict[str, Any]:
    paths = [f"apis/{group}/{version_}" if group else f"api/{version_}" for group, version_ in GROUPS]
    return {"paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}"} for path in paths}}


def openapi(group: str, version_: str) -> dict[str, Any] | None:
    """Enough of OpenAPI v3 for kubectl: each kind by name, open schemas, and the parameters of its writes."""
    kinds = GROUPS.get((group, version_))
    if kinds is None:
        return None
    schemas, paths = {}, {}
    for kind in kinds:
        schemas[f"{group or 'core'}.{version_}.{kind.kind}"] = _schema(kind)
        paths[kind.path("{namespace}" if kind.namespaced else "", "{name}")] = _path(kind)
        paths[kind.path("{namespace}" if kind.namespaced else "")] = _path(kind, create=True)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": VERSION},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _gvk(kind: ResourceType) -> dict[str, str]:
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}


def _schema(kind: ResourceType) -> dict[str, Any]:
    return {
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
        "x-kubernetes-group-version-kind": [_gvk(kind)],
    }


def _path(kind: ResourceType, *, create: bool = False) -> dict[str, Any]:
    names = ("dryRun", "fieldManager", "fieldValidation")
    parameters = [{"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}} for name in names]
    action = {"x-kubernetes-group-version-kind": _gvk(kind), "parameters": parameters, "responses": {}}
    verbs = {"post": "post"} if create else {"patch": "patch", "put": "put"}
    return {method: {**action, "x-kubernetes-action": verb} for method, verb in verbs.items()}
