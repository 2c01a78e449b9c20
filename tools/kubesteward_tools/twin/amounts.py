"""Arithmetic of resource lists: several amounts at once, by resource name, exact.

What `k8s.io/apiserver/pkg/quota/v1` does for the quota controller and admission. An amount that is not there is not the
same as zero: it stays away from results unless the other side has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from kubesteward_tools.twin.quantity import parse

Amounts = dict[str, Fraction]
_NONE = Fraction(0)


def amounts(quantities: Mapping[str, Any] | None) -> Amounts:
    """From quantities as the API writes them. Raises ValueError when one is none."""
    return {name: parse(value) for name, value in (quantities or {}).items()}


def total(items: Iterable[Mapping[str, Fraction]]) -> Amounts:
    found: Amounts = {}
    for item in items:
        for name, value in item.items():
            found[name] = found.get(name, _NONE) + value
    return found


def greatest(a: Mapping[str, Fraction], b: Mapping[str, Fraction]) -> Amounts:
    """The greater of each; one that only one side has is that one."""
    return {name: max(a.get(name, _NONE), b.get(name, _NONE)) for name in {**a, **b}}


def difference(a: Mapping[str, Fraction], b: Mapping[str, Fraction]) -> Amounts:
    """`a` less `b`, below zero where only `b` has it."""
    return {name: a.get(name, _NONE) - b.get(name, _NONE) for name in {**a, **b}}


def exceeding(a: Mapping[str, Fraction], limits: Mapping[str, Fraction]) -> list[str]:
    """The names, sorted, of which `a` has more than `limits` say. What is not limited cannot exceed."""
    return sorted(name for name, value in a.items() if name in limits and value > limits[name])


def without_zeros(a: Mapping[str, Fraction]) -> Amounts:
    return {name: value for name, value in a.items() if value}
