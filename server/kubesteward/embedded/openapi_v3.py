"""The OpenAPI v3 documents: what `kubectl explain` reads, and what tells kubectl that the server validates fields."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from kubesteward.embedded import schemas
from kubesteward.embedded.discovery import Groups
from kubesteward_tools.twin.bootstrap import VERSION
from kubesteward_tools.twin.custom.kinds import ServedKinds
from kubesteward_tools.world.kinds import ResourceType

Document = dict[str, Any]
_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation")


def index(groups: Groups) -> Document:
    paths = [f"apis/{group}/{version}" if group else f"api/{version}" for group, version in groups]
    return {"paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}"} for path in paths}}


def document(path: str, groups: Groups, kinds: ServedKinds) -> Document | None:
    """The document at "/openapi/v3/apis/apps/v1", None where no such group and version are served.

    The first one takes a second or so, in which models are loaded: ask for it beside the event loop.
    """
    first, *rest = path.removeprefix("/openapi/v3/").strip("/").split("/")
    if (first, len(rest)) not in {("api", 1), ("apis", 2)}:
        return None
    group, version = rest if first == "apis" else ("", rest[0])
    found = groups.get((group, version))
    if found is None:
        return None
    custom = [kind for kind in found if kinds.is_custom(kind)]
    built_in = _built_in(tuple(kind for kind in found if not kinds.is_custom(kind)))
    return _joined(built_in, _custom(custom, kinds)) if custom else built_in


@cache
def _built_in(found: tuple[ResourceType, ...]) -> Document:
    shapes: dict[str, Any] = {}
    for kind in found:
        shapes |= schemas.of_kind(kind)
    for kind in found:
        name = schemas.name_of(kind)
        shape = shapes.get(name) or {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        shapes[name] = {**shape, "x-kubernetes-group-version-kind": [_gvk(kind)]}
    return _document(found, shapes)


def _custom(found: Sequence[ResourceType], kinds: ServedKinds) -> Document:
    shapes = schemas.metadata()
    for kind in found:
        definition = kinds.definition(kind.resource)
        shape = dict(definition.schema(kind.version)) if definition is not None else {}
        name = ".".join([*reversed(kind.group.split(".")), kind.version, kind.kind])
        properties = {**_HEAD, **(shape.get("properties") or {}), "metadata": _METADATA}
        gvk = {"x-kubernetes-group-version-kind": [_gvk(kind)]}
        shapes[name] = {"type": "object", **shape, "properties": properties, **gvk}
    return _document(found, shapes)


_METADATA = {
    "description": "Standard object's metadata.",
    "allOf": [{"$ref": f"#/components/schemas/{schemas.METADATA}"}],
}
_HEAD = {
    "apiVersion": {"type": "string", "description": "The versioned schema of this representation of an object."},
    "kind": {"type": "string", "description": "The REST resource that this object represents, in CamelCase."},
}


def _document(found: Sequence[ResourceType], shapes: dict[str, Any]) -> Document:
    paths = {}
    for kind in found:
        paths[kind.path("{namespace}" if kind.namespaced else "", "{name}")] = _path(kind)
        paths[kind.path("{namespace}" if kind.namespaced else "")] = _path(kind, create=True)
    info = {"title": "Kubernetes", "version": VERSION}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": shapes}}


def _joined(one: Document, other: Document) -> Document:
    shapes = {**one["components"]["schemas"], **other["components"]["schemas"]}
    return {**one, "paths": {**one["paths"], **other["paths"]}, "components": {"schemas": shapes}}


def _gvk(kind: ResourceType) -> dict[str, str]:
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}


def _path(kind: ResourceType, *, create: bool = False) -> Document:
    parameters = [
        {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}} for name in _PARAMETERS
    ]
    action = {"x-kubernetes-group-version-kind": _gvk(kind), "parameters": parameters, "responses": {}}
    verbs = {"post": "post", "get": "list"} if create else {"patch": "patch", "put": "put", "get": "get"}
    return {method: {**action, "x-kubernetes-action": verb} for method, verb in verbs.items()}
