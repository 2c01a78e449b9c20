"""One way to turn a value into bytes and bytes into a digest, so that an approval, an audit record and a snapshot
that speak of the same thing carry the same name for it.

Canonical JSON is RFC 8785 (JCS); a digest is `sha256:` and 64 hexadecimal digits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_EXACT, _SMALLEST = 2**53 - 1, 1e-4
_ENCODE = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode
_NOT_JSON = "cannot be part of a digest: use strings, numbers, booleans, None, lists and mappings with string keys"


def canonical_json(value: Any) -> bytes:
    """The RFC 8785 bytes of a JSON value.

    Raises:
        ValueError: the value is not JSON (a set, bytes, NaN, an integer beyond 2**53).
    """
    import rfc8785

    found = plain(value)
    try:  # most of what there is; ten times as fast
        return _ENCODE(_simple(found)).encode()
    except (_Peculiar, UnicodeEncodeError):  # the RFC's own writer knows what to make of it
        pass
    try:
        return rfc8785.dumps(found)
    except rfc8785.CanonicalizationError as error:
        raise ValueError(f"{type(value).__name__} {_NOT_JSON}: {error}") from None


def digest(value: Any) -> str:
    """`sha256:<hex>` of the canonical JSON of `value`."""
    return "sha256:" + hashlib.sha256(canonical_json(value)).hexdigest()


class _Peculiar(Exception):
    """The standard library would write it otherwise than the RFC."""


def _simple(value: Any) -> Any:
    """Plain JSON as the standard library writes it just as the RFC wants it. Raises _Peculiar where it would not.

    Its numbers have to be short ones, and names ASCII (the RFC sorts them by UTF-16 units).
    """
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return value
    if kind is dict:
        if not all(type(key) is str and key.isascii() for key in value):
            raise _Peculiar
        return {key: _simple(item) for key, item in value.items()}
    if kind is list:
        return [_simple(item) for item in value]
    if kind is int and -_EXACT <= value <= _EXACT:
        return value
    if kind is float and -_EXACT <= value <= _EXACT:
        if value.is_integer():
            return int(value)
        if abs(value) >= _SMALLEST:  # from there on both write the shortest digits, and no exponent
            return value
    raise _Peculiar


def plain(value: Any) -> Any:
    """Mappings become dicts, tuples lists, and whatever has `as_json()` speaks for itself."""
    if isinstance(value, str | int | float | bool | None):
        return value
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    as_json = getattr(value, "as_json", None)
    if as_json is None:
        raise ValueError(f"{type(value).__name__} {_NOT_JSON}")
    return plain(as_json())
