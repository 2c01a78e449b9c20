"""Moments with far more errors than the rest of the window has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from kubesteward_tools.analytics.records import Level, Record

_BUCKETS = (1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400)
"""Widths in seconds. The narrowest of which sixty or fewer make up the window is taken."""

_MOST_BUCKETS = 60
_FEWEST_BUCKETS = 5
_FEWEST_ERRORS = 5
_TIMES = 3.0


@dataclass(frozen=True, slots=True)
class Spike:
    """`start` and `end` are in epoch seconds; `rate` and `usual` in errors a minute, `usual` that of all other time."""

    start: float
    end: float
    errors: int
    usual: float

    @property
    def rate(self) -> float:
        return round(self.errors * 60 / (self.end - self.start), 1)


def spikes(found: Sequence[Record]) -> list[Spike]:
    """Stretches whose buckets each have five errors or more and three times the rate of the rest of the window."""
    times = [record.first.at for record in found if record.first.at]
    if not times:
        return []
    start, length = min(times), max(times) - min(times)
    width = next((size for size in _BUCKETS if length / size <= _MOST_BUCKETS), _BUCKETS[-1])
    many = int(length // width) + 1
    if many < _FEWEST_BUCKETS:
        return []
    errors = Counter(
        int((record.first.at - start) // width) for record in found if record.first.at and record.level >= Level.ERROR
    )
    total = sum(errors.values())
    marked = [at for at, count in sorted(errors.items()) if _stands_out(count, total, many)]
    return [_spike(stretch, errors, many, start, width) for stretch in _stretches(marked)]


def _stands_out(count: int, total: int, many: int) -> bool:
    return count >= _FEWEST_ERRORS and count >= _TIMES * (total - count) / (many - 1)


def _stretches(marked: Sequence[int]) -> list[list[int]]:
    """Neighbours together."""
    found = list[list[int]]()
    for at in marked:
        if found and at == found[-1][-1] + 1:
            found[-1].append(at)
        else:
            found.append([at])
    return found


def _spike(stretch: list[int], errors: Counter[int], many: int, start: float, width: int) -> Spike:
    inside = sum(errors[at] for at in stretch)
    rest = max(many - len(stretch), 1)
    usual = (sum(errors.values()) - inside) * 60 / (rest * width)
    return Spike(start + stretch[0] * width, start + (stretch[-1] + 1) * width, inside, round(usual, 1))
