"""Jobs that do not get on: without a pod, or far longer at work than those before them."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from kubesteward_tools.anomalies.anomaly import Anomaly, scored
from kubesteward_tools.anomalies.view import View
from kubesteward_tools.diagnosis.reading import at, mapping, seconds, text
from kubesteward_tools.text.ages import ago
from kubesteward_tools.world.store import Key, Object

_PATIENCE = 300.0
_FEWEST = 3
"""Finished siblings, which is as many as a CronJob keeps by itself."""
_TIMES = 3.0
_LONG = 600.0
"""Seconds below which nobody minds."""


def find(view: View) -> Iterator[Anomaly]:
    running = [key for key, note in view.notes("jobs.batch") if note.word == "Running" and not note.alarm]
    for key in running:
        job = view.get(key)
        if at(job, "spec").get("suspend") is not True:
            yield from _idle(view, key, job) or _slow(view, key, job)


def _idle(view: View, key: Key, job: Object) -> list[Anomaly]:
    """None of its pods is there, nor was one refused a moment ago that will be tried again soon."""
    status = mapping(job.get("status"))
    began = seconds(status.get("startTime")) or seconds(view.created(key)) or view.now
    if status.get("active") or status.get("failed") or status.get("succeeded") or began + _PATIENCE > view.now:
        return []
    told = [item for item in view.scene.warnings.get(key, ()) if item.last >= view.since]
    why = f"{told[0].reason}: {told[0].message}" if told else "nothing says why; does the Job controller run?"
    late = view.now - began
    sentence = f"has no pod {ago(late)} after its beginning: {why}"
    numbers = {"seconds": round(late)}
    return [Anomaly("stuck.job", "warning", key, sentence, scored(late / _PATIENCE, 90.0), numbers, began)]


def _slow(view: View, key: Key, job: Object) -> list[Anomaly]:
    facts = view.store.facts(key)
    began = seconds(mapping(job.get("status")).get("startTime"))
    if facts is None or not facts.owners or began is None:
        return []
    took = [time for other in view.store.owned_by(facts.owners[0]) if (time := _took(view, other)) is not None]
    now = view.now - began
    if len(took) < _FEWEST or now < _LONG or now < _TIMES * max(took):
        return []
    usual = statistics.median(took)
    cron = view.owner(key)
    sentence = (
        f"Job {key.name} runs for {ago(now)}, the {len(took)} before it took {ago(usual)} in the middle and "
        f"{ago(max(took))} at most{_blocking(view, cron)}"
    )
    numbers = {"seconds": round(now), "median": round(usual), "longest": round(max(took)), "siblings": len(took)}
    score = scored(now / (_TIMES * max(took) or 1.0), 80.0)
    return [Anomaly("stuck.job_slow", "warning", cron, sentence, score, numbers, began, (key,))]


def _took(view: View, key: Key) -> float | None:
    status = mapping(view.get(key).get("status")) if key.resource == "jobs.batch" else {}
    began, ended = seconds(status.get("startTime")), seconds(status.get("completionTime"))
    return ended - began if began is not None and ended is not None else None


def _blocking(view: View, cron: Key) -> str:
    blocked = text(at(view.get(cron), "spec").get("concurrencyPolicy")) == "Forbid"
    return "; no other one starts meanwhile (concurrencyPolicy Forbid)" if blocked else ""
