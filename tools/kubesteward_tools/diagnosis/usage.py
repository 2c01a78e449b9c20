"""What was measured of pods and nodes when a diagnosis began, as far as anybody measures: evidence, never a must."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from kubesteward_tools.lookup.metering import most
from kubesteward_tools.world.metrics.samples import Points
from kubesteward_tools.world.metrics.summary import Summary, summary
from kubesteward_tools.world.store import Key, Object

Metric = Literal["cpu", "memory", "disk"]

FULL = 0.9
"""From this share on something is as good as used up."""


@dataclass(frozen=True, slots=True)
class Use:
    """`used` of `limit` (cores or bytes; 0 where there is none); `course` where more than one moment is known."""

    used: float
    limit: float
    course: Summary | None

    @property
    def share(self) -> float:
        """Of the limit, the mean of the last moments where they are known; 0 where there is no limit."""
        return (self.course.mean if self.course else self.used) / self.limit if self.limit else 0.0


@dataclass(frozen=True, slots=True)
class Usage:
    """`points` by metric and object, `throttled` the share (0..1) of its periods in which a pod had to wait for CPU.

    `source` names who measured, "" where nobody did; `unread` says why something is missing.
    """

    points: Mapping[tuple[Metric, Key], Points] = field(default_factory=dict)
    throttled: Mapping[Key, float] = field(default_factory=dict)
    source: str = ""
    unread: tuple[str, ...] = ()

    def latest(self, metric: Metric, key: Key) -> float | None:
        """Cores or bytes; None where it was not measured."""
        found = self.points.get((metric, key))
        return found[-1][1] if found else None

    def of(self, metric: Metric, key: Key, obj: Object) -> Use | None:
        """Against the sum of a pod's limits (not of its requests) or what a node has to give."""
        found = self.points.get((metric, key))
        if not found:
            return None
        try:
            limit, word = most(key.resource, obj, metric)
        except (ValueError, TypeError, AttributeError):
            limit, word = 0.0, ""
        return Use(found[-1][1], 0.0 if word == "requests" else limit, summary(found) if len(found) > 2 else None)

    def measured(self, metric: Metric, resource: str) -> list[Key]:
        """The objects of a resource that have a value, sorted."""
        return sorted(key for what, key in self.points if what == metric and key.resource == resource)


def cores(value: float) -> str:
    return f"{value * 1000:.0f}m"


def mebibytes(value: float) -> str:
    return f"{value / 2**20:.0f}Mi"
