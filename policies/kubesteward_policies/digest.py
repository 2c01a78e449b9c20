"""One way to turn a value into bytes and bytes into a digest, so that an approval, an audit record and a snapshot
that speak of the same thing carry the same name for it.

Canonical JSON is RFC 8785 (JCS); a digest is `sha256:` and 64 hexadecimal digits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

_NOT_JSON = "cannot be part of a digest: use strings, numbers, booleans, None, lists and mappings with string keys"


def canonical_json(value: Any) -> bytes:
    """The RFC 8785 bytes of a JSON value.

    Raises:
        ValueError: the value is not JSON (a set, bytes, NaN, an integer beyond 2**53).
    """
    import rfc8785

    try:
        return rfc8785.dumps(plain(value))
    except rfc8785.CanonicalizationError as error:
        raise ValueError(f"{type(value).__name__} {_NOT_JSON}: {error}") from None


def digest(value: Any) -> str:
    """`sha256:<hex>` of the canonical JSON of `value`."""
    return "sha256:" + hashlib.sha256(canonical_json(value)).hexdigest()


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
