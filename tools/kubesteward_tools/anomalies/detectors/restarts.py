"""Containers that end and are started again too often."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kubesteward_tools.anomalies.anomaly import Anomaly, scored
from kubesteward_tools.anomalies.steps import steps
from kubesteward_tools.anomalies.view import View
from kubesteward_tools.diagnosis.reading import at, count, seconds, text
from kubesteward_tools.lookup import states
from kubesteward_tools.text.ages import ago
from kubesteward_tools.world.store import Key, Object

_TOO_MANY = 3
"""An hour."""
_FEW = 20
"""Pods of which one may restart once: what happens to three of hundreds within an hour is no habit of theirs."""
_READ = 1500
"""Pods with restarts that are read for one answer."""


@dataclass(frozen=True, slots=True)
class _Crashing:
    """A pod whose containers were started again `times` times or more within the window."""

    pod: Key
    times: int
    last: float
    ending: str
    waits: bool


def find(view: View) -> Iterator[Anomaly]:
    seen = _seen(view)
    left = _READ
    for workload, families in sorted(view.families.items()):
        restarted = [pod for family in families for pod in family if pod.note.restarts]
        found = [item for pod in restarted[:left] for item in _crashing(view, pod.key, seen.get(pod.key, 0))]
        left -= min(left, len(restarted))
        often = max((item.times for item in found), default=0) > 1 or len(found) * _FEW >= sum(map(len, families))
        if often and sum(item.times for item in found) >= view.threshold(_TOO_MANY):
            yield _anomaly(view, workload, found)
    if not left:
        view.cannot(f"restarts: more than {_READ} pods have restarted, the others were not read")


def _seen(view: View) -> dict[Key, int]:
    """Restarts by pod as far as they were watched."""
    found = {}
    for key, each in steps(view, lambda key: key.resource == "pods" and view.covers(key), 2):
        found[key] = max(0, states.restarts(each[-1].after) - states.restarts(each[0].before))
    return found


def _crashing(view: View, key: Key, watched: int) -> Iterator[_Crashing]:
    """Of a pod older than the window its status tells the last end alone; while it waits for the next start, more."""
    pod = view.get(key)
    statuses = states.containers(pod)
    ends = {_ended(item): item for item in statuses if item.get("restartCount")}
    last = max(ends, default=0.0)
    if last < view.since:
        return
    waits = any(at(item, "state", "waiting").get("reason") == "CrashLoopBackOff" for item in statuses)
    total = states.restarts(pod)
    born = seconds(view.created(key)) or view.now
    sure = total if born >= view.since else max(watched, 1)
    often = min(total, int(view.window / _period(ends[last]))) if waits else 0
    yield _Crashing(key, max(sure, often), last, _ending(ends[last]), waits)


def _ended(status: Object) -> float:
    return seconds(at(status, "lastState", "terminated").get("finishedAt")) or 0.0


def _period(status: Object) -> float:
    """Between two starts at the most: the last run and the longest back-off."""
    end = at(status, "lastState", "terminated")
    began, ended = seconds(end.get("startedAt")), seconds(end.get("finishedAt"))
    return 300.0 + (max(0.0, ended - began) if began is not None and ended is not None else 0.0)


def _ending(status: Object) -> str:
    end = at(status, "lastState", "terminated")
    return f"{text(status.get('name'))}: {text(end.get('reason')) or 'ended'}, exit {end.get('exitCode')}"


def _anomaly(view: View, workload: Key, found: list[_Crashing]) -> Anomaly:
    times, newest = sum(item.times for item in found), max(found, key=lambda item: (item.last, item.pod))
    waits = any(item.waits for item in found)
    least = view.threshold(_TOO_MANY)
    sentence = (
        f"its containers restarted at least {times} times within {ago(view.window)} in {count(len(found), 'pod')} "
        f"({newest.ending}), last {ago(view.now - newest.last)} ago{', and wait for the next start' if waits else ''}"
    )
    numbers = {"restarts": times, "threshold": least, "pods": len(found)}
    pods = tuple(item.pod for item in found)
    return Anomaly(
        "restarts.often", "critical" if waits else "warning", workload, sentence, scored(times / least), numbers,
        None, pods,
    )  # fmt: skip
