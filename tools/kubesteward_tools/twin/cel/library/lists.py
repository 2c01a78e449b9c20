"""Kubernetes' list functions, cel-go's lists and sets extensions."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

from kubesteward_tools.twin.cel.library.function import Function, free, member


def _sum(items: list[Any]) -> Any:
    if items and isinstance(items[0], timedelta):
        return sum(items, timedelta())
    _numbers(items)
    return sum(items)


def _numbers(items: list[Any]) -> None:
    if not all(isinstance(item, int | float) and not isinstance(item, bool) for item in items):
        raise ValueError("no such overload")


def _extreme(items: list[Any], word: str) -> Any:
    if not items:
        raise ValueError(f"{word} called on empty list")
    return _ordered(items)[0 if word == "min" else -1]


def _ordered(items: list[Any]) -> list[Any]:
    try:
        return sorted(items)
    except TypeError:
        raise ValueError("no such overload") from None


def _is_sorted(items: list[Any]) -> bool:
    try:
        return all(one <= other for one, other in pairwise(items))
    except TypeError:
        raise ValueError("no such overload") from None


def same(one: Any, other: Any) -> bool:
    """CEL's equality: numbers by value, and no boolean is a number."""
    if isinstance(one, bool) != isinstance(other, bool):
        return False
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return bool(one == other)


def _has(items: list[Any], wanted: Any) -> bool:
    return any(same(item, wanted) for item in items)


def _index_of(items: list[Any], wanted: Any) -> int:
    return next((at for at, item in enumerate(items) if same(item, wanted)), -1)


def _last_index_of(items: list[Any], wanted: Any) -> int:
    return next((at for at in range(len(items) - 1, -1, -1) if same(items[at], wanted)), -1)


def _slice(items: list[Any], start: int, end: int) -> list[Any]:
    if not 0 <= start <= end <= len(items):
        raise ValueError(f"cannot slice({start}, {end}), list is length {len(items)}")
    return items[start:end]


def _flatten(items: list[Any], depth: int = 1) -> list[Any]:
    flat: list[Any] = []
    for item in items:
        flat += _flatten(item, depth - 1) if isinstance(item, list) and depth > 0 else [item]
    return flat


def _distinct(items: list[Any]) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if not _has(found, item):
            found.append(item)
    return found


def _range(count: int) -> list[int]:
    if count > 10_000:
        raise ValueError("range too large")
    return list(range(count))


def _contains(items: list[Any], wanted: list[Any]) -> bool:
    return all(_has(items, item) for item in wanted)


FUNCTIONS: tuple[Function, ...] = (
    member("isSorted", "list", "bool", _is_sorted),
    member("sum", "list", "dyn", _sum),
    member("min", "list", "dyn", lambda items: _extreme(items, "min")),
    member("max", "list", "dyn", lambda items: _extreme(items, "max")),
    member("indexOf", "list dyn", "int", _index_of),
    member("lastIndexOf", "list dyn", "int", _last_index_of),
    member("slice", "list int int", "list", _slice),
    member("flatten", "list", "list", _flatten),
    member("flatten", "list int", "list", _flatten),
    member("distinct", "list", "list", _distinct),
    member("sort", "list", "list", _ordered),
    member("reverse", "list", "list", lambda items: items[::-1]),
    free("lists.range", "int", "list", _range),
    free("sets.contains", "list list", "bool", _contains),
    free("sets.equivalent", "list list", "bool", lambda one, other: _contains(one, other) and _contains(other, one)),
    free("sets.intersects", "list list", "bool", lambda one, other: any(_has(other, item) for item in one)),
)
