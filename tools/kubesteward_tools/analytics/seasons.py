"""What a course does every day, taken out of it, so that a morning's rise is not read as a leak.

The growth is the median of what one time of day adds over whole days (the seasonal Kendall slope of Hirsch and Slack,
1984); the daily course is the median of what is left at each time of day.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from kubesteward_tools.analytics.lines import Points, median

DAY = 86400.0
SLOT = 1800.0
"""Seconds of the day that are taken together."""
_EXPLAINS = 0.5
"""Share of the unrest that a daily course must explain to be called one."""


class Days(NamedTuple):
    """`rest` are the samples without their daily course, `share` that of the independent ones which remain. At second
    `high_at` of the day the course is highest, `high` above its mean.
    """

    rest: list[tuple[float, float]]
    share: float
    high: float
    high_at: float


def without_days(points: Points) -> Days | None:
    """None where fewer than two days are known, or days do not resemble each other."""
    if not points or points[-1][0] - points[0][0] < 2 * DAY:
        return None
    slots: defaultdict[int, list[tuple[float, float]]] = defaultdict(list)
    for at, value in points:
        slots[int(at % DAY // SLOT)].append((at, value))
    slopes = [slope for slot in slots.values() for slope in _over_days(slot)]
    if not slopes:
        return None
    slope, start = median(slopes), points[0][0]
    course = {slot: median([v - slope * (at - start) for at, v in found]) for slot, found in slots.items()}
    level = math.fsum(course.values()) / len(course)
    flat = [value - slope * (at - start) for at, value in points]
    rest = [(at, value - course[int(at % DAY // SLOT)] + level) for at, value in points]
    left = [value - slope * (at - start) for at, value in rest]
    if _unrest(left) > (1 - _EXPLAINS) * _unrest(flat):
        return None
    days = (points[-1][0] - start) / DAY
    highest = max(course, key=lambda slot: course[slot])
    return Days(rest, 1 - 1 / days, course[highest] - level, highest * SLOT)


def _over_days(slot: list[tuple[float, float]]) -> Iterator[float]:
    for number, (at, value) in enumerate(slot):
        for then, before in slot[:number]:
            if at - then > DAY / 2:
                yield (value - before) / (at - then)


def _unrest(values: list[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values)
