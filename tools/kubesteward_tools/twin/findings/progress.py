"""How far a workload is from what is wanted of it, by its own status."""

from __future__ import annotations

from typing import Any

from kubesteward_tools.world.store import Object

WORKLOADS = ("daemonsets.apps", "deployments.apps", "statefulsets.apps")
_NUMBERS = {
    "DaemonSet": ("updatedNumberScheduled", "numberAvailable", "currentNumberScheduled"),
    "Deployment": ("updatedReplicas", "availableReplicas", "replicas"),
    "StatefulSet": ("updatedReplicas", "availableReplicas", "replicas"),
}


def wanted(workload: Object | None) -> int:
    """Pods; a DaemonSet's status says how many nodes it is for."""
    if workload is None:
        return 0
    if workload["kind"] == "DaemonSet":
        return int((workload.get("status") or {}).get("desiredNumberScheduled", 0))
    return int((workload.get("spec") or {}).get("replicas", 1))


def missing(workload: Object) -> int:
    """Pods that are wanted and not available."""
    return wanted(workload) - _numbers(workload)[1]


def excess(workload: Object) -> int:
    """Pods of a StatefulSet that are too many: it takes them away one by one, and only while the others are well."""
    return max(0, _numbers(workload)[2] - wanted(workload)) if workload["kind"] == "StatefulSet" else 0


def unfinished(workload: Object) -> str:
    """How far it is from what is wanted, "" when it is there."""
    total, (updated, available, pods) = wanted(workload), _numbers(workload)
    parts, renewed = [], _to_be_updated(workload, total)
    if updated < renewed:
        parts.append(f"{updated} of {renewed} pods updated")
    elif workload["kind"] == "Deployment" and pods > updated:
        parts.append(f"{pods - updated} old pods stay")
    elif surplus := excess(workload):
        parts.append(f"{surplus} pods too many")
    if available < total:
        parts.append(f"{available} of {total} available")
    return ", ".join(parts) or ("no new ReplicaSet" if failed(workload) else "")


def failed(workload: Object) -> str:
    """The controller's own words where it gave up or cannot go on."""
    for item in (workload.get("status") or {}).get("conditions") or ():
        if item["type"] == "Progressing" and item["status"] == "False":
            return f"{item['reason']}: {item.get('message', '')}".removesuffix(": ")
    return ""


def _numbers(workload: Object) -> tuple[int, int, int]:
    """Updated, available, all."""
    status: dict[str, Any] = workload.get("status") or {}
    updated, available, pods = (int(status.get(name, 0)) for name in _NUMBERS[workload["kind"]])
    return updated, available, pods


def _to_be_updated(workload: Object, total: int) -> int:
    """Pods below a StatefulSet's partition stay as they are; where pods are only replaced by hand, all do."""
    strategy = workload["spec"].get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return 0
    partition = (
        int((strategy.get("rollingUpdate") or {}).get("partition", 0)) if workload["kind"] == "StatefulSet" else 0
    )
    return max(0, total - partition)
