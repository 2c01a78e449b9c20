"""Which fields an object may have, and of what JSON type: what the API server's decoder says before anything else.

The table beside this file comes from Kubernetes' OpenAPI document by way of the official Python client. API doc:
"Server Side Field Validation" (`fieldValidation` = Ignore, Warn or Strict).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Object

SCALE = "V1Scale"
_VERSION = re.compile(r"^(Core)?V\d+((alpha|beta)\d+)?")
_NAMES = {"s": "string", "i": "int32", "f": "float64", "b": "bool"}
_JSON = {str: "string", bool: "bool", int: "number", float: "number", list: "array", dict: "object"}
_QUANTITIES = frozenset(
    {"limits", "requests", "hard", "used", "capacity", "allocatable", "allocatedResources", "default", "defaultRequest"}
    | {"max", "min", "maxLimitRequestRatio", "overhead", "podFixed", "sizeLimit", "divisor", "averageValue"}
)
"""Fields whose text may be written as a number."""
_QUANTITY_TYPES = frozenset({"V2MetricTarget", "V2MetricValueStatus"})


class WrongType(ValueError):
    """A value of another JSON type than the field's; worded as Go's decoder does."""


@cache
def _table() -> Mapping[str, Any]:
    found: dict[str, Any] = json.loads(resources.files(__package__).joinpath("fields.json").read_text("utf-8"))
    return found


def type_of(kind: ResourceType) -> str:
    """The name of a kind's type in the table, "" for one that is not there: custom resources."""
    return str(_table()["kinds"].get(f"{kind.api_version}/{kind.kind}", ""))


def known(obj: Any, type_name: str) -> tuple[Object, list[str]]:
    """The object without the fields that its type does not have, and these fields' paths.

    Raises:
        WrongType: a value does not fit its field.
    """
    unknown: list[str] = []
    if not isinstance(obj, dict):  # a JSON patch may put anything in place of the whole
        raise WrongType(f"json: cannot unmarshal {_JSON.get(type(obj), 'null')} into Go value of type {_go(type_name)}")
    return _object(obj, type_name, "", unknown) if type_name else obj, unknown


def _object(obj: Object, type_name: str, path: str, unknown: list[str]) -> Object:
    shape, kept = _table()["types"][type_name], {}
    for name, value in obj.items():
        below = f"{path}.{name}" if path else name
        if name in shape and value is None:
            continue  # a null field is one that is not there
        if name in shape:
            kept[name] = _value(value, shape[name], below, (type_name, name), unknown)
        else:
            unknown.append(below)
    return kept if len(kept) != len(obj) or any(kept[name] is not obj[name] for name in kept) else obj


def _value(value: Any, code: str, path: str, field: tuple[str, str], unknown: list[str]) -> Any:
    if value is None or code == "*":
        return value
    if code[0] == "[":
        _expect(value, list, path, field, "[]" + _go(code[1:]))
        items = [
            _value(_nothing(code[1:]) if item is None else item, code[1:], f"{path}[{number}]", field, unknown)
            for number, item in enumerate(value)
        ]
        return _same(items, value)
    if code[0] == "{":
        _expect(value, dict, path, field, "map[string]" + _go(code[1:]))
        entries = {
            key: _value(_nothing(code[1:]) if item is None else item, code[1:], f"{path}.{key}", field, unknown)
            for key, item in value.items()
        }
        return entries if any(entries[key] is not value[key] for key in value) else value
    if code in _NAMES:
        _leaf(value, code, path, field)
        return value
    _expect(value, dict, path, field, _go(code))
    return _object(value, code, path, unknown)


def _nothing(code: str) -> Any:
    """What null is read as where something must stand: Go's zero value."""
    if code in _NAMES:
        return {"s": "", "i": 0, "f": 0, "b": False}[code]
    return None if code[0] in "*[{" else {}


def _same(items: list[Any], old: list[Any]) -> list[Any]:
    return old if all(one is other for one, other in zip(items, old, strict=True)) else items


def _leaf(value: Any, code: str, path: str, field: tuple[str, str]) -> None:
    fits = {
        "s": isinstance(value, str) or (_is_number(value) and _is_quantity(field)),
        "i": _is_number(value) and float(value).is_integer(),
        "f": _is_number(value),
        "b": isinstance(value, bool),
    }
    if not fits[code]:
        raise _wrong(value, path, field, _NAMES[code])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_quantity(field: tuple[str, str]) -> bool:
    return field[1] in _QUANTITIES or field[0] in _QUANTITY_TYPES


def _expect(value: Any, wanted: type, path: str, field: tuple[str, str], go: str) -> None:
    if not isinstance(value, wanted):
        raise _wrong(value, path, field, go)


def _wrong(value: Any, path: str, field: tuple[str, str], go: str) -> WrongType:
    plain = ".".join(part.partition("[")[0] for part in path.split("."))
    found = _JSON.get(type(value), "value")
    struct = _VERSION.sub("", field[0])
    return WrongType(f"json: cannot unmarshal {found} into Go struct field {struct}.{plain} of type {go}")


def _go(code: str) -> str:
    return _NAMES.get(code) or _VERSION.sub("", code.lstrip("[{"))


def paths(unknown: list[str]) -> Iterator[str]:
    """As the API server words them."""
    return (f'unknown field "{path}"' for path in unknown)
