"""Fields that a structural schema does not specify are dropped, on whatever way they came."""

from __future__ import annotations

from typing import Any

from kubesteward_tools.twin.custom import schemas
from kubesteward_tools.twin.custom.schemas import Schema
from kubesteward_tools.twin.validation import fields
from kubesteward_tools.world.store import Object


def pruned(obj: Object, schema: Schema) -> tuple[Object, list[str]]:
    """The object with what is specified alone, and the paths of what was dropped.

    Raises:
        fields.WrongType: the metadata is not that of an object.
    """
    dropped: list[str] = []
    if not isinstance(obj, dict):
        raise fields.WrongType("json: cannot unmarshal into Go value of type map[string]interface {}")
    return _map(obj, schema, "", dropped, root=True), dropped


def _map(obj: Object, schema: Schema, path: str, dropped: list[str], *, root: bool = False) -> Object:
    keeps, kept = schemas.keeps_unknown(schema), {}
    for name, value in obj.items():
        where = f"{path}.{name}" if path else name
        if schemas.is_own_field(schema, name, root=root):
            kept[name] = _metadata(value, where, dropped) if name == "metadata" else value
            continue
        inner = schemas.below(schema, name)
        if inner is not None:
            kept[name] = _value(value, inner, where, dropped)
        elif keeps:
            kept[name] = value
        else:
            dropped.append(where)
    return kept


def _value(value: Any, schema: Schema, path: str, dropped: list[str]) -> Any:
    if isinstance(value, dict):
        return _map(value, schema, path, dropped)
    if isinstance(value, list):
        inner = schemas.items(schema)
        if not inner and schemas.keeps_unknown(schema):
            return value
        return [_value(item, inner, f"{path}[{number}]", dropped) for number, item in enumerate(value)]
    return value


def _metadata(value: Any, path: str, dropped: list[str]) -> Any:
    if not isinstance(value, dict):
        return value
    kept, unknown = fields.known(value, schemas.METADATA)
    dropped += [f"{path}.{name}" for name in unknown]
    return kept
