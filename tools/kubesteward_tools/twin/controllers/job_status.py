"""A Job's status: its conditions, the reasons it ends for, and the counting of pods that are over.

Sources: API doc of batch/v1 JobStatus and JobCondition; KEP-2307, KEP-3998, KEP-4368.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kubesteward_tools.twin.clock import parse_timestamp
from kubesteward_tools.twin.controllers import job_indexes, job_pods, job_policies
from kubesteward_tools.twin.disruption import is_ready
from kubesteward_tools.world.store import Object

Status = dict[str, Any]

_FINAL = {"SuccessCriteriaMet": "Complete", "FailureTarget": "Failed"}


class Ending(NamedTuple):
    """How a Job is about to end: the condition that says so before its last pods have gone."""

    condition: str
    reason: str
    message: str

    @property
    def final(self) -> str:
        return _FINAL[self.condition]


REACHED = Ending("SuccessCriteriaMet", "CompletionsReached", "Reached expected number of succeeded pods")
_LIMIT = Ending("FailureTarget", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
_LATE = Ending("FailureTarget", "DeadlineExceeded", "Job was active longer than specified deadline")
_TOO_MANY = Ending(
    "FailureTarget", "MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes"
)
_SOME = Ending("FailureTarget", "FailedIndexes", "Job has failed indexes")


def find(status: Status, kind: str) -> dict[str, Any] | None:
    """The condition of this type that is true."""
    for item in status.get("conditions") or ():
        if item["type"] == kind and item["status"] == "True":
            return dict(item)
    return None


def finished_at(job: Object) -> float | None:
    """Epoch seconds; None while it is not over."""
    status = job.get("status") or {}
    done = find(status, "Complete") or find(status, "Failed")
    return parse_timestamp(done["lastTransitionTime"]) if done else None


def is_finished(job: Object) -> bool:
    return finished_at(job) is not None


def is_suspended(job: Object) -> bool:
    return bool(job["spec"].get("suspend"))


def with_condition(status: Status, now: str, kind: str, value: str, reason: str, message: str) -> Status:  # noqa: PLR0917 - a condition's fields in the order of the API
    """The status with the condition set, or as it is where nothing would change: what is absent is not false."""
    conditions = status.get("conditions") or []
    old = next((item for item in conditions if item["type"] == kind), None)
    if (old["status"] if old else "False") == value:
        return status
    new = {"type": kind, "status": value, "lastProbeTime": now, "lastTransitionTime": now}
    new |= {"reason": reason, "message": message}
    return {**status, "conditions": [new if item is old else item for item in conditions] + ([] if old else [new])}


def under_way(status: Status) -> Ending | None:
    """The ending that an earlier look has already decided on."""
    for kind in _FINAL:
        if item := find(status, kind):
            return Ending(kind, item.get("reason", ""), item.get("message", ""))
    return None


def ending(job: Object, status: Status, pods: list[Object], now: float) -> Ending | None:
    """Why the Job ends now, in the order in which the controller asks. The completions are counted elsewhere."""
    if decided := under_way(status):
        return decided
    for pod in pods:
        if job_pods.has_failed(job, pod) and (match := job_policies.of_failure(job, pod)).action == "FailJob":
            return Ending("FailureTarget", "PodFailurePolicy", match.message)
    if status.get("failed", 0) > job["spec"]["backoffLimit"] or _restarted_too_often(job, pods):
        return _LIMIT
    if (left := deadline_left(job, status, now)) is not None and left <= 0:
        return _LATE
    return _by_index(job, status) if job["spec"].get("completionMode") == "Indexed" else None


def _restarted_too_often(job: Object, pods: list[Object]) -> bool:
    if job["spec"]["template"]["spec"].get("restartPolicy") != "OnFailure":
        return False
    count, limit = job_pods.restarts(pods), job["spec"]["backoffLimit"]
    return bool(count >= limit if limit else count > 0)


def deadline_left(job: Object, status: Status, now: float) -> float | None:
    """Seconds until `activeDeadlineSeconds` are over; None where there is no such deadline."""
    seconds, started = job["spec"].get("activeDeadlineSeconds"), status.get("startTime")
    if seconds is None or started is None or is_suspended(job):
        return None
    return parse_timestamp(started) + float(seconds) - now


def _by_index(job: Object, status: Status) -> Ending | None:
    spec = job["spec"]
    done = job_indexes.parse(status.get("completedIndexes", ""), spec["completions"])
    failed = job_indexes.parse(status.get("failedIndexes", ""), spec["completions"])
    if len(failed) > spec.get("maxFailedIndexes", spec["completions"]):
        return _TOO_MANY
    if failed and len(failed) + len(done) >= spec["completions"]:
        return _SOME
    why = job_policies.succeeded(job, done)
    return Ending("SuccessCriteriaMet", "SuccessPolicy", why) if why else None


def counted(job: Object, status: Status, over: list[Object]) -> Status:
    """The status with the pods counted that are over and were not counted before."""
    succeeded = [pod for pod in over if job_pods.has_succeeded(pod)]
    failed = [pod for pod in over if not job_pods.has_succeeded(pod) and job_policies.of_failure(job, pod).counts]
    new = dict(status)
    if job["spec"].get("completionMode") == "Indexed":
        below = job["spec"]["completions"]
        failed = [pod for pod in failed if _is_below(job_indexes.index_of(pod), below)]
        done = job_indexes.parse(status.get("completedIndexes", ""), below)
        done |= {index for pod in succeeded if _is_below(index := job_indexes.index_of(pod), below)}  # type: ignore[misc]
        new["completedIndexes"], new["succeeded"] = job_indexes.render(done), len(done)
    else:
        new["succeeded"] = status.get("succeeded", 0) + len(succeeded)
    new["failed"] = status.get("failed", 0) + len(failed)
    return new


def with_failed_indexes(job: Object, status: Status, pods: list[Object]) -> Status:
    if "backoffLimitPerIndex" not in job["spec"]:
        return status
    below = job["spec"]["completions"]
    failed = job_indexes.parse(status.get("failedIndexes", ""), below)
    for pod in pods:
        index = job_indexes.index_of(pod)
        if _is_below(index, below) and job_pods.has_failed(job, pod) and job_policies.index_fails(job, pod):
            failed.add(index)  # type: ignore[arg-type]
    done = job_indexes.parse(status.get("completedIndexes", ""), below)
    return {**status, "failedIndexes": job_indexes.render(failed - done)}


def _is_below(index: int | None, below: int) -> bool:
    return index is not None and index < below


def reported(status: Status, pods: list[Object]) -> Status:
    """As it is written: with the pods of this moment, and without zeros where the API leaves them out."""
    active = job_pods.active_of(pods)
    numbers = {"active": len(active), "succeeded": status.get("succeeded", 0), "failed": status.get("failed", 0)}
    texts = {name: status.get(name, "") for name in ("completedIndexes", "startTime", "completionTime")}
    new = {key: value for key, value in status.items() if key not in {*numbers, *texts}}
    new |= {name: value for name, value in {**texts, **numbers}.items() if value}
    new["ready"] = sum(is_ready(pod) for pod in active)
    new["terminating"] = sum(job_pods.is_terminating(pod) for pod in pods)
    new.setdefault("uncountedTerminatedPods", {})
    return new
