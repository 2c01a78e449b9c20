"""Where a course falls back at once and stays down: a restart, a collection of garbage, a log that was rotated."""

from __future__ import annotations

from itertools import pairwise

from kubesteward_tools.analytics.lines import Points, median

_FEWEST = 6
_OVER_NOISE = 4.0
_OF_RANGE = 0.25
_OF_LEVEL = 0.1


def resets(points: Points) -> list[int]:
    """The number of each sample that begins a new tooth.

    A fall counts where it is far larger than the steps around it, a quarter of all that was seen, a tenth of the level,
    and no single wild sample: the samples before it are as high, those after it as low.
    """
    if len(points) < _FEWEST:
        return []
    values = [value for _, value in points]
    steps = [b - a for a, b in pairwise(values)]
    usual = median(steps)
    noise = 1.4826 * median([abs(step - usual) for step in steps])
    least = max(_OVER_NOISE * noise, _OF_RANGE * _usual_range(values))
    found: list[int] = []
    for number, step in enumerate(steps, 1):
        if -step > max(least, _OF_LEVEL * abs(values[number - 1])) and _stays(values, number):
            found.append(number)
    return found


def _usual_range(values: list[float]) -> float:
    """Without the wildest twentieth at either end."""
    ordered = sorted(values)
    out = len(ordered) // 20
    return ordered[len(ordered) - 1 - out] - ordered[out]


def _stays(values: list[float], number: int) -> bool:
    half = (values[number - 1] + values[number]) / 2
    before, after = values[max(number - 3, 0) : number], values[number : number + 3]
    return median(before) > half > median(after)
