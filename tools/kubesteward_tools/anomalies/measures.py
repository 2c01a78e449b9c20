"""When a number is unlike the others: against its own past, and against its siblings. Pure and free of units."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from kubesteward_tools.world.metrics.baselines import Moments

SIGMAS = 3.0
"""From the mean, beyond which a value is unlike its own past."""

ROBUST_SIGMAS = 6.0
"""From the median of siblings. Thousands of families are compared at once, so that three would find many by chance."""

FEWEST = 5
"""Siblings below which nobody can say who is the odd one."""

_STEADY = 0.05
"""A spread below this part of the middle is taken for it: nothing is as even as a short series looks."""

_NORMAL = 1.4826
"""Times the median absolute deviation is the standard deviation, where values are normally distributed."""

_LOG_SIGMAS = 4.0
"""The same of logarithms: use is spread by factors, and what a long tail holds is no odd one."""

_FEW = 4
"""At most one in so many may stand out: beyond that there are two kinds of siblings, not odd ones."""


@dataclass(frozen=True, slots=True)
class Odd:
    """The sibling at `place`; `middle` and `spread` are those of all of them."""

    place: int
    value: float
    middle: float
    spread: float

    @property
    def distance(self) -> float:
        """In spreads, with its sign."""
        return (self.value - self.middle) / self.spread


def deviation(value: float, usual: Moments, floor: float) -> float:
    """Standard deviations between a value and its past, with their sign; 0.0 within `SIGMAS` of it.

    `floor` is the difference below which nothing counts, in the unit of the value.
    """
    away = value - usual.mean
    spread = max(usual.deviation, _STEADY * abs(usual.mean))
    if abs(away) < floor or not away:
        return 0.0
    sigmas = away / spread if spread else float("inf") * (1 if away > 0 else -1)
    return max(-99.0, min(99.0, sigmas)) if abs(sigmas) > SIGMAS else 0.0


def unlike(values: Sequence[float], floor: float = 0.0, times: float = 2.0) -> list[Odd]:
    """Those far from the median of all, in spreads as well as in proportion; none where too many are.

    `times` is how often the median's value counts as out of proportion; a fraction of 1/times likewise.
    """
    if len(values) < FEWEST:
        return []
    middle = statistics.median(values)
    apart = [abs(value - middle) for value in values]
    spread = max(_NORMAL * statistics.median(apart), _STEADY * abs(middle), floor / ROBUST_SIGMAS)
    if not spread:
        return []
    found = [
        Odd(place, value, middle, spread)
        for place, value in enumerate(values)
        if apart[place] > ROBUST_SIGMAS * spread and not middle / times < value < middle * times
    ]
    if found:
        far = _far_by_factors(values, max(floor / ROBUST_SIGMAS, _STEADY * abs(middle)))
        found = [odd for odd in found if odd.place in far]
    return found if len(found) * _FEW <= len(values) else []


def _far_by_factors(values: Sequence[float], least: float) -> set[int]:
    """Places of those whose logarithms are far from the median of all; what is below `least` counts as that much."""
    if least <= 0:
        return set(range(len(values)))
    logs = [math.log(max(value, least)) for value in values]
    middle = statistics.median(logs)
    apart = [abs(value - middle) for value in logs]
    spread = max(_NORMAL * statistics.median(apart), _STEADY)
    return {place for place, away in enumerate(apart) if away > _LOG_SIGMAS * spread}
