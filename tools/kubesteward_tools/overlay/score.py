"""From signs of trouble to a figure between 0 and 100. Pure: the same signs always give the same score.

A score starts at 100. The signs of one code take away its cost, weighed by their share (which part of the pods is
missing, say): the worst of them all of it, the next half of it, the next a quarter, so that many alike troubles do not
hide another one. Nothing is taken below 0. What each code took stands with its anomaly as `points`, and the points of
all anomalies are exactly what the score lacks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

FULL = 100

Severity = Literal["critical", "warning", "info"]
_RANKS: Mapping[Severity, int] = {"critical": 0, "warning": 1, "info": 2}


class Cost(NamedTuple):
    """Points that the worst sign of a code takes from one object's score, and from that of a cluster or namespace."""

    severity: Severity
    of_object: int
    of_many: int
    meaning: str


COSTS: Mapping[str, Cost] = {
    "unavailable": Cost("critical", 50, 15, "nothing of it is ready although something should be"),
    "node_not_ready": Cost("critical", 25, 20, "a node is not ready"),
    "crashing": Cost("critical", 25, 10, "containers end and are started again"),
    "not_starting": Cost("critical", 25, 8, "containers cannot be started: image, configuration"),
    "unschedulable": Cost("critical", 20, 6, "pods fit on no node"),
    "degraded": Cost("warning", 30, 6, "a part of the pods is not ready; weighed by that part"),
    "stalled": Cost("warning", 15, 4, "a rollout does not get on"),
    "missing": Cost("warning", 15, 3, "what it needs is not there; neither optional nor a guess"),
    "failed": Cost("warning", 10, 2, "a Job or a pod has failed for good"),
    "claim": Cost("warning", 10, 3, "a PersistentVolumeClaim has no volume"),
    "node_pressure": Cost("warning", 10, 5, "a node runs out of memory, disk or process ids"),
    "restarts": Cost("warning", 10, 3, "containers that run now failed and restarted within the last hour"),
    "not_ready": Cost("warning", 10, 3, "pods run and are not ready, or wait for more than a minute"),
    "budget": Cost("warning", 10, 3, "fewer pods are healthy than a PodDisruptionBudget wants"),
    "quota": Cost("warning", 5, 2, "a ResourceQuota is used up to nine tenths or more"),
    "warnings": Cost("info", 3, 1, "Warning events within the last hour, not of pods told above"),
    "changed": Cost("info", 3, 1, "a rollout, scaling, new configuration or deletion within the last 30 minutes"),
    "tight_budget": Cost("info", 2, 0, "a PodDisruptionBudget allows no eviction"),
    "cordoned": Cost("info", 2, 1, "a node takes no new pods"),
}
"""Every code, and what it costs."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that is wrong with one object ("Deployment/shop/web"). `share` is above 0 and at most 1."""

    code: str
    object: str
    detail: str = ""
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Anomaly:
    """All signs of one code: the worst of them, what they cost together, and which objects have it too."""

    code: str
    severity: Severity
    object: str
    detail: str
    points: int
    count: int
    also: tuple[str, ...] = ()

    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "code": self.code,
            "severity": self.severity,
            "points": self.points,
            "object": self.object,
            "detail": self.detail,
        }
        return found | ({"count": self.count, "also": list(self.also)} if self.count > 1 else {})


def score(signs: Iterable[Sign], *, many: bool) -> tuple[int, list[Anomaly]]:
    """The score and its reasons, the worst first. `many`: the signs are of a cluster or a namespace, where those that
    cost nothing are left out.

    Raises:
        KeyError: a sign has a code that is not in `COSTS`.
    """
    groups: dict[str, set[Sign]] = {}
    for sign in signs:
        if _cost(sign.code, many=many):
            groups.setdefault(sign.code, set()).add(sign)
    weighed = [_weighed(code, group, many=many) for code, group in groups.items()]
    left, found = FULL, list[Anomaly]()
    for anomaly in sorted(weighed, key=lambda item: (_RANKS[item.severity], -item.points, item.code)):
        points = min(left, anomaly.points)
        left -= points
        found.append(replace(anomaly, points=points))
    return left, found


def _cost(code: str, *, many: bool) -> int:
    return COSTS[code].of_many if many else COSTS[code].of_object


def _weighed(code: str, group: set[Sign], *, many: bool) -> Anomaly:
    full = _cost(code, many=many)
    signs = sorted(group, key=lambda sign: (-sign.share, sign.object, sign.detail))
    points = sum(_part(full, sign.share) >> place for place, sign in enumerate(signs[: full.bit_length()]))
    others = tuple(dict.fromkeys(sign.object for sign in signs if sign.object != signs[0].object))
    return Anomaly(code, COSTS[code].severity, signs[0].object, signs[0].detail, points, len(signs), others)


def _part(full: int, share: float) -> int:
    """At least one point where the code costs anything: what is wrong never costs nothing."""
    return min(full, max(1, round(full * share)))
