"""Autoscalers that scale up and down again and again: the target is missed either way, and pods come and go."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.anomalies.anomaly import Anomaly, scored
from kubesteward_tools.anomalies.happened import within
from kubesteward_tools.anomalies.steps import reversals, steps
from kubesteward_tools.anomalies.view import View
from kubesteward_tools.diagnosis.reading import at, mapping, text
from kubesteward_tools.text.ages import ago
from kubesteward_tools.world.store import Key, Object

_REVERSALS = 3
"""An hour: up, down, up and down again."""
_SCALERS = "horizontalpodautoscalers.autoscaling"


def find(view: View) -> Iterator[Anomaly]:
    found = {key: _reversals(view, key) for key, _ in view.notes(_SCALERS)} if _any(view) else {}
    for key, each in steps(view, lambda key: key.resource == _SCALERS and view.covers(key), 2):
        wanted = [_wanted(each[0].before), *(_wanted(step.after) for step in each)]
        turns = reversals([value for value in wanted if value is not None])
        found[key] = max(found.get(key, 0), turns)
    least = view.threshold(_REVERSALS)
    for key, turns in sorted(found.items()):
        if turns >= least:
            yield _anomaly(view, key, turns, least)


def _any(view: View) -> bool:
    return any(event.reason == "SuccessfulRescale" for event in view.normal)


def _reversals(view: View, key: Key) -> int:
    """From its events, which are counted by their texts: after each up comes a down, or there is no room left."""
    up = down = 0
    for event in view.normal:
        if event.about == key and event.reason == "SuccessfulRescale":
            if "above target" in event.message:
                up += within(event, view.since)
            elif "below target" in event.message:
                down += within(event, view.since)
    return max(0, 2 * min(up, down) - 1)


def _wanted(scaler: Object) -> float | None:
    found = mapping(scaler.get("status")).get("desiredReplicas")
    return float(found) if isinstance(found, int) else None


def _anomaly(view: View, key: Key, turns: int, least: int) -> Anomaly:
    spec = at(view.get(key), "spec")
    target = mapping(spec.get("scaleTargetRef"))
    window = at(spec, "behavior", "scaleDown").get("stabilizationWindowSeconds", 300)
    sentence = (
        f"scales {text(target.get('kind'))} {text(target.get('name'))} up and down again and again: {turns} turns "
        f"within {ago(view.window)} (scaleDown stabilization {window}s): a longer one, or a target with more room, "
        "steadies it"
    )
    numbers = {"turns": turns, "threshold": least}
    return Anomaly("scaling.flapping", "warning", key, sentence, scored(turns / least), numbers)
