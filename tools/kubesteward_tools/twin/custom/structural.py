"""Whether a schema is structural: every field's type is known without looking at values.

Docs: "Specifying a structural schema"; wording: k8s.io/apiextensions-apiserver pkg/apiserver/schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubesteward_tools.twin.custom import defaulting, pruning, values
from kubesteward_tools.twin.custom.schemas import Schema
from kubesteward_tools.twin.status import FieldError, forbidden_field, invalid_value, not_supported, required

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_JUNCTORS = ("allOf", "anyOf", "oneOf")
_NOT_NESTED = (
    "description",
    "type",
    "default",
    "title",
    "nullable",
    "additionalProperties",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
)
"""What may not stand below allOf, anyOf, oneOf and not."""
_FORBIDDEN = ("definitions", "dependencies", "patternProperties", "additionalItems", "$ref", "id")
_LISTS, _MAPS = ("atomic", "map", "set"), ("atomic", "granular")


def check(schema: Schema, path: str) -> Iterator[FieldError]:
    """Everything that keeps the schema of a whole object from being structural; `path` is where it stands."""
    if schema.get("type") != "object":
        if schema.get("type"):
            yield invalid_value(f"{path}.type", schema["type"], "must be object at the root")
        else:
            yield required(f"{path}.type", "must not be empty at the root")
    yield from _node(schema, path, "at the root")


def _node(schema: Any, path: str, where: str) -> Iterator[FieldError]:
    if not isinstance(schema, dict):
        yield invalid_value(path, schema, "must be a schema")
        return
    yield from _type(schema, path, where)
    yield from _forbidden(schema, path)
    yield from _list_type(schema, path)
    yield from _junctors(schema, path)
    yield from _default(schema, path)
    if schema.get("properties") and schema.get("additionalProperties"):
        yield forbidden_field(
            f"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive"
        )
    for name, inner in (schema.get("properties") or {}).items():
        yield from _node(inner, f"{path}.properties[{name}]", "for specified object fields")
    if isinstance(schema.get("additionalProperties"), dict):
        inner = f"{path}.additionalProperties"
        yield from _node(schema["additionalProperties"], inner, "for specified object fields")
    if isinstance(schema.get("items"), dict):
        yield from _node(schema["items"], f"{path}.items", "for specified array items")
    elif schema.get("type") == "array":
        yield required(f"{path}.items", "must be specified")


def _type(schema: Schema, path: str, where: str) -> Iterator[FieldError]:
    kind = schema.get("type")
    free = schema.get("x-kubernetes-int-or-string") or schema.get("x-kubernetes-preserve-unknown-fields")
    if not kind and not free and where != "at the root":
        yield required(f"{path}.type", f"must not be empty {where}")
    elif kind and kind not in _TYPES:
        yield not_supported(f"{path}.type", kind, _TYPES)
    if kind and schema.get("x-kubernetes-int-or-string"):
        yield invalid_value(f"{path}.type", kind, "must be empty if x-kubernetes-int-or-string is true")


def _forbidden(schema: Schema, path: str) -> Iterator[FieldError]:
    for name in _FORBIDDEN:
        if schema.get(name):
            yield forbidden_field(f"{path}.{name}", f"{name} is not supported")
    if schema.get("uniqueItems"):
        yield forbidden_field(
            f"{path}.uniqueItems", "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        )
    if schema.get("x-kubernetes-preserve-unknown-fields") is False:
        field = f"{path}.x-kubernetes-preserve-unknown-fields"
        yield invalid_value(field, False, "must be true or undefined")


def _list_type(schema: Schema, path: str) -> Iterator[FieldError]:
    kind, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys") or []
    if kind and kind not in _LISTS:
        yield not_supported(f"{path}.x-kubernetes-list-type", kind, _LISTS)
    if kind and schema.get("type") != "array":
        yield invalid_value(
            f"{path}.type", schema.get("type", ""), "must be array if x-kubernetes-list-type is specified"
        )
    if kind == "map" and not keys:
        why = "must not be empty if x-kubernetes-list-type is map"
        yield required(f"{path}.x-kubernetes-list-map-keys", why)
    if keys and kind != "map":
        yield invalid_value(
            f"{path}.x-kubernetes-list-type", kind, "must be map if x-kubernetes-list-map-keys is non-empty"
        )
    map_type = schema.get("x-kubernetes-map-type")
    if map_type and map_type not in _MAPS:
        yield not_supported(f"{path}.x-kubernetes-map-type", map_type, _MAPS)
    item = schema.get("items")
    if kind != "map" or not isinstance(item, dict):
        return
    for number, key in enumerate(keys):
        inner = (item.get("properties") or {}).get(key)
        if inner is None:
            why = "entries must all be names of item properties"
            yield invalid_value(f"{path}.x-kubernetes-list-map-keys[{number}]", key, why)
        elif key not in (item.get("required") or ()) and "default" not in inner:
            why = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
            yield required(f"{path}.items.properties[{key}].default", why)


def _junctors(schema: Schema, path: str) -> Iterator[FieldError]:
    for name in _JUNCTORS:
        for number, inner in enumerate(schema.get(name) or ()):
            yield from _nested(inner, f"{path}.{name}[{number}]")
    if isinstance(schema.get("not"), dict):
        yield from _nested(schema["not"], f"{path}.not")


def _nested(schema: Schema, path: str) -> Iterator[FieldError]:
    int_or_string = schema.get("type") in {"integer", "string"}
    for name in _NOT_NESTED:
        if schema.get(name) and not (name == "type" and int_or_string):
            yield forbidden_field(f"{path}.{name}", "must be empty to be structural")
    yield from _junctors(schema, path)
    for name, inner in (schema.get("properties") or {}).items():
        yield from _nested(inner, f"{path}.properties[{name}]")
    if isinstance(schema.get("items"), dict):
        yield from _nested(schema["items"], f"{path}.items")


def _default(schema: Schema, path: str) -> Iterator[FieldError]:
    """A default must itself be valid, and nothing of it may be pruned."""
    if "default" not in schema:
        return
    value, field = schema["default"], f"{path}.default"
    if isinstance(value, dict) and not schema.get("x-kubernetes-embedded-resource"):
        _, dropped = pruning.pruned({"spec": value}, {"properties": {"spec": schema}})
        if dropped:
            yield invalid_value(field, value, "must not have unknown fields")
    whole = {"value": value}
    defaulting.fill(whole, {"properties": {"value": {**schema, "default": value}}})
    yield from values.check(whole.get("value"), schema, field)
