"""One thing that may run out: whose it is, how much of it there is, and how it was used up to now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from kubesteward_tools.analytics.lines import Crossing
from kubesteward_tools.analytics.trend import Trend
from kubesteward_tools.lookup.shown import sentence
from kubesteward_tools.world.metrics.samples import Points

Metric = Literal["cpu", "memory", "disk", "pods", "quota", "certificates"]
METRICS: tuple[Metric, ...] = get_args(Metric)
UNITS: dict[Metric, str] = {
    "cpu": "cores",
    "memory": "bytes",
    "disk": "bytes",
    "pods": "pods",
    "quota": "units",
    "certificates": "days",
}
SOON = 86400.0
"""Seconds to exhaustion below which a forecast is a warning."""


@dataclass(frozen=True, slots=True)
class Subject:
    """`part` is the container, the quota's resource or the Secret's key. `limit` is None where there is none; `word`
    says what it is (limit, allocatable, capacity, hard). `owner` is the workload that many such belong to."""

    metric: Metric
    kind: str
    namespace: str
    name: str
    part: str = ""
    limit: float | None = None
    word: str = ""
    owner: str = ""
    points: Points = field(default_factory=list)
    source: str = ""

    @property
    def label(self) -> str:
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {where}{self.name}{f' {self.part}' if self.part else ''}"


@dataclass(frozen=True, slots=True)
class Forecast:
    """`end` is the last sample's moment, from which on the crossing is counted. `siblings` are as badly off or less."""

    subject: Subject
    trend: Trend
    end: float
    siblings: int = 0

    @property
    def left(self) -> float | None:
        """Seconds until it is used up; 0.0 when it is, None when nothing says that it will be."""
        if self.trend.verdict == "full":
            return 0.0
        crossing = self.trend.crossing
        return None if crossing is None else max(crossing.at - self.end, 0.0)

    @property
    def severity(self) -> Literal["warning", "notice", "info"]:
        left = self.left
        if left is not None and self.trend.verdict in {"full", "exhausting"}:
            return "warning" if left < SOON else "notice"
        return "info"

    def between(self) -> tuple[float, float] | None:
        """The 95 % interval of `left`."""
        crossing: Crossing | None = self.trend.crossing
        if crossing is None:
            return None
        return max(crossing.soonest - self.end, 0.0), max(crossing.latest - self.end, 0.0)

    def data(self) -> dict[str, Any]:
        subject, trend, between = self.subject, self.trend, self.between()
        return {
            "object": {"kind": subject.kind, "namespace": subject.namespace, "name": subject.name},
            "part": sentence(subject.part),
            "owner": sentence(subject.owner),
            "metric": subject.metric,
            "unit": "days" if subject.metric == "certificates" else UNITS[subject.metric],
            "severity": self.severity,
            "verdict": trend.verdict,
            "now": _short(trend.value),
            "limit": None if subject.limit is None else _short(subject.limit),
            "of": subject.word,
            "per_hour": None if trend.slope is None else _short(trend.slope),
            "seconds_left": None if self.left is None else round(self.left),
            "interval": None
            if between is None
            else {"level": 0.95, "from": round(between[0]), "to": round(between[1])},
            "method": trend.line.method if trend.line else None,
            "samples": trend.points,
            "span_seconds": round(trend.span),
            "independent_samples": round(trend.line.independent) if trend.line else None,
            "source": subject.source,
            "notes": [sentence(note) for note in trend.notes],
            "siblings": self.siblings,
        }


def _short(value: float) -> float:
    return float(f"{value:.6g}")


@dataclass(slots=True)
class Gathered:
    """`looked` says what was looked at and how long it is known, `missing` what was not and what to do about it.

    `quiet` is how many courses were long enough to be judged and did not need a second look.
    """

    subjects: list[Subject] = field(default_factory=list)
    forecasts: list[Forecast] = field(default_factory=list)
    looked: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    quiet: int = 0

    def add(self, other: Gathered) -> None:
        self.subjects += other.subjects
        self.forecasts += other.forecasts
        self.looked += other.looked
        self.missing += other.missing
        self.quiet += other.quiet


_RANK = {"full": 0, "exhausting": 0, "growing": 1, "recurring": 2, "steady": 3, "falling": 4, "unknown": 5}


def ranked(found: Iterable[Forecast]) -> list[Forecast]:
    """What is used up soonest first."""

    def rank(item: Forecast) -> tuple[Any, ...]:
        left = item.left
        return _RANK[item.trend.verdict], left is None, left or 0.0, item.subject.metric, item.subject.label

    return sorted(found, key=rank)
