"""Defaults of structural schemas, and what becomes of nulls where a field may not be null."""

from __future__ import annotations

import copy
from typing import Any

from kubesteward_tools.twin.custom import schemas
from kubesteward_tools.twin.custom.schemas import Schema


def fill(value: Any, schema: Schema) -> None:
    """In place: a missing field takes its default, so does a null that is not allowed, which goes without one.

    Docs: "Defaulting and Nullable".
    """
    if isinstance(value, dict):
        _map(value, schema)
    elif isinstance(value, list):
        inner = schemas.items(schema)
        for number, item in enumerate(value):
            if item is None and not inner.get("nullable") and "default" in inner:
                value[number] = copy.deepcopy(inner["default"])
            fill(value[number], inner)


def _map(value: dict[str, Any], schema: Schema) -> None:
    for name, inner in (schema.get("properties") or {}).items():
        if "default" in inner and (name not in value or (value[name] is None and not inner.get("nullable"))):
            value[name] = copy.deepcopy(inner["default"])
    for name in list(value):
        found = schemas.below(schema, name)
        if found is None:
            continue
        if value[name] is None and _specified(schema, name) and not found.get("nullable"):
            del value[name]
        else:
            fill(value[name], found)


def _specified(schema: Schema, name: str) -> bool:
    return name in (schema.get("properties") or {}) or isinstance(schema.get("additionalProperties"), dict)
