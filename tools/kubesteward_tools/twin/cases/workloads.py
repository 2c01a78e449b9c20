"""Workloads as their own status reports them, and the creations that they could not do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from kubesteward_tools.twin.cases.snapshot import Snapshot, title
from kubesteward_tools.twin.disruption import controller_of
from kubesteward_tools.world.store import Object

KINDS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "ReplicationController")
_REFUSERS = ("ReplicaSet", "ReplicationController", "Deployment")
_ENDED = {"Complete", "Failed"}


@dataclass(frozen=True, slots=True)
class Happening:
    """What an Event says."""

    reason: str
    kind: str
    namespace: str
    name: str
    message: str


def topmost(snapshot: Snapshot) -> dict[str, Object]:
    """By title, without the ReplicaSets that another workload controls."""
    found = snapshot.titled(*KINDS)
    return {key: obj for key, obj in found.items() if obj["kind"] != "ReplicaSet" or controller_of(obj) is None}


def workload_summary(obj: Object) -> dict[str, Any]:
    if obj["kind"] == "Job":
        return _job(obj)
    status, generation = obj.get("status") or {}, obj["metadata"].get("generation")
    found = {"observed": status.get("observedGeneration", generation) == generation, "conditions": _conditions(status)}
    return found | (_daemons(status) if obj["kind"] == "DaemonSet" else _scaled(obj, status))


def _conditions(status: dict[str, Any]) -> dict[str, str]:
    return {item["type"]: f"{item['status']}/{item.get('reason', '')}" for item in status.get("conditions") or ()}


def _scaled(obj: Object, status: dict[str, Any]) -> dict[str, Any]:
    found = {
        "desired": obj["spec"].get("replicas"),
        "current": status.get("replicas", 0),
        "ready": status.get("readyReplicas", 0),
        "available": status.get("availableReplicas", 0),
    }
    if obj["kind"] in {"Deployment", "StatefulSet"}:
        found["updated"] = status.get("updatedReplicas", 0)
    if obj["kind"] == "Deployment" and obj["spec"].get("paused"):
        found["paused"] = True
    return found


def _daemons(status: dict[str, Any]) -> dict[str, Any]:
    names = {
        "desired": "desiredNumberScheduled",
        "current": "currentNumberScheduled",
        "updated": "updatedNumberScheduled",
        "ready": "numberReady",
        "available": "numberAvailable",
        "misscheduled": "numberMisscheduled",
    }
    return {ours: status.get(theirs, 0) for ours, theirs in names.items()}


def _job(obj: Object) -> dict[str, Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    found = {"desired": spec.get("parallelism"), "completions": spec.get("completions")}
    found |= {"suspended": bool(spec.get("suspend")), "conditions": _conditions(status)}
    found |= {name: status.get(name, 0) for name in ("active", "ready", "succeeded", "failed")}
    return found | {name: status[name] for name in ("completedIndexes", "failedIndexes") if status.get(name)}


def has_ended(summary: dict[str, Any]) -> bool:
    """A Job that is through, well or not."""
    return not _ENDED.isdisjoint(summary["conditions"])


def is_short(summary: dict[str, Any]) -> bool:
    """Fewer pods, or fewer of the newest template, than wanted."""
    wanted, has = summary.get("desired") or 0, present(summary)
    return has < wanted or int(summary.get("updated", has) or 0) < wanted


def present(summary: dict[str, Any]) -> int:
    return int(summary.get("current", summary.get("active", 0)) or 0)


def blocked(
    after: Snapshot, workloads: dict[str, dict[str, Any]], happenings: Iterable[Happening]
) -> list[dict[str, Any]]:
    """Creations that a controller could not do and has not got over, by owner."""
    found = {owner: _blocked(owner, item["reason"], item["message"]) for owner, item in failures(after)}
    for item in happenings:
        owner = f"{item.namespace}/{item.kind}/{item.name}"
        if item.reason == "FailedCreate" and item.kind != "ReplicaSet" and _still(workloads.get(owner)):
            found.setdefault(owner, _blocked(owner, "FailedCreate", item.message))
    return [found[owner] for owner in sorted(found)]


def failures(snapshot: Snapshot) -> Iterator[tuple[str, dict[str, Any]]]:
    """Owner and ReplicaFailure condition; a Deployment's own word comes after those of its ReplicaSets."""
    for obj in snapshot.of(*_REFUSERS):
        above = controller_of(obj)
        owner = f"{obj['metadata']['namespace']}/{above['kind']}/{above['name']}" if above else title(obj)
        for item in (obj.get("status") or {}).get("conditions") or ():
            if item["type"] == "ReplicaFailure" and item["status"] == "True":
                yield owner, item


def _still(workload: dict[str, Any] | None) -> bool:
    """A Job is content with its pods; others also want them to be of the newest template."""
    if workload is None or has_ended(workload):
        return False
    return present(workload) < (workload.get("desired") or 0) or ("completions" not in workload and is_short(workload))


def _blocked(owner: str, why: str, message: str) -> dict[str, Any]:
    return {"owner": owner, "reason": why, "kind": _refuser(message), "message": message}


def _refuser(message: str) -> str:
    """Who refused, by the server's own words."""
    words = message.lower()
    if any(phrase in words for phrase in ("exceeded quota", "failed quota", "insufficient quota")):
        return "quota"
    for phrase, kind in (("podsecurity", "psa"), ("validatingadmissionpolicy", "vap"), ("webhook", "webhook")):
        if phrase in words:
            return kind
    if "serviceaccount" in words and "not found" in words:
        return "serviceaccount"
    if "priorityclass" in words or "priority class" in words:
        return "priorityclass"
    bounded = "usage per" in words and ("minimum" in words or "maximum" in words)
    if bounded or "limit to request ratio" in words:
        return "limitrange"
    return "invalid" if "is invalid:" in words else "other"
