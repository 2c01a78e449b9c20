"""What would be gone, what with it, and what would not go."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.twin import disruption
from kubesteward_tools.twin.findings.evidence import Evidence, name
from kubesteward_tools.twin.rehearsal import Concern
from kubesteward_tools.twin.watcher import pods_under, ready_endpoints, ready_pods
from kubesteward_tools.world.store import Key, Object

_WORKLOADS = ("deployments.apps", "replicasets.apps", "statefulsets.apps", "daemonsets.apps", "replicationcontrollers")
_CONTAINERS = {"namespaces", "persistentvolumeclaims", "customresourcedefinitions.apiextensions.k8s.io"}
"""While one of these stays Terminating, nothing of its kind can be made anew in its place."""
_HELD_BY = {"namespaces": "not all that is in it goes", "pods": "its node does not answer"}
_CLAIMS, _VOLUMES = "persistentvolumeclaims", "persistentvolumes"


def workload(evidence: Evidence) -> Iterator[Concern]:
    for resource in _WORKLOADS:
        for key, before, after in evidence.touched(evidence.best, resource):
            ready = ready_pods(evidence.origin, key)
            if before is None or after is not None or not ready or before["metadata"].get("ownerReferences"):
                continue
            if all(evidence.best.store.get(item) is not None for item, _ in pods_under(evidence.origin, key)):
                yield _orphaned(key, ready)
                continue
            replaced = _is_served_by_others(evidence, key, before)
            yield Concern(
                rule="workload.gone",
                severity="warn" if replaced else "block",
                object=name(key),
                message=f"{name(key)} would be gone with {ready} ready pods"
                + ("; others serve in its place" if replaced else ""),
                remedy="Scale it down first and see what breaks.",
            )


def _is_served_by_others(evidence: Evidence, key: Key, workload: Object) -> bool:
    """It has Services, and all of them have ready endpoints without it."""
    labels = ((workload["spec"].get("template") or {}).get("metadata") or {}).get("labels") or {}
    services = [
        item
        for item, service in evidence.origin.items("services", key.namespace)
        if (selector := service["spec"].get("selector")) and selector.items() <= labels.items()
    ]
    return bool(services) and all(ready_endpoints(evidence.best.store, item) for item in services)


def _orphaned(key: Key, ready: int) -> Concern:
    return Concern(
        rule="workload.orphaned",
        severity="warn",
        object=name(key),
        message=f"{name(key)} would be gone; its {ready} ready pods stay, and nobody looks after them",
        remedy="Let another controller with the same selector adopt them.",
    )


def pod(evidence: Evidence) -> Iterator[Concern]:
    for key, before, after in evidence.touched(evidence.best, "pods"):
        if before is None or (after is not None and "deletionTimestamp" not in after["metadata"]):
            continue
        if disruption.controller_of(before) is None and disruption.is_healthy(before):
            yield Concern(
                rule="pod.unmanaged",
                severity="block",
                object=name(key),
                message=f"{name(key)} has no controller: nobody would start it again",
                remedy="Make it part of a Deployment first.",
            )


def data(evidence: Evidence) -> Iterator[Concern]:
    """A volume goes with its claim where it is to be deleted then, at the latest when the last pod lets go of it."""
    lost = {key for key, before, after in evidence.touched(evidence.best, _VOLUMES) if before and after is None}
    for _, before, after in evidence.touched(evidence.best, _CLAIMS):
        leaves = after is None or "deletionTimestamp" in after["metadata"]
        if before is None or not leaves or "deletionTimestamp" in before["metadata"]:
            continue
        volume = Key(_VOLUMES, "", before["spec"].get("volumeName") or "")
        found = evidence.origin.get(volume)
        if found and found["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
            lost.add(volume)
    for key in sorted(lost):
        yield Concern(
            rule="data.lost",
            severity="block",
            object=name(key),
            message=f"{name(key)} would be deleted with its data",
            remedy="Back it up, or set its reclaim policy to Retain first.",
        )


def stuck(evidence: Evidence) -> Iterator[Concern]:
    for key in sorted(evidence.best.watcher.seen):
        before, after = evidence.origin.get(key), evidence.best.store.get(key)
        if before is None or after is None or "deletionTimestamp" in before["metadata"]:
            continue
        if "deletionTimestamp" in after["metadata"]:
            holders = ", ".join(after["metadata"].get("finalizers") or ()) or _HELD_BY.get(key.resource, "")
            yield Concern(
                rule="deletion.stuck",
                severity="block" if key.resource in _CONTAINERS else "warn",
                object=name(key),
                message=f"{name(key)} would stay Terminating: {holders or 'something holds it'}",
                remedy="Find out what the finalizer waits for; do not just take it away.",
            )
