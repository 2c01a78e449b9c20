"""A straight line through samples, how sure it is, and when it meets a limit. Pure arithmetic; times are in seconds.

Least squares, and Theil-Sen (the median of the slopes between all pairs), which a third of wild samples does not move.
Neighbouring samples of a load resemble each other, so that n of them say less than n: intervals are computed for the
effective number, n (1 - r) / (1 + r) for the residuals' correlation r with their neighbours. Sources: Bayley and
Hammersley (1946) for that number, Marriott and Pope (1954) for the bias of r, Fieller (1954) for where a line meets a
limit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

Points = Sequence[tuple[float, float]]
"""(seconds, value), the oldest first."""
Method = Literal["least squares", "Theil-Sen"]

LEVEL = 0.95
"""Of the intervals that are told."""
_TOLD = 1.959964
"""The normal quantile that belongs to it, two-sided."""
_CLEAR = 3.290527
"""That of 99.9 %: of 30,000 series without any trend, 1,500 would seem to have one at 95 %."""
_FEWEST = 5.0
"""Independent samples; with fewer, quantiles grow without bound and nothing can be said."""
_MOST_PAIRED = 200
"""Samples of which all pairs are compared; more are thinned."""
EXACT = 1e-7
"""Residuals below this share of the values are rounding: samples are kept in single precision."""
_TO_SIGMA = 1.4826
"""From the median absolute deviation to the standard deviation of normal noise."""
_TS_COST = math.pi / 3
"""Variance of Theil-Sen's slope over that of least squares under normal noise (Sen 1968)."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """Seconds on the samples' own clock. The line meets the limit at `at`; with 95 % between the other two."""

    soonest: float
    at: float
    latest: float


@dataclass(frozen=True, slots=True)
class Line:
    """`slope` per second; `height` is the value at `middle`, `sigma` the noise around it.

    `spread` is the sum of the squared distances of the times from `middle`; `independent` the effective number of
    samples, of `count`. `first` and `last` are the span.
    """

    slope: float
    middle: float
    height: float
    sigma: float
    spread: float
    count: int
    independent: float
    first: float
    last: float
    method: Method = "least squares"

    @property
    def span(self) -> float:
        return self.last - self.first

    def at(self, time: float) -> float:
        return self.height + self.slope * (time - self.middle)

    def margin(self, time: float) -> float:
        """Half of the 95 % interval of the line itself at `time`; infinite where too little is known."""
        here, per_second = self._errors()
        return self._quantile(_TOLD) * math.hypot(here, per_second * (time - self.middle))

    def slopes(self) -> tuple[float, float]:
        """The 95 % interval of the slope."""
        margin = self._quantile(_TOLD) * self._errors()[1]
        return self.slope - margin, self.slope + margin

    @property
    def clear(self) -> bool:
        """Whether it goes up or down beyond doubt (99.9 %), and by more than its noise."""
        error = self._errors()[1]
        sure = abs(self.slope) > (self._quantile(_CLEAR) * error if error else 0.0)
        return sure and abs(self.slope) * self.span > max(self.sigma, EXACT * abs(self.height))

    def crossing(self, limit: float) -> Crossing | None:
        """When it meets `limit`; None where its slope may as well be none."""
        here, per_second = (self._quantile(_TOLD) * error for error in self._errors())
        away = self.height - limit
        square = self.slope**2 - per_second**2
        if not math.isfinite(per_second) or square <= 0:
            return None
        root = math.sqrt((per_second * away) ** 2 + square * here**2)
        ends = sorted((-away * self.slope + sign * root) / square for sign in (-1, 1))
        return Crossing(self.middle + ends[0], self.middle - away / self.slope, self.middle + ends[1])

    def _errors(self) -> tuple[float, float]:
        """Standard errors of the height and of the slope."""
        if self.independent < _FEWEST and self.sigma:
            return math.inf, math.inf
        cost = math.sqrt(_TS_COST) if self.method == "Theil-Sen" else 1.0
        here = cost * self.sigma / math.sqrt(self.independent)
        return here, cost * self.sigma / math.sqrt(self.spread * self.independent / self.count)

    def _quantile(self, normal: float) -> float:
        return student(normal, max(self.independent - 2, 3.0))


def student(normal: float, freedom: float) -> float:
    """The quantile of Student's t that belongs to one of the normal distribution (Abramowitz and Stegun 26.7.5)."""
    z, n = normal, freedom
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / n + second / n**2 + third / n**3


