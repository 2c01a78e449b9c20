"""Semantic versions, and the order that they share with quantities. API doc: CEL, Kubernetes semver library."""

from __future__ import annotations

import re
from typing import Any

from kubesteward_tools.twin.cel.library.function import Function, free, member, typed
from kubesteward_tools.twin.cel.library.quantities import amount

_KIND = "semver"
_VERSION = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)


def _semver(text: str, normalize: bool = False) -> dict[str, Any]:
    match = _VERSION.fullmatch(_normal(text) if normalize else text)
    if match is None:
        raise ValueError(f"No Major.Minor.Patch elements found in {text!r}")
    major, minor, patch = (int(match[part]) for part in (1, 2, 3))
    return {"type": _KIND, "value": [major, minor, patch, match[4] or ""]}


def _normal(text: str) -> str:
    """Without a leading v and leading zeros, and with the parts that are lacking."""
    core, rest = re.match(r"v?([0-9.]*)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr] # matches anything
    parts = [str(int(part)) if part else "0" for part in core.split(".")]
    return ".".join([*parts, "0", "0"][: max(3, len(parts))]) + rest


def _is_semver(text: str, normalize: bool = False) -> bool:
    try:
        _semver(text, normalize)
    except ValueError:
        return False
    return True


def _part(value: Any, at: int) -> int:
    return int(typed(value, _KIND)[at])


def _rank(value: Any) -> tuple[Any, ...]:
    """Semver 2.0.0, item 11: a pre-release comes before its release, numbers before words."""
    major, minor, patch, pre = typed(value, _KIND)
    parts = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in pre.split(".")] if pre else []
    return major, minor, patch, not pre, parts


def _compare(one: Any, other: Any) -> int:
    if isinstance(one, dict) and one.get("type") == _KIND:
        left, right = _rank(one), _rank(other)
        return (left > right) - (left < right)
    return (amount(one) > amount(other)) - (amount(one) < amount(other))


FUNCTIONS: tuple[Function, ...] = (
    free("semver", "string", "map", _semver),
    free("semver", "string bool", "map", _semver),
    free("isSemver", "string", "bool", _is_semver),
    free("isSemver", "string bool", "bool", _is_semver),
    member("major", "map", "int", lambda value: _part(value, 0)),
    member("minor", "map", "int", lambda value: _part(value, 1)),
    member("patch", "map", "int", lambda value: _part(value, 2)),
    member("compareTo", "map map", "int", _compare),
    member("isLessThan", "map map", "bool", lambda one, other: _compare(one, other) < 0),
    member("isGreaterThan", "map map", "bool", lambda one, other: _compare(one, other) > 0),
)
