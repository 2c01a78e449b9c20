"""Server-side apply on custom resources: the schema says which lists and maps have owners as a whole.

Docs: "Server-Side Apply", merge strategy: lists are atomic unless x-kubernetes-list-type says map or set, maps are
granular unless x-kubernetes-map-type says atomic.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from kubesteward_tools.twin import fieldsets
from kubesteward_tools.twin.custom import schemas
from kubesteward_tools.twin.custom.schemas import Schema
from kubesteward_tools.twin.fieldsets import Path
from kubesteward_tools.twin.patches import strategic_patch
from kubesteward_tools.world.store import Object

_HEAD = ("apiVersion", "kind", "metadata")


def fields_by(schema: Schema) -> Callable[[Object], dict[Path, Any]]:
    """`fieldsets.fields_of` for objects of this schema."""

    def fields_of(obj: Object) -> dict[Path, Any]:
        found = fieldsets.fields_of({name: obj[name] for name in _HEAD if name in obj})
        content = {name: value for name, value in obj.items() if name not in {*_HEAD, "status"}}
        return {**found, **dict(_map(content, schema, ()))}

    return fields_of


def _map(value: dict[str, Any], schema: Schema, path: Path) -> Iterator[tuple[Path, Any]]:
    for name, item in value.items():
        if item is not None:
            yield from _value(item, schemas.below(schema, name) or {}, (*path, f"f:{name}"))


def _value(value: Any, schema: Schema, path: Path) -> Iterator[tuple[Path, Any]]:
    kind = schema.get("x-kubernetes-list-type")
    if isinstance(value, dict) and value and schema.get("x-kubernetes-map-type") != "atomic":
        yield from _map(value, schema, path)
    elif isinstance(value, list) and value and kind == "set":
        yield from (((*path, f"v:{json.dumps(item)}"), item) for item in value)
    elif isinstance(value, list) and value and kind == "map":
        inner = schemas.items(schema)
        for item in value:
            element = (*path, "k:" + json.dumps(_identity(item, schema), separators=(",", ":")))
            yield element, {}
            yield from _map(item, inner, element)
    else:
        yield path, value


def _identity(item: Any, schema: Schema) -> dict[str, Any]:
    properties = schemas.items(schema).get("properties") or {}
    named = {
        key: item.get(key, (properties.get(key) or {}).get("default"))
        for key in sorted(schema.get("x-kubernetes-list-map-keys") or ())
    }
    return {key: value for key, value in named.items() if value is not None}


def merged(base: Object, applied: Object, schema: Schema) -> Object:
    """The object with what is applied."""
    head = strategic_patch.apply(
        {name: base[name] for name in _HEAD if name in base}, {name: applied[name] for name in _HEAD if name in applied}
    )
    content = _merged_map(
        {name: value for name, value in base.items() if name not in _HEAD},
        {name: value for name, value in applied.items() if name not in _HEAD},
        schema,
    )
    return {**head, **content}


def _merged_map(base: dict[str, Any], applied: dict[str, Any], schema: Schema) -> dict[str, Any]:
    result = dict(base)
    for name, value in applied.items():
        result[name] = _merged_value(base.get(name), value, schemas.below(schema, name) or {})
    return result


def _merged_value(base: Any, applied: Any, schema: Schema) -> Any:
    if isinstance(base, dict) and isinstance(applied, dict):
        return applied if schema.get("x-kubernetes-map-type") == "atomic" else _merged_map(base, applied, schema)
    kind = schema.get("x-kubernetes-list-type")
    if not isinstance(base, list) or not isinstance(applied, list) or kind not in {"map", "set"}:
        return applied
    if kind == "set":
        return [*base, *(item for item in applied if item not in base)]
    return _merged_elements(base, applied, schema)


def _merged_elements(base: list[Any], applied: list[Any], schema: Schema) -> list[Any]:
    inner, result = schemas.items(schema), list(base)
    places = [_identity(item, schema) for item in base]
    for item in applied:
        identity = _identity(item, schema)
        if identity in places:
            at = places.index(identity)
            result[at] = _merged_map(result[at], item, inner)
        else:
            result.append(item)
    return result
