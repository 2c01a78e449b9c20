"""Resources in whole billionths: the least that a quantity can say (resource.Quantity), so that sums of them are exact.

A node is compared with a pod a hundred times for each pod that is placed; integers make that cheap.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from kubesteward_tools.twin.quantity import parse

Whole = Mapping[str, int]
"""By resource name."""

ONE = 10**9


def whole(quantities: Mapping[str, Any]) -> dict[str, int]:
    return {name: rounded(parse(value)) for name, value in quantities.items()}


def rounded(value: Fraction) -> int:
    """Up, as the API server does with what is smaller than a billionth."""
    return -(-value.numerator * ONE // value.denominator)
