"""The correlation of one scene: what failed in the window, what explains several failures, and what stays alone."""

from __future__ import annotations

from dataclasses import dataclass

from kubesteward_tools.correlation.cover import Cover, Incident
from kubesteward_tools.correlation.failures import Failure, Looked, failures
from kubesteward_tools.diagnosis.scene import Scene

LONGEST = 6 * 3600.0
"""Seconds of the longest window: older events are not looked at."""


@dataclass(frozen=True)
class Correlation:
    """`alone` are the failures that nothing explains together with others. `looked` says what was looked at."""

    incidents: tuple[Incident, ...]
    alone: tuple[Failure, ...]
    looked: Looked

    @property
    def failures(self) -> list[Failure]:
        return [*(one for incident in self.incidents for one in incident.failures), *self.alone]

    @property
    def failing(self) -> int:
        """How many objects fail."""
        return sum(one.count for one in self.failures)


def correlate(scene: Scene, window: float, namespace: str = "") -> Correlation:
    """`window` in seconds until the scene's now; `namespace` "" for all. Nodes and other shared things always count."""
    found, looked = failures(scene, window, namespace)
    if not found:
        return Correlation((), (), looked)
    incidents, alone = Cover(scene, found).incidents()
    return Correlation(tuple(incidents), tuple(alone), looked)
