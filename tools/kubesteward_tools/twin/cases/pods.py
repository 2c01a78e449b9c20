"""What becomes of pods, in one word for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

from kubesteward_tools.twin.cases.snapshot import Owners, Snapshot, workload_of
from kubesteward_tools.twin.disruption import is_healthy, is_ready
from kubesteward_tools.twin.quota import is_terminal
from kubesteward_tools.world.store import Object

_HELD = {"CreateContainerConfigError", "InvalidImageName", "ErrImageNeverPull", "RunContainerError"}
_NO_IMAGE = {"ErrImagePull", "ImagePullBackOff"}
_WAITING = {"Unschedulable", "SchedulingGated"}


def pods_summary(after: Snapshot, owners: Owners, unmounted: Collection[str]) -> dict[str, Any]:
    """`unmounted` are names of pods with a volume that could not be mounted."""
    pods, by_owner, pending = after.of("Pod"), dict[str, Counter[str]](), Counter[tuple[str, str, str]]()
    for pod in pods:
        owner, why = workload_of(pod, owners), reason(pod, unmounted)
        by_owner.setdefault(owner, Counter())[why] += 1
        if why in _WAITING:
            pending[owner, why, str((_unplaced(pod) or {}).get("message", ""))] += 1
    return {
        "by_phase": _counted(str((pod.get("status") or {}).get("phase", "?")) for pod in pods),
        "ready": sum(is_healthy(pod) for pod in pods),
        "terminating": sum("deletionTimestamp" in pod["metadata"] for pod in pods),
        "by_owner": {owner: dict(sorted(counts.items())) for owner, counts in sorted(by_owner.items())},
        "pending": [
            {"owner": owner, "reason": why, "message": message, "count": count}
            for (owner, why, message), count in sorted(pending.items())
        ],
        "by_node": _counted(pod["spec"].get("nodeName") or "" for pod in pods if not is_terminal(pod)),
    }


def _counted(words: Iterator[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


def reason(pod: Object, unmounted: Collection[str] = ()) -> str:
    """Ready or Completed when all is well, else what is wrong with it."""
    status = pod.get("status") or {}
    phase = status.get("phase")
    if "deletionTimestamp" in pod["metadata"]:
        return "Terminating"
    if phase == "Succeeded":
        return "Completed"
    if phase == "Failed":
        return str(status.get("reason") or "Failed")
    if (unplaced := _unplaced(pod)) is not None:
        return str(unplaced.get("reason") or "Unschedulable")
    return _of_containers(status) or _of_the_whole(pod, unmounted)


def _of_the_whole(pod: Object, unmounted: Collection[str]) -> str:
    if is_ready(pod):
        return "Ready"
    if pod["metadata"]["name"] in unmounted:
        return "FailedMount"
    if (pod.get("status") or {}).get("phase") == "Pending":
        return "ContainerCreating" if pod["spec"].get("nodeName") else "Pending"
    return "NotReady"


def _unplaced(pod: Object) -> dict[str, Any] | None:
    """The condition that says that no node was found."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return next((item for item in conditions if item["type"] == "PodScheduled" and item["status"] == "False"), None)


def _of_containers(status: dict[str, Any]) -> str:
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    return next((why for item in containers if (why := _of_container(item))), "")


def _of_container(container: dict[str, Any]) -> str:
    state = container.get("state") or {}
    waiting = (state.get("waiting") or {}).get("reason")
    if waiting in _NO_IMAGE:
        return "ImagePullBackOff"
    if waiting in _HELD:
        return str(waiting)
    last = (container.get("lastState") or {}).get("terminated") or {}
    crashed = bool(container.get("restartCount") and last.get("exitCode"))
    failed = bool((state.get("terminated") or {}).get("exitCode"))
    return "CrashLoopBackOff" if waiting == "CrashLoopBackOff" or crashed or failed else ""
