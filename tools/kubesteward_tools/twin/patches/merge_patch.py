"""JSON merge patch, RFC 7386: maps merge, null removes, everything else replaces."""

from __future__ import annotations

from typing import Any


def apply(obj: Any, patch: Any) -> Any:
    """The patched copy of `obj`; what the patch does not name is shared with it."""
    if not isinstance(patch, dict):
        return patch
    result = dict(obj) if isinstance(obj, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = apply(result.get(key), value)
    return result
