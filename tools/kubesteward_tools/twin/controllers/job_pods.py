"""The pods of a Job: which count as what, when they ended, and how a new one looks.

Sources: API doc of batch/v1; KEP-2307 (tracking with finalizers), KEP-3939 (podReplacementPolicy), KEP-4017 (index).
"""

from __future__ import annotations

import copy
from typing import Any

from kubesteward_tools.twin.clock import parse_timestamp
from kubesteward_tools.twin.controllers import job_policies
from kubesteward_tools.twin.controllers.job_indexes import INDEX, index_of
from kubesteward_tools.twin.controllers.replicasets import is_active, pod_from, ready_since
from kubesteward_tools.twin.disruption import is_ready
from kubesteward_tools.twin.quota import is_terminal
from kubesteward_tools.world.store import Object

TRACKING = "batch.kubernetes.io/job-tracking"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def is_tracked(pod: Object) -> bool:
    return TRACKING in (pod["metadata"].get("finalizers") or ())


def is_terminating(pod: Object) -> bool:
    return "deletionTimestamp" in pod["metadata"] and not is_terminal(pod)


def has_succeeded(pod: Object) -> bool:
    return bool((pod.get("status") or {}).get("phase") == "Succeeded")


def has_failed(job: Object, pod: Object) -> bool:
    """A deleted pod has too, unless the Job waits until it has really ended (one without a node never runs)."""
    if (pod.get("status") or {}).get("phase") == "Failed":
        return True
    if "deletionTimestamp" not in pod["metadata"] or has_succeeded(pod):
        return False
    return not replaces_failed_only(job) or not pod["spec"].get("nodeName")


def replaces_failed_only(job: Object) -> bool:
    return bool(job["spec"].get("podReplacementPolicy") == "Failed")


def ended_at(pod: Object) -> float:
    """Epoch seconds of the end of its last container; for a pod that was deleted, of the delete."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    ends = [((item.get("state") or {}).get("terminated") or {}).get("finishedAt") for item in statuses]
    known = [parse_timestamp(end) for end in ends if end]
    if known:
        return max(known)
    metadata = pod["metadata"]
    if "deletionTimestamp" in metadata:
        return parse_timestamp(metadata["deletionTimestamp"]) - float(metadata.get("deletionGracePeriodSeconds") or 0)
    return parse_timestamp(metadata["creationTimestamp"])


def restarts(pods: list[Object]) -> int:
    """Of all containers of the pods that have not ended."""
    running = [pod.get("status") or {} for pod in pods if not is_terminal(pod)]
    parts = ("initContainerStatuses", "containerStatuses")
    return sum(item.get("restartCount", 0) for status in running for part in parts for item in status.get(part) or ())


def surplus(job: Object, active: list[Object], count: int) -> list[Object]:
    """The pods to stop so that `count` fewer run: first those whose index is not wanted, or is there twice."""
    ranked = sorted(active, key=_rank)
    if job["spec"].get("completionMode") != "Indexed":
        return ranked[:count]
    kept: dict[int, Object] = {}
    doubled: list[Object] = []
    for pod in reversed(ranked):
        index = index_of(pod)
        if index is None or index >= job["spec"]["completions"] or index in kept:
            doubled.append(pod)
        else:
            kept[index] = pod
    by_index = [kept[index] for index in sorted(kept, reverse=True)]
    return doubled + by_index[: max(0, count - len(doubled))]


def _rank(pod: Object) -> tuple[Any, ...]:
    """Least is lost with the first: not placed, not started, not ready, ready for a short time, young."""
    status, metadata, ready = pod.get("status") or {}, pod["metadata"], is_ready(pod)
    counts = [item.get("restartCount", 0) for item in status.get("containerStatuses") or ()]
    return (
        bool(pod["spec"].get("nodeName")),
        _PHASES.get(status.get("phase", "Pending"), 0),
        ready,
        -ready_since(pod) if ready else 0.0,
        -max(counts, default=0),
        -parse_timestamp(metadata["creationTimestamp"]),
        metadata["name"],
    )


def new_pod(job: Object, index: int | None = None, after: Object | None = None) -> Object:
    """A pod of the Job's template; `after` is the failed pod of the same index that it replaces."""
    pod = copy.deepcopy(pod_from(job))
    metadata = pod["metadata"]
    metadata["finalizers"] = list(dict.fromkeys([*(metadata.get("finalizers") or ()), TRACKING]))
    if index is None:
        return pod
    metadata["generateName"] = f"{job['metadata']['name'][:52]}-{index}-"
    metadata["annotations"] = {**(metadata.get("annotations") or {}), INDEX: str(index)}
    metadata["labels"] = {**(metadata.get("labels") or {}), INDEX: str(index)}
    if "backoffLimitPerIndex" in job["spec"]:
        metadata["annotations"] |= _failures(job, after)
    pod["spec"].setdefault("hostname", f"{job['metadata']['name']}-{index}")
    variable = {"name": "JOB_COMPLETION_INDEX", "valueFrom": {"fieldRef": {"fieldPath": f"metadata.labels['{INDEX}']"}}}
    for container in [*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or ())]:
        if all(item["name"] != variable["name"] for item in container.get("env") or ()):
            container["env"] = [*(container.get("env") or ()), copy.deepcopy(variable)]
    return pod


def _failures(job: Object, after: Object | None) -> dict[str, str]:
    if after is None:
        return {job_policies.FAILURE_COUNT: "0"}
    counts = job_policies.of_failure(job, after).counts
    ignored = job_policies.ignored_of_index(after) + (not counts)
    failed = job_policies.failures_of_index(after) + counts
    return {job_policies.FAILURE_COUNT: str(failed)} | ({job_policies.IGNORED_COUNT: str(ignored)} if ignored else {})


def failures_so_far(pod: Object) -> int:
    """Of its index, this pod's own included."""
    return job_policies.failures_of_index(pod) + job_policies.ignored_of_index(pod) + 1


def index_is_lost(job: Object, pod: Object) -> bool:
    return job_policies.index_fails(job, pod)


def active_of(pods: list[Object]) -> list[Object]:
    return [pod for pod in pods if is_active(pod)]
