"""A stretch of samples in a few numbers: least, mean, most, 95th percentile, last, and where it is going."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Summary:
    """In the unit of the samples. `slope` is per hour, None where two moments or fewer were measured."""

    points: int
    first_at: float
    last_at: float
    least: float
    mean: float
    most: float
    p95: float
    last: float
    slope: float | None

    def scaled(self, by: float) -> Summary:
        """Of the same samples, each times a positive number."""
        return replace(
            self,
            least=self.least * by,
            mean=self.mean * by,
            most=self.most * by,
            p95=self.p95 * by,
            last=self.last * by,
            slope=None if self.slope is None else self.slope * by,
        )

    def data(self) -> dict[str, Any]:
        """Six digits suffice for what a model reads."""
        names = {"min": self.least, "mean": self.mean, "max": self.most, "p95": self.p95, "last": self.last}
        found: dict[str, Any] = {name: _short(value) for name, value in names.items()}
        slope = None if self.slope is None else _short(self.slope)
        return {**found, "slope_per_hour": slope, "samples": self.points}


def summary(points: Sequence[tuple[float, float]]) -> Summary | None:
    """Of (epoch seconds, value) in order of time; None when there are none."""
    if not points:
        return None
    values = [value for _, value in points]
    return Summary(
        points=len(points),
        first_at=points[0][0],
        last_at=points[-1][0],
        least=min(values),
        mean=math.fsum(values) / len(values),
        most=max(values),
        p95=percentile(values, 0.95),
        last=values[-1],
        slope=slope(points),
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Between the two nearest ranks, which is the `inclusive` method of `statistics.quantiles`."""
    ordered = sorted(values)
    at = (len(ordered) - 1) * share
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def slope(points: Sequence[tuple[float, float]]) -> float | None:
    """Least squares, per hour. Two points make a line through any noise, so that they are too few."""
    if len(points) < 3:
        return None
    middle = math.fsum(at for at, _ in points) / len(points)
    mean = math.fsum(value for _, value in points) / len(points)
    spread = math.fsum((at - middle) ** 2 for at, _ in points)
    if not spread:
        return None
    return math.fsum((at - middle) * (value - mean) for at, value in points) / spread * _HOUR


def _short(value: float) -> float:
    return float(f"{value:.6g}")
