"""One function of expressions: its name, the types it takes and gives, and what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Function:
    """Types are words: string, int, double, bool, list, map, dyn. A member's first parameter stands before the dot.

    `call` raises ValueError for what is an error in CEL.
    """

    name: str
    parameters: tuple[str, ...]
    result: str
    call: Callable[..., Any]
    is_member: bool = True


def member(name: str, parameters: str, result: str, call: Callable[..., Any]) -> Function:
    return Function(name, tuple(parameters.split()), result, call)


def free(name: str, parameters: str, result: str, call: Callable[..., Any]) -> Function:
    return Function(name, tuple(parameters.split()), result, call, is_member=False)


def typed(value: Any, kind: str) -> Any:
    """The content of a value of a type of its own.

    Raises:
        ValueError: it is of another type.
    """
    if not isinstance(value, dict) or value.get("type") != kind:
        raise ValueError("no such overload")
    return value["value"]
