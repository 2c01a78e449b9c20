"""Resource quantities: `quantity('100Mi')` and what can be asked of them. API doc: CEL, Kubernetes quantity library."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from kubesteward_tools.twin.cel.library.function import Function, free, member, typed
from kubesteward_tools.twin.quantity import parse

_KIND = "quantity"


def _quantity(text: str) -> dict[str, str]:
    return _made(parse(text))


def _made(value: Fraction) -> dict[str, str]:
    """Equal amounts are equal, however they were written."""
    return {"type": _KIND, "value": str(value)}


def _is_quantity(text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def amount(value: Any) -> Fraction:
    return Fraction(typed(value, _KIND))


def _integer(value: Any) -> int:
    if not _is_integer(value):
        raise ValueError("cannot convert value to integer")
    return int(amount(value))


def _is_integer(value: Any) -> bool:
    found = amount(value)
    return found.denominator == 1 and -(2**63) <= found < 2**63


def _other(value: Any) -> Fraction:
    return Fraction(value) if isinstance(value, int) else amount(value)


FUNCTIONS: tuple[Function, ...] = (
    free("quantity", "string", "map", _quantity),
    free("isQuantity", "string", "bool", _is_quantity),
    member("isInteger", "map", "bool", _is_integer),
    member("asInteger", "map", "int", _integer),
    member("asApproximateFloat", "map", "double", lambda value: float(amount(value))),
    member("sign", "map", "int", lambda value: (amount(value) > 0) - (amount(value) < 0)),
    member("add", "map map", "map", lambda one, other: _made(amount(one) + _other(other))),
    member("add", "map int", "map", lambda one, other: _made(amount(one) + _other(other))),
    member("sub", "map map", "map", lambda one, other: _made(amount(one) - _other(other))),
    member("sub", "map int", "map", lambda one, other: _made(amount(one) - _other(other))),
)
