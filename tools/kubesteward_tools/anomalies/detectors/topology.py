"""Weak spots in how things hang together: what will hurt though nothing fails yet. See `analytics.shapes`."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.analytics.shape import Severity, Shape
from kubesteward_tools.analytics.shapes import shapes
from kubesteward_tools.anomalies.anomaly import Anomaly
from kubesteward_tools.anomalies.view import View
from kubesteward_tools.diagnosis import routing
from kubesteward_tools.diagnosis.reading import amount, at, kind_of, listed, named
from kubesteward_tools.world.store import Key

_PRESSING = ("topology.connections", "topology.hot_cpu", "topology.hot_memory", "topology.lone_endpoint")
"""What is nearly used up at this moment. The others may be meant so, and stay that way for years."""
_SCORES = {Severity.HIGH: 48.0, Severity.MEDIUM: 44.0, Severity.LOW: 40.0}


_NEEDED = ("services", "poddisruptionbudgets.policy", "nodes", "configmaps")


def find(view: View) -> Iterator[Anomaly]:
    unseen = [kind_of(item) for item in _NEEDED if not view.scene.sees(item, view.subject.namespace)]
    if unseen:
        view.cannot(f"weak spots of the topology, in full: {listed(unseen)} objects are not seen")
    for shape in shapes(view.scene, _shares(view), view.subject.namespace):
        if _covers(view, shape.key):
            pressing = shape.code in _PRESSING and shape.severity.rank >= Severity.MEDIUM.rank
            sentence = shape.sentence.removeprefix(named(shape.key)).lstrip(": ")
            score = _SCORES.get(shape.severity, 40.0)
            yield Anomaly(shape.code, "warning" if pressing else "info", shape.key, sentence, score, _numbers(shape))


def _numbers(shape: Shape) -> dict[str, float | int | str]:
    return dict(shape.numbers)


def _shares(view: View) -> dict[str, dict[str, float]]:
    """By node, what it uses of what is allocatable; no node that was not measured is read."""
    found: dict[str, dict[str, float]] = {}
    for metric, used in view.use.items():
        for key, value in used.items():
            most = amount(at(view.get(key), "status", "allocatable").get(metric)) if key.resource == "nodes" else 0.0
            if most:
                found.setdefault(key.name, {})[metric] = value / most
    return found


def _covers(view: View, key: Key) -> bool:
    """Also the Service in front of what is asked about, and the workloads behind a Service that is."""
    start = view.subject.start
    if start is None or view.covers(key):
        return view.covers(key)
    if key.resource == "services":
        return any(item in view.subject.own for item in routing.workloads_behind(view.scene, key))
    return start.resource == "services" and key in routing.workloads_behind(view.scene, start)
