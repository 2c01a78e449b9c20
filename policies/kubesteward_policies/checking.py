"""Applies one check to one unit of an object. What other objects have to do with it is handed in as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubesteward_policies.cel import Compile, Failed
from kubesteward_policies.check import _HOLE, NAMES, UNITS, Check

Situation = dict[str, Any]
"""The variables of an expression (`check.NAMES`) as plain data; nulls are left out, as the API server would."""


def items(check: Check, situation: Situation, compiled: Compile) -> list[Any]:
    """What an expression for `each` names in this object.

    Raises:
        Failed, Undecided: it cannot be told.
    """
    if check.each in UNITS:
        raise ValueError(f"{check.each} is a unit and no expression")
    found = compiled(check.each, NAMES).evaluate(situation)
    return found if isinstance(found, list) else []


def concerns(check: Check, situation: Situation, compiled: Compile) -> bool:
    """Whether the check has anything to say about this. Raises Failed, Undecided."""
    return not check.when or _true(check.when, situation, compiled)


def fails(check: Check, situation: Situation, compiled: Compile) -> bool:
    """Raises Failed, Undecided."""
    return _true(check.fails, situation, compiled)


def _true(expression: str, situation: Situation, compiled: Compile) -> bool:
    value = compiled(expression, NAMES).evaluate(situation)
    if not isinstance(value, bool):
        raise Failed("it is neither true nor false")
    return value


def message(check: Check, situation: Situation, compiled: Compile) -> str:
    """With its holes filled. Raises Failed, Undecided."""
    return _HOLE.sub(lambda hole: _shown(compiled(hole[1], NAMES).evaluate(situation)), check.message)


def _shown(value: Any) -> str:
    return ", ".join(map(_shown, value)) if isinstance(value, list) else str(value)


def pruned(value: Any) -> Any:
    """Without nulls, which an API server drops, and with keys that are texts."""
    if isinstance(value, Mapping):
        return {str(key): pruned(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [pruned(item) for item in value if item is not None]
    return value
