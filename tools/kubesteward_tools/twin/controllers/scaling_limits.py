"""How fast an autoscaler may go: recommendations that linger, and what may be added or taken away in a period.

API doc: autoscaling/v2 HorizontalPodAutoscalerBehavior; KEP-853.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

from kubesteward_tools.twin.controllers.scaling_metrics import TOLERANCE, Tolerances
from kubesteward_tools.twin.quantity import parse

_DOWN_WINDOW = 300
_POLICY_PERIOD = 15
_UP: dict[str, Any] = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": _POLICY_PERIOD},
        {"type": "Percent", "value": 100, "periodSeconds": _POLICY_PERIOD},
    ],
}
_DOWN: dict[str, Any] = {
    "stabilizationWindowSeconds": _DOWN_WINDOW,
    "selectPolicy": "Max",
    "policies": [{"type": "Percent", "value": 100, "periodSeconds": _POLICY_PERIOD}],
}
_HIGHER = "recent recommendations were higher than current one, applying the highest recent recommendation"
_LOWER = "recent recommendations were lower than current one, applying the lowest recent recommendation"
_IN_RANGE = "the desired count is within the acceptable range"


class Word(NamedTuple):
    """A condition's status, reason and message."""

    value: bool
    reason: str
    message: str


READY = Word(True, "ReadyForNewScale", "recommended size matches current size")


@dataclass(slots=True)
class History:
    """What an autoscaler remembers: (epoch seconds, replicas) recommended, and (epoch seconds, pods) it changed by."""

    recommended: list[tuple[float, int]] = field(default_factory=list)
    changes: list[tuple[float, int]] = field(default_factory=list)

    def changed_since(self, moment: float) -> int:
        return sum(pods for when, pods in self.changes if when > moment)

    def forget(self, before: float) -> None:
        self.recommended = [item for item in self.recommended if item[0] >= before]
        self.changes = [item for item in self.changes if item[0] >= before]


def rules(spec: dict[str, Any], direction: str) -> dict[str, Any]:
    """The scaling rules of "scaleUp" or "scaleDown", with what is set by default."""
    default = _UP if direction == "scaleUp" else _DOWN
    own = (spec.get("behavior") or {}).get(direction) or {}
    return {**default, **{name: value for name, value in own.items() if value is not None}}


def tolerances(spec: dict[str, Any]) -> Tolerances:
    down, up = (rules(spec, direction).get("tolerance") for direction in ("scaleDown", "scaleUp"))
    return Tolerances(*(parse(value) if value is not None else TOLERANCE for value in (down, up)))


def stabilized(spec: dict[str, Any], history: History, wanted: int, current: int, now: float) -> tuple[int, Word]:
    """The lowest recommendation of the window on the way up, the highest on the way down."""
    direction = "scaleUp" if wanted >= current else "scaleDown"
    window = rules(spec, direction)["stabilizationWindowSeconds"]
    recent = [replicas for when, replicas in history.recommended if when > now - window]
    history.recommended.append((now, wanted))
    found = min([wanted, *recent]) if direction == "scaleUp" else max([wanted, *recent])
    if found == wanted:
        return found, READY
    if direction == "scaleUp":
        return found, Word(True, "ScaleUpStabilized", _LOWER)
    return found, Word(True, "ScaleDownStabilized", _HIGHER)


def limited(spec: dict[str, Any], history: History, wanted: int, current: int, now: float) -> tuple[int, Word]:
    """What of `wanted` may be had now, and by what it is limited."""
    least, most = spec.get("minReplicas", 1), spec["maxReplicas"]
    up = _up_limit(spec, history, current, now)
    down = _down_limit(spec, history, current, now)
    if wanted > min(most, up) and wanted > current:
        if up < most:
            why = "the desired replica count is increasing faster than the maximum scale rate"
            return up, Word(True, "ScaleUpLimit", why)
        return most, Word(True, "TooManyReplicas", "the desired replica count is more than the maximum replica count")
    if wanted < max(least, down):
        if down > least and wanted < current:
            why = "the desired replica count is decreasing faster than the maximum scale rate"
            return down, Word(True, "ScaleDownLimit", why)
        return least, Word(True, "TooFewReplicas", "the desired replica count is less than the minimum replica count")
    return wanted, Word(False, "DesiredWithinRange", _IN_RANGE)


def _up_limit(spec: dict[str, Any], history: History, current: int, now: float) -> int:
    if not spec.get("behavior"):
        return max(2 * current, 4)
    rule = rules(spec, "scaleUp")
    found = _allowed(rule, history, current, now, 1)
    return max(current, min(found) if rule["selectPolicy"] == "Min" else max(found))


def _down_limit(spec: dict[str, Any], history: History, current: int, now: float) -> int:
    if not spec.get("behavior"):
        return 0
    rule = rules(spec, "scaleDown")
    found = _allowed(rule, history, current, now, -1)
    return min(current, max(found) if rule["selectPolicy"] == "Min" else min(found))


def _allowed(rule: dict[str, Any], history: History, current: int, now: float, sign: int) -> list[int]:
    """How far each policy lets the replicas go; `sign` is 1 upwards, where shares are rounded up, and -1 downwards."""
    if rule["selectPolicy"] == "Disabled":
        return [current]
    rounded = math.ceil if sign > 0 else int
    found = []
    for policy in rule["policies"]:
        start, step = current - history.changed_since(now - policy["periodSeconds"]), sign * policy["value"]
        found.append(start + step if policy["type"] == "Pods" else rounded(start * (1 + Fraction(step, 100))))
    return found


def longest_memory(spec: dict[str, Any]) -> float:
    """Seconds after which nothing that happened matters any more."""
    both = [rules(spec, direction) for direction in ("scaleUp", "scaleDown")]
    periods = [policy["periodSeconds"] for rule in both for policy in rule["policies"]]
    return float(max([*periods, *(rule["stabilizationWindowSeconds"] for rule in both)]))
