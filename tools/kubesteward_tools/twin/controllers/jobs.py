"""The Job controller: pods until enough of them have ended well, or too many have not.

Every pod carries a finalizer until it has been counted, so that none is counted twice and none is missed.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

from kubesteward_tools.twin.controllers import job_indexes, job_pods, job_status
from kubesteward_tools.twin.controllers.base import Base
from kubesteward_tools.twin.controllers.job_status import Ending
from kubesteward_tools.twin.disruption import controller_of
from kubesteward_tools.twin.engine import Engine, Hears
from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.world.store import Event, Key, Object

JOBS = "jobs.batch"
_OWN = {None, "kubernetes.io/job-controller"}
_FIRST_WAIT, _LONGEST_WAIT = 10.0, 600.0
_FIRST_RETRY, _LONGEST_RETRY = 1.0, 60.0
_WAITED_FOR = 320.0
"""Back-offs up to the sixth, which the default limit ends with, are worth waiting for; longer ones are idle."""
_SOON = 6
"""Refused creations are tried again within the first minute; what is refused after that stays refused."""


@dataclass(slots=True)
class _BackOff:
    """Failures since the last success, and when the last of them was (epoch seconds)."""

    failures: int = 0
    last: float = 0.0

    def note(self, over: list[Object]) -> None:
        for pod in sorted(over, key=job_pods.ended_at):
            well = job_pods.has_succeeded(pod)
            self.failures = 0 if well else self.failures + 1
            self.last = job_pods.ended_at(pod)

    def left(self, now: float) -> float:
        return self.last + _wait(self.failures) - now if self.failures else 0.0


def _wait(failures: int) -> float:
    return float(min(_FIRST_WAIT * 2 ** min(failures - 1, 10), _LONGEST_WAIT))


class Jobs(Base):
    component = "job-controller"
    hears = Hears(JOBS, "pods")

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._back_offs: dict[str, _BackOff] = {}
        self._refusals: dict[str, int] = {}
        self._deadlines: dict[str, float] = {}

    def watches(self, event: Event) -> Iterable[Hashable]:
        if event.key.resource == JOBS:
            if event.type != "DELETED":
                yield event.key
            else:
                for remembered in (self._back_offs, self._refusals, self._deadlines):
                    remembered.pop(event.obj["metadata"]["uid"], None)
        elif event.key.resource == "pods":
            for obj in (event.obj, event.old):
                if obj is not None and (name := self.owner(obj, "Job")):
                    yield Key(JOBS, event.key.namespace, name)
            if job_pods.is_tracked(event.obj) and event.type != "DELETED":
                yield event.key

    def reconcile(self, key: Hashable) -> None:
        if not isinstance(key, Key) or (obj := self.store.get(key)) is None:
            return
        if key.resource == "pods":
            self._let_go_of_orphan(key, obj)
        elif obj["spec"].get("managedBy") in _OWN:
            self._sync(key, obj)

    def _let_go_of_orphan(self, key: Key, pod: Object) -> None:
        """Nobody counts the pods of a Job that is gone."""
        owner = controller_of(pod)
        job = self.store.get(Key(JOBS, key.namespace, owner["name"])) if owner and owner["kind"] == "Job" else None
        if owner is None or job is None or job["metadata"]["uid"] != owner["uid"]:
            self._let_go(key)

    def _let_go(self, key: Key) -> None:
        pod = self.store.get(key)
        if pod is not None and job_pods.is_tracked(pod):
            rest = [item for item in pod["metadata"]["finalizers"] if item != job_pods.TRACKING]
            metadata = {name: value for name, value in pod["metadata"].items() if name != "finalizers"}
            if rest:
                metadata["finalizers"] = rest
            self.api.update(*key, {**pod, "metadata": metadata}, user=self.user)

    def _pods(self, job: Object) -> list[Object]:
        return [pod for _, pod in self.owned(job["metadata"]["uid"], "pods")]

    def _sync(self, key: Key, job: Object) -> None:
        if job_status.is_finished(job):
            self._count(key, job, dict(job["status"]), everyone=True)
            return
        status = dict(job.get("status") or {})
        if not status.get("startTime") and not job_status.is_suspended(job):
            status["startTime"] = self.api.clock.timestamp
        pods = self._pods(job)
        status = job_status.with_failed_indexes(job, self._count(key, job, status), pods)
        end = job_status.ending(job, status, pods, self.api.clock.now)
        if end is None:
            self._watch_deadline(key, job, status)
            status, end = self._go_on(key, job, status)
        if end is not None:
            status = self._end(key, job, status, end)
        self._report(key, job, status)

    def _report(self, key: Key, job: Object, status: dict[str, Any]) -> None:
        if self.store.get(key) is not None:
            self.api.update_status(*key, job_status.reported(status, self._pods(job)))

    def _watch_deadline(self, key: Key, job: Object, status: dict[str, Any]) -> None:
        left, uid = job_status.deadline_left(job, status, self.api.clock.now), job["metadata"]["uid"]
        if left is None or self._deadlines.get(uid) == (due := self.api.clock.now + left):
            return
        self._deadlines[uid] = due
        self.after(left, key, idle=left > _WAITED_FOR)

    def _count(self, key: Key, job: Object, status: dict[str, Any], *, everyone: bool = False) -> dict[str, Any]:
        """Count what is over: first the names of the pods, then their finalizers, then the numbers."""
        status = self._counted_before(job, status)
        kept = set() if everyone else {pod["metadata"]["uid"] for pod in self._held_back(job).values()}
        leaving = "deletionTimestamp" in job["metadata"]
        tracked = [pod for pod in self._pods(job) if job_pods.is_tracked(pod) and pod["metadata"]["uid"] not in kept]
        over = [pod for pod in tracked if job_pods.has_succeeded(pod) or job_pods.has_failed(job, pod)]
        if over:
            well = [pod["metadata"]["uid"] for pod in over if job_pods.has_succeeded(pod)]
            badly = [pod["metadata"]["uid"] for pod in over if not job_pods.has_succeeded(pod)]
            names = {part: uids for part, uids in (("succeeded", well), ("failed", badly)) if uids}
            self._report(key, job, {**status, "uncountedTerminatedPods": names})
            self._back_offs.setdefault(job["metadata"]["uid"], _BackOff()).note(over)
        for pod in tracked if leaving else over:
            self._let_go(Key("pods", key.namespace, pod["metadata"]["name"]))
        status = job_status.counted(job, {**status, "uncountedTerminatedPods": {}}, over)
        if everyone and over:
            self._report(key, job, status)
        return status

    def _counted_before(self, job: Object, status: dict[str, Any]) -> dict[str, Any]:
        """Numbers that an earlier controller had named pods for, and had not come to write."""
        names = status.get("uncountedTerminatedPods") or {}
        here = {pod["metadata"]["uid"] for pod in self._pods(job) if job_pods.is_tracked(pod)}
        for part in ("succeeded", "failed"):
            gone = len([uid for uid in names.get(part) or () if uid not in here])
            if gone and not (part == "succeeded" and job["spec"].get("completionMode") == "Indexed"):
                status = {**status, part: status.get(part, 0) + gone}
        return status

    def _held_back(self, job: Object) -> dict[int, Object]:
        """Of each index that failed and may try again, the pod that says how often: kept until the next is made."""
        if "backoffLimitPerIndex" not in job["spec"]:
            return {}
        pods = self._pods(job)
        running = {job_indexes.index_of(pod) for pod in job_pods.active_of(pods)}
        done = {job_indexes.index_of(pod) for pod in pods if job_pods.has_succeeded(pod)}
        held: dict[int, Object] = {}
        for pod in sorted(pods, key=job_pods.failures_so_far):
            index = job_indexes.index_of(pod)
            if index is None or index in running | done or not job_pods.is_tracked(pod):
                continue
            if job_pods.has_failed(job, pod):
                held[index] = pod
        return {index: pod for index, pod in held.items() if not job_pods.index_is_lost(job, pod)}

    def _go_on(self, key: Key, job: Object, status: dict[str, Any]) -> tuple[dict[str, Any], Ending | None]:
        """More pods or fewer; then either everything is done, or the Job is suspended, resumed or just running."""
        if "deletionTimestamp" not in job["metadata"]:
            self._manage(key, job, status)
        active, wanted = len(job_pods.active_of(self._pods(job))), job["spec"].get("completions")
        done = status["succeeded"] > 0 if wanted is None else status["succeeded"] >= wanted
        if done and not active:
            return status, job_status.REACHED
        word = "Suspended" if job_status.is_suspended(job) else "Resumed"
        value, message = str(word == "Suspended"), f"Job {word.lower()}"
        new = job_status.with_condition(status, self.api.clock.timestamp, "Suspended", value, f"Job{word}", message)
        if new is not status:
            self.event(job, "Normal", word, message)
        if job_status.is_suspended(job):
            new = {name: content for name, content in new.items() if name != "startTime"}
        return new, None

    def _end(self, key: Key, job: Object, status: dict[str, Any], end: Ending) -> dict[str, Any]:
        """Say that it ends, stop what runs, and once that is gone that it has ended."""
        now = self.api.clock.timestamp
        status = job_status.with_condition(status, now, end.condition, "True", end.reason, end.message)
        for pod in job_pods.active_of(self._pods(job)):
            self._stop(key, job, pod)
        status = self._count(key, job, status, everyone=True)
        if any(job_pods.is_terminating(pod) or job_pods.is_tracked(pod) for pod in self._pods(job)):
            return status
        status = job_status.with_condition(status, now, end.final, "True", end.reason, end.message)
        if end.final == "Complete":
            self.event(job, "Normal", "Completed", "Job completed")
            return {**status, "completionTime": now}
        self.event(job, "Warning", end.reason, end.message)
        return status

    def _stop(self, key: Key, job: Object, pod: Object) -> None:
        name = pod["metadata"]["name"]
        if self.store.get(Key("pods", key.namespace, name)) is not None:
            self.api.delete("pods", key.namespace, name, options={})
        self.event(job, "Normal", "SuccessfulDelete", f"Deleted pod: {name}")

    def _manage(self, key: Key, job: Object, status: dict[str, Any]) -> None:
        pods = self._pods(job)
        active = job_pods.active_of(pods)
        stopping = sum(job_pods.is_terminating(pod) for pod in pods) if job_pods.replaces_failed_only(job) else 0
        wanted = 0 if job_status.is_suspended(job) else _wanted(job, status, len(active) + stopping)
        surplus = job_pods.surplus(job, active, max(0, len(active) - wanted))
        for pod in surplus:
            self._let_go(Key("pods", key.namespace, pod["metadata"]["name"]))
            self._stop(key, job, pod)
        missing = wanted - len(active) - stopping
        if surplus or missing <= 0:
            return
        if "backoffLimitPerIndex" in job["spec"]:
            self._create_by_index(key, job, status, missing)
            return
        left = self._back_offs.get(job["metadata"]["uid"], _BackOff()).left(self.api.clock.now)
        if left > 0:
            self.after(left, key, idle=left > _WAITED_FOR)
            return
        indexes: list[int | None] = [None] * missing
        if job["spec"].get("completionMode") == "Indexed":
            indexes = [*self._pending_indexes(job, status)[:missing]]
        self._create(key, job, [job_pods.new_pod(job, index) for index in indexes])

    def _pending_indexes(self, job: Object, status: dict[str, Any]) -> list[int]:
        """Those that are neither done, nor lost, nor being worked on."""
        below = job["spec"]["completions"]
        taken = job_indexes.parse(status.get("completedIndexes", ""), below)
        taken |= job_indexes.parse(status.get("failedIndexes", ""), below)
        for pod in self._pods(job):
            stopping = job_pods.is_terminating(pod) and job_pods.replaces_failed_only(job)
            if (pod in job_pods.active_of([pod]) or stopping) and (index := job_indexes.index_of(pod)) is not None:
                taken.add(index)
        return [index for index in range(below) if index not in taken]

    def _create_by_index(self, key: Key, job: Object, status: dict[str, Any], missing: int) -> None:
        """Each index waits for itself; what may not start yet does not hold up the others."""
        held, now = self._held_back(job), self.api.clock.now
        ready, waits = [], []
        for index in self._pending_indexes(job, status)[:missing]:
            before = held.get(index)
            wait = _wait(job_pods.failures_so_far(before)) + job_pods.ended_at(before) - now if before else 0.0
            if wait > 0:
                waits.append(wait)
            else:
                ready.append(job_pods.new_pod(job, index, before))
        if ready:
            self._create(key, job, ready)
        if waits:
            self.after(min(waits), key, idle=min(waits) > _WAITED_FOR)

    def _create(self, key: Key, job: Object, pods: list[Object]) -> None:
        uid = job["metadata"]["uid"]
        for wanted in pods:
            try:
                pod = self.api.create("pods", key.namespace, wanted, user=self.user)
            except ApiError as error:
                self.event(job, "Warning", "FailedCreate", f"Error creating: {error.message}")
                tries = self._refusals[uid] = self._refusals.get(uid, 0) + 1
                wait = min(_FIRST_RETRY * 2 ** min(tries - 1, 6), _LONGEST_RETRY)
                self.after(wait, key, idle=tries > _SOON)
                return
            self._refusals.pop(uid, None)
            self.event(job, "Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")


def _wanted(job: Object, status: dict[str, Any], running: int) -> int:
    """How many pods shall run: never more than what is left to complete; a work queue only drains once one is done."""
    spec = job["spec"]
    if spec.get("completions") is None:
        return running if status["succeeded"] else int(spec["parallelism"])
    return int(max(0, min(spec["completions"] - status["succeeded"], spec["parallelism"])))
