"""How an object is doing, in one word and as yes or no: what kubectl shows, for every kind that has a state."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from kubesteward_tools.world.store import Object

PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure")
_WORKLOADS = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"})


def status(obj: Object) -> dict[str, Any]:
    found = obj.get("status")
    return found if isinstance(found, dict) else {}


def spec(obj: Object) -> dict[str, Any]:
    return obj.get("spec") or {}


def conditions(obj: Object) -> Iterable[dict[str, Any]]:
    found = status(obj).get("conditions")
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else ()


def condition(obj: Object, kind: str) -> dict[str, Any]:
    """The condition of this type, {} when there is none."""
    return next((item for item in conditions(obj) if item.get("type") == kind), {})


def containers(pod: Object) -> list[dict[str, Any]]:
    """The statuses of all containers, init containers first."""
    found = status(pod)
    return [*(found.get("initContainerStatuses") or ()), *(found.get("containerStatuses") or ())]


def restarts(pod: Object) -> int:
    return sum(int(item.get("restartCount") or 0) for item in status(pod).get("containerStatuses") or ())


def pod_word(pod: Object) -> str:
    """The STATUS of `kubectl get pods`: the phase, or what keeps a container from running."""
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating"
    found = status(pod)
    word = str(found.get("reason") or found.get("phase") or "Unknown")
    for item in found.get("initContainerStatuses") or ():
        state = item.get("state") or {}
        reason = (state.get("waiting") or {}).get("reason") or (state.get("terminated") or {}).get("reason")
        if reason and reason not in {"Completed", "PodInitializing"}:
            return f"Init:{reason}"
    for item in found.get("containerStatuses") or ():
        state = item.get("state") or {}
        ended = state.get("terminated") or {}
        reason = (state.get("waiting") or {}).get("reason") or ended.get("reason")
        if ended and not reason:
            reason = f"ExitCode:{ended.get('exitCode')}"
        word = reason or word
    return word


def pod_ready(pod: Object) -> bool | None:
    """None for pods that have finished well: they are not supposed to be ready."""
    if status(pod).get("phase") == "Succeeded":
        return None
    return condition(pod, "Ready").get("status") == "True" and not pod["metadata"].get("deletionTimestamp")


def _node_word(node: Object) -> str:
    word = "Ready" if condition(node, "Ready").get("status") == "True" else "NotReady"
    return f"{word},SchedulingDisabled" if spec(node).get("unschedulable") else word


def pressures(node: Object) -> list[str]:
    """The conditions that say what the node runs out of."""
    return [kind for kind in PRESSURES if condition(node, kind).get("status") == "True"]


def _job_word(job: Object) -> str:
    for kind in ("Failed", "Complete", "Suspended"):
        if condition(job, kind).get("status") == "True":
            return kind
    return "Running"


def counts(obj: Object) -> tuple[int, int]:
    """Ready and wanted pods of a workload."""
    found = status(obj)
    if obj.get("kind") == "DaemonSet":
        return int(found.get("numberReady") or 0), int(found.get("desiredNumberScheduled") or 0)
    wanted = spec(obj).get("replicas")
    return int(found.get("readyReplicas") or 0), 1 if wanted is None else int(wanted)


def _workload_word(obj: Object) -> str:
    for kind in ("ReplicaFailure", "Progressing", "Available"):
        found = condition(obj, kind)
        if found and (found.get("status") == "True") == (kind == "ReplicaFailure"):
            return str(found.get("reason") or f"not {kind}")
    ready, wanted = counts(obj)
    return "Ready" if ready >= wanted else "NotReady"


def _phase(obj: Object) -> str:
    return str(status(obj).get("phase") or "")


def _general_word(obj: Object) -> str:
    """A custom resource's own words: its phase or its Ready-like condition."""
    there = {item.get("type"): item for item in conditions(obj)}
    for kind in ("Ready", "Available", "Healthy", "Synced", "Established") if there else ():
        found = there.get(kind)
        if found:
            return kind if found.get("status") == "True" else str(found.get("reason") or f"not {kind}")
    phase = status(obj).get("phase") or status(obj).get("state")
    return phase if isinstance(phase, str) else ""


def _event_word(event: Object) -> str:
    return str(event.get("type") or "")


_WORDS: dict[str, Callable[[Object], str]] = {
    "Event": _event_word,
    "Pod": pod_word,
    "Node": _node_word,
    "Job": _job_word,
    "DaemonSet": _workload_word,
    "PersistentVolumeClaim": _phase,
    "PersistentVolume": _phase,
    "Namespace": _phase,
    **dict.fromkeys(_WORKLOADS, _workload_word),
}


def word(obj: Object) -> str:
    """The state in one word, "" for kinds that have none."""
    return _WORDS.get(str(obj.get("kind")), _general_word)(obj)


def is_ready(obj: Object) -> bool | None:
    """Whether it does what it is there for; None where the question makes no sense."""
    kind, shown = obj.get("kind"), word(obj)
    if kind == "Pod":
        return pod_ready(obj)
    if kind == "Node":
        return shown.startswith("Ready")
    if kind == "Job":
        return shown != "Failed"
    if kind in _WORKLOADS or kind == "DaemonSet":
        ready, wanted = counts(obj)
        return ready >= wanted and shown == "Ready"
    if kind in {"PersistentVolumeClaim", "PersistentVolume", "Namespace"}:
        return shown in {"Bound", "Available", "Active"}
    if kind == "PodDisruptionBudget":
        return _is_kept(obj)
    return _general_ready(obj)


def _is_kept(budget: Object) -> bool:
    found = status(budget)
    return not found.get("expectedPods") or found.get("currentHealthy", 0) >= found.get("desiredHealthy", 0)


def _general_ready(obj: Object) -> bool | None:
    there = {item.get("type"): item for item in conditions(obj)}
    for kind in ("Ready", "Available", "Healthy", "Established") if there else ():
        found = there.get(kind)
        if found:
            return found.get("status") == "True"
    return None


def why(pod: Object) -> str:
    """The sentence behind a pod that is not ready: a container's, the scheduler's or the kubelet's."""
    for item in containers(pod):
        state, last = item.get("state") or {}, (item.get("lastState") or {}).get("terminated") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
        if waiting and waiting.get("reason") not in {"PodInitializing", "ContainerCreating"}:
            ending = f"; last exit {last.get('exitCode')} {last.get('reason', '')}".rstrip() if last else ""
            return f"{item['name']}: {waiting.get('message') or waiting.get('reason')}{ending}"
        if ended and ended.get("exitCode"):
            return f"{item['name']}: exit {ended['exitCode']} {ended.get('reason', '')}".rstrip()
    for kind in ("PodScheduled", "Ready"):
        found = condition(pod, kind)
        if found.get("status") == "False" and found.get("message"):
            return str(found["message"])
    return str(status(pod).get("message") or "")
