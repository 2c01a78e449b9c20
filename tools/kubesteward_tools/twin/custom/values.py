"""Whether a value fits its OpenAPI v3 schema, in the words of the API server (422).

Docs: "Validation" of CustomResourceDefinitions; wording: k8s.io/kube-openapi validation and apiextensions validation.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from functools import cache
from typing import Any

from kubesteward_tools.twin.custom import schemas
from kubesteward_tools.twin.custom.formats import fits
from kubesteward_tools.twin.custom.rules import MISSING, counterpart
from kubesteward_tools.twin.custom.schemas import Schema
from kubesteward_tools.twin.status import FieldError, invalid_value, not_supported, required

_TYPES = {"object": dict, "array": list, "string": str, "boolean": bool}
_INT32 = 2**31


def check(
    value: Any, schema: Schema, path: str = "", old: Any = MISSING, *, root: bool = False
) -> Iterator[FieldError]:
    """Everything that is wrong; what is as it was before (`old`) was let in then and stays so (KEP-4008)."""
    if old is not MISSING and old == value:
        return
    if value is None and schema.get("nullable"):
        return
    wrong = list(_type(value, schema, path))
    yield from wrong
    if wrong:
        return
    yield from _enum(value, schema, path)
    yield from _composed(value, schema, path)
    if isinstance(value, dict):
        yield from _map(value, schema, path, old, root=root)
    elif isinstance(value, list):
        yield from _list(value, schema, path, old)
    elif isinstance(value, str):
        yield from _text(value, schema, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _number(value, schema, path)


def _body(path: str) -> str:
    return f"{path} in body"


def _type(value: Any, schema: Schema, path: str) -> Iterator[FieldError]:
    if schema.get("x-kubernetes-int-or-string"):
        if isinstance(value, bool) or not isinstance(value, int | str):
            yield _wrong_type(value, path, "integer,string")
        return
    wanted = schema.get("type")
    if wanted and not _is(value, str(wanted)):
        yield _wrong_type(value, path, str(wanted))


def _is(value: Any, wanted: str) -> bool:
    if wanted in {"integer", "number"}:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return wanted == "number" or float(value).is_integer()
    return isinstance(value, _TYPES.get(wanted, object))


def type_name(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "integer" if float(value).is_integer() else "number"
    return next(name for name, kind in _TYPES.items() if isinstance(value, kind))


def _wrong_type(value: Any, path: str, wanted: str) -> FieldError:
    found = type_name(value)
    shown = json.dumps(found)
    why = f"{_body(path)} must be of type {wanted}: {shown}"
    return FieldError("FieldValueTypeInvalid", path or "<nil>", f"Invalid value: {shown}: {why}")


def _enum(value: Any, schema: Schema, path: str) -> Iterator[FieldError]:
    allowed = schema.get("enum")
    if allowed and not any(item == value and isinstance(item, bool) == isinstance(value, bool) for item in allowed):
        yield not_supported(path, value, [str(item) for item in allowed])


def _map(value: dict[str, Any], schema: Schema, path: str, old: Any, *, root: bool) -> Iterator[FieldError]:
    low, high = schema.get("minProperties"), schema.get("maxProperties")
    if low is not None and len(value) < low:
        yield invalid_value(path, value, f"{_body(path)} should have at least {low} properties")
    if high is not None and len(value) > high:
        yield FieldError("FieldValueTooMany", path, f"Too many: {len(value)}: must have at most {high} items")
    for name in schema.get("required") or ():
        if name not in value:
            yield required(_join(path, name))
    if schemas.is_whole_object(schema, root=root) and not root:
        yield from (required(_join(path, name)) for name in ("apiVersion", "kind") if not value.get(name))
    for name, item in value.items():
        inner = schemas.below(schema, name)
        if inner:
            before = old.get(name, MISSING) if isinstance(old, dict) else MISSING
            yield from check(item, inner, _join(path, name), before)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _list(value: list[Any], schema: Schema, path: str, old: Any) -> Iterator[FieldError]:
    low, high = schema.get("minItems"), schema.get("maxItems")
    if low is not None and len(value) < low:
        yield invalid_value(path, value, f"{_body(path)} should have at least {low} items")
    if high is not None and len(value) > high:
        yield FieldError("FieldValueTooMany", path, f"Too many: {len(value)}: must have at most {high} items")
    yield from _repeated(value, schema, path)
    inner = schemas.items(schema)
    if inner:
        for number, item in enumerate(value):
            yield from check(item, inner, f"{path}[{number}]", counterpart(item, schema, old))


def _repeated(value: list[Any], schema: Schema, path: str) -> Iterator[FieldError]:
    """Sets have each element, and maps each combination of keys, once."""
    kind, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys") or ()
    if kind not in {"set", "map"}:
        return
    seen: list[Any] = []
    for number, item in enumerate(value):
        if kind == "map" and not isinstance(item, dict):
            continue
        identity = item if kind == "set" else {key: item[key] for key in keys if key in item}
        if identity in seen:
            shown = json.dumps(identity, separators=(",", ":"))
            yield FieldError("FieldValueDuplicate", f"{path}[{number}]", f"Duplicate value: {shown}")
        seen.append(identity)


def _text(value: str, schema: Schema, path: str) -> Iterator[FieldError]:
    low, high, pattern, form = (schema.get(key) for key in ("minLength", "maxLength", "pattern", "format"))
    if high is not None and len(value) > high:
        yield FieldError("FieldValueTooLong", path, f"Too long: may not be more than {high} bytes")
    if low is not None and len(value) < low:
        yield invalid_value(path, value, f"{_body(path)} should be at least {low} chars long")
    if pattern and not _pattern(pattern).search(value):
        yield invalid_value(path, value, f"{_body(path)} should match '{pattern}'")
    if form and not fits(form, value):
        why = f"{_body(path)} must be of type {form}: {json.dumps(value)}"
        yield FieldError("FieldValueTypeInvalid", path, f"Invalid value: {json.dumps(value)}: {why}")


@cache
def _pattern(text: str) -> Any:
    """RE2, as in Go: a pattern cannot take longer than its text is long."""
    import re2

    return re2.compile(text)


def _number(value: float, schema: Schema, path: str) -> Iterator[FieldError]:
    low, high, step = schema.get("minimum"), schema.get("maximum"), schema.get("multipleOf")
    if high is not None and (value >= high if schema.get("exclusiveMaximum") else value > high):
        words = "less than" if schema.get("exclusiveMaximum") else "less than or equal to"
        yield invalid_value(path, value, f"{_body(path)} should be {words} {_plain(high)}")
    if low is not None and (value <= low if schema.get("exclusiveMinimum") else value < low):
        words = "greater than" if schema.get("exclusiveMinimum") else "greater than or equal to"
        yield invalid_value(path, value, f"{_body(path)} should be {words} {_plain(low)}")
    if step and not math.isclose(value / step, round(value / step), abs_tol=1e-9):
        yield invalid_value(path, value, f"{_body(path)} should be a multiple of {_plain(step)}")
    if schema.get("format") == "int32" and not -_INT32 <= value < _INT32:
        yield invalid_value(path, value, "Checked value must be of type integer with format int32")


def _plain(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else repr(number)


def _composed(value: Any, schema: Schema, path: str) -> Iterator[FieldError]:
    subject = f'"{path}"'
    if (several := schema.get("allOf")) and not all(_fits(value, item) for item in several):
        for item in several:
            yield from check(value, item, path)
        yield invalid_value(path, "", f"{subject} must validate all the schemas (allOf)")
    if (several := schema.get("anyOf")) and not any(_fits(value, item) for item in several):
        yield invalid_value(path, "", f"{subject} must validate at least one schema (anyOf)")
    if several := schema.get("oneOf"):
        count = sum(_fits(value, item) for item in several)
        if count != 1:
            found = "Found none valid" if not count else f"Found {count} valid alternatives"
            yield invalid_value(path, "", f"{subject} must validate one and only one schema (oneOf). {found}")
    if (other := schema.get("not")) is not None and _fits(value, other):
        yield invalid_value(path, "", f"{subject} must not validate the schema (not)")


def _fits(value: Any, schema: Schema) -> bool:
    return next(check(value, schema), None) is None