def fit(points: Points) -> Line | None:
    """Least squares, or Theil-Sen where the two disagree. None without three moments."""
    found = least_squares(points)
    if found is None:
        return None
    robust = theil_sen(points)
    if robust is None or not found.sigma:
        return found
    apart = abs(found.slope - robust.slope) * found.span
    return robust if apart > found.sigma or robust.sigma < 0.6 * found.sigma else found


def least_squares(points: Points) -> Line | None:
    """None without three moments."""
    if len(points) < 3:
        return None
    count = len(points)
    middle = math.fsum(at for at, _ in points) / count
    height = math.fsum(value for _, value in points) / count
    spread = math.fsum((at - middle) ** 2 for at, _ in points)
    if not spread:
        return None
    slope = math.fsum((at - middle) * (value - height) for at, value in points) / spread
    left = [value - height - slope * (at - middle) for at, value in points]
    noise = math.sqrt(math.fsum(item * item for item in left) / count)
    return _line(points, left, slope=slope, middle=middle, height=height, noise=noise, spread=spread)


def theil_sen(points: Points) -> Line | None:
    """The line of the median slope. None without three moments."""
    few = thinned(points, _MOST_PAIRED)
    slopes = [
        (value - before) / (at - then)
        for number, (at, value) in enumerate(few)
        for then, before in few[:number]
        if at > then
    ]
    if len(few) < 3 or not slopes:
        return None
    slope = median(slopes)
    middle = math.fsum(at for at, _ in points) / len(points)
    height = median([value - slope * (at - middle) for at, value in points])
    spread = math.fsum((at - middle) ** 2 for at, _ in points)
    left = [value - height - slope * (at - middle) for at, value in points]
    noise = _TO_SIGMA * median([abs(item) for item in left])
    tamed = [max(-3 * noise, min(3 * noise, item)) for item in left]
    found = _line(points, tamed, slope=slope, middle=middle, height=height, noise=noise, spread=spread)
    return replace(found, method="Theil-Sen")


def _line(
    points: Points, left: list[float], *, slope: float, middle: float, height: float, noise: float, spread: float
) -> Line:
    """With `left`, the residuals, in order of time; `noise` is their root mean square or a robust likeness of it."""
    count = len(points)
    largest = max(abs(value) for _, value in points)
    if noise <= EXACT * largest:
        noise, independent = 0.0, float(count)
    else:
        independent = effective(left)
    sigma = noise * math.sqrt(independent / (independent - 2)) if independent > 2 else noise
    return Line(slope, middle, height, sigma, spread, count, independent, points[0][0], points[-1][0])


def effective(residuals: Sequence[float]) -> float:
    """How many independent samples the residuals of a line are worth, between 1 and their number."""
    count = len(residuals)
    total = math.fsum(item * item for item in residuals)
    if not total:
        return float(count)
    alike = math.fsum(a * b for a, b in pairwise(residuals)) / total
    unbiased = alike + (2 + 4 * alike) / count
    likeness = min(max(unbiased, 0.0), 0.999)
    return max(1.0, count * (1 - likeness) / (1 + likeness))


def median(values: Sequence[float]) -> float:
    """Of at least one."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def thinned(points: Points, most: int) -> list[tuple[float, float]]:
    """At most `most` of them, evenly chosen, the last among them."""
    if len(points) <= most:
        return list(points)
    step = (len(points) - 1) / (most - 1)
    return [points[round(number * step)] for number in range(most)]


def spaced(points: Points, most: int) -> list[tuple[float, float]]:
    """The means of at most `most` equal stretches of time: sources that answer more densely about the recent past
    would otherwise count it more. What is as thin already stays as it is.
    """
    if len(points) <= most:
        return list(points)
    start, width = points[0][0], (points[-1][0] - points[0][0]) / most
    found: list[tuple[float, float]] = []
    part: list[tuple[float, float]] = []
    end = start + width
    for point in points:
        if point[0] > end and part:
            found.append(_mean(part))
            part = []
            end = start + width * (math.floor((point[0] - start) / width) + 1)
        part.append(point)
    return [*found, _mean(part)]


def _mean(part: Points) -> tuple[float, float]:
    return math.fsum(at for at, _ in part) / len(part), math.fsum(value for _, value in part) / len(part)
