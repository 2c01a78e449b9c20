"""What is ready, and not ready, and ready again: pods, nodes, and whatever else has such a state."""

from __future__ import annotations

import math
from collections.abc import Iterator

from kubesteward_tools.anomalies.anomaly import Anomaly, scored
from kubesteward_tools.anomalies.happened import within
from kubesteward_tools.anomalies.steps import Step, losses, steps
from kubesteward_tools.anomalies.view import View
from kubesteward_tools.diagnosis.reading import at, mappings, seconds
from kubesteward_tools.lookup import notes
from kubesteward_tools.overlay.score import Severity
from kubesteward_tools.text.ages import ago
from kubesteward_tools.world.store import Key

_LOSSES = 3
"""An hour."""
_NODE_LOSSES = 2
_FAILURES = 10
"""Of readiness probes an hour, of a pod that is ready all the same."""
_STARTING = 300.0
"""Seconds in which probes fail because the container has only just begun."""
_ROLLED = frozenset(
    {"deployments.apps", "replicasets.apps", "statefulsets.apps", "daemonsets.apps", "jobs.batch",
     "poddisruptionbudgets.policy", "namespaces", "persistentvolumeclaims"}
)  # fmt: skip
"""What is not ready during every rollout; the pods tell of them."""


def find(view: View) -> Iterator[Anomaly]:
    if view.watched > view.since:
        view.cannot(f"states that come and go: {_watched(view)}")
    found = {**_told(view), **_seen(view)}
    yield from _pods(view, found)
    for key, times in sorted(found.items()):
        least = view.threshold(_NODE_LOSSES if key.resource == "nodes" else _LOSSES)
        if key.resource != "pods" and len(times) >= least:
            yield _anomaly(view, key, times, least, ())
    yield from _probes(view, set(found))


def _watched(view: View) -> str:
    if math.isinf(view.watched):
        return "only events and statuses tell of them in a bundle"
    return f"watched for {ago(view.now - view.watched)} of {ago(view.window)}; before, only events and statuses tell"


def _seen(view: View) -> dict[Key, list[float]]:
    """By object, when it ceased to be ready, as the history shows it."""
    found = {}
    for key, each in steps(view, lambda key: key.resource not in _ROLLED and view.covers(key), 2 * _NODE_LOSSES):
        times = losses(_states(key, each))
        if times:
            found[key] = times
    return found


def _states(key: Key, each: list[Step]) -> list[tuple[float, bool | None]]:
    """What is being deleted is not ready and does not flap."""
    first = (each[0].at, notes.note(key, each[0].before).ready)
    living = (step for step in each if not at(step.after, "metadata").get("deletionTimestamp"))
    return [first, *((step.at, notes.note(key, step.after).ready) for step in living)]


def _told(view: View) -> dict[Key, list[float]]:
    """The same of nodes, as events tell it."""
    found: dict[Key, list[float]] = {}
    for event in (*view.normal, *view.warned):
        if event.reason == "NodeNotReady" and event.about.resource == "nodes":
            found.setdefault(event.about, []).extend([event.last] * within(event, view.since))
    return found


def _pods(view: View, found: dict[Key, list[float]]) -> Iterator[Anomaly]:
    workloads: dict[Key, list[Key]] = {}
    least = view.threshold(_LOSSES)
    for key, times in sorted(found.items()):
        if key.resource == "pods" and len(times) >= least:
            workloads.setdefault(view.owner(key), []).append(key)
    for workload, pods in sorted(workloads.items()):
        times = sorted(time for pod in pods for time in found[pod])
        yield _anomaly(view, workload, times, least * len(pods), tuple(pods))


def _anomaly(view: View, key: Key, times: list[float], least: int, pods: tuple[Key, ...]) -> Anomaly:
    where = f" in {len(pods)} of its pods ({pods[0].name})" if pods else ""
    sentence = (
        f"comes and goes: {len(times)} times not ready any more within {ago(view.window)}{where}, "
        f"the last time {ago(view.now - times[-1])} ago"
    )
    numbers = {"losses": len(times), "threshold": least, "pods": len(pods)}
    severity: Severity = "critical" if key.resource == "nodes" else "warning"
    return Anomaly("flapping.ready", severity, key, sentence, scored(len(times) / least), numbers, times[0], pods)


def _probes(view: View, known: set[Key]) -> Iterator[Anomaly]:
    """Probes that fail too seldom in a row to take the pod out, or whose losses nobody watched."""
    least, found = view.threshold(_FAILURES), dict[Key, list[tuple[Key, int, float, str]]]()
    for event in view.warned:
        if event.reason == "Unhealthy" and event.about.resource == "pods" and event.about not in known:
            count = within(event, view.since)
            if count >= least and _is_running(view, event.about, event.last):
                found.setdefault(view.owner(event.about), []).append((event.about, count, event.last, event.message))
    for workload, items in sorted(found.items()):
        pods = tuple(dict.fromkeys(pod for pod, *_ in items))
        count, last = sum(item[1] for item in items), max(item[2] for item in items)
        sentence = (
            f"probes of {len(pods)} pods that run fail again and again: {count} times within {ago(view.window)}, "
            f"last {ago(view.now - last)} ago: {items[0][3]}"
        )
        numbers = {"failures": count, "threshold": least, "pods": len(pods)}
        score = scored(count / least / len(pods), 80.0)
        yield Anomaly("flapping.probe", "warning", workload, sentence, score, numbers, None, pods)


def _is_running(view: View, pod: Key, last: float) -> bool:
    """Whether its containers were past their beginning when a probe failed."""
    statuses = mappings(at(view.get(pod), "status").get("containerStatuses"))
    begun = [seconds(at(item, "state", "running").get("startedAt")) for item in statuses]
    return bool(begun) and all(time is not None and time + _STARTING < last for time in begun)
