"""Roll-outs that do not come to their end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubesteward_tools.twin import disruption
from kubesteward_tools.twin.findings.evidence import Evidence, name
from kubesteward_tools.twin.rehearsal import Concern
from kubesteward_tools.world.store import Object, Store

_DEPLOYMENTS = "deployments.apps"


def stalled(evidence: Evidence) -> Iterator[Concern]:
    """Even though pods that start become ready."""
    for key, before, after in evidence.touched(evidence.best, _DEPLOYMENTS):
        if after is None or (after["spec"].get("paused") and not _failed(after)) or not (how := _unfinished(after)):
            continue
        was = before is not None and bool(_unfinished(before)) and _missing(before) >= _missing(after)
        why = _failed(after) or trouble(evidence.best.store, after)
        yield Concern(
            rule="rollout.stalled",
            severity="warn" if was else "block",
            object=name(key),
            message=f"{name(key)} would not come to its end: {how}" + (f" ({why})" if why else ""),
            remedy="Take away what holds the new pods up, then try again.",
        )


def would_stall(evidence: Evidence) -> Iterator[Concern]:
    """What a new template does is not known before it runs; more pods of one that runs well are no worry."""
    for key, before, after in evidence.touched(evidence.worst, _DEPLOYMENTS):
        best = evidence.best.store.get(key)
        if after is None or best is None or _unfinished(best) or not (how := _unfinished(after)):
            continue
        proven = before is not None and not _unfinished(before) and _template(before) == _template(after)
        yield Concern(
            rule="rollout.would_stall",
            severity="info" if proven else "warn",
            object=name(key),
            message=f"{name(key)} would stall if new pods do not become ready: {how}",
            remedy="Watch the roll-out; undo it if it stalls.",
        )


def paused(evidence: Evidence) -> Iterator[Concern]:
    for key, before, after in evidence.touched(evidence.best, _DEPLOYMENTS):
        if after is None or not after["spec"].get("paused") or not (how := _unfinished(after)):
            continue
        if before is None or before["spec"] != after["spec"]:
            fewer = _missing(after) > (max(0, _missing(before)) if before else 0)
            yield Concern(
                rule="rollout.paused",
                severity="block" if fewer else "warn",
                object=name(key),
                message=f"{name(key)} is paused, so the change does not reach its pods: {how}",
                remedy="Resume it (spec.paused false) when the change shall take effect.",
            )


def _unfinished(deployment: Object) -> str:
    """How far it is from what is wanted, "" when it is there."""
    wanted, status = deployment["spec"].get("replicas", 1), deployment.get("status") or {}
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    parts = []
    if updated < wanted:
        parts.append(f"{updated} of {wanted} pods updated")
    elif status.get("replicas", 0) > updated:
        parts.append(f"{status['replicas'] - updated} old pods stay")
    if available < wanted:
        parts.append(f"{available} of {wanted} available")
    return ", ".join(parts) or ("no new ReplicaSet" if _failed(deployment) else "")


def _missing(deployment: Object) -> int:
    status = deployment.get("status") or {}
    return int(deployment["spec"].get("replicas", 1)) - int(status.get("availableReplicas", 0))


def _template(deployment: Object) -> Any:
    return deployment["spec"]["template"]


def _failed(deployment: Object) -> str:
    """The controller's own words where it gave up or cannot go on."""
    for item in (deployment.get("status") or {}).get("conditions") or ():
        if item["type"] == "Progressing" and item["status"] == "False":
            return f"{item['reason']}: {item.get('message', '')}".removesuffix(": ")
    return ""


def trouble(store: Store, deployment: Object) -> str:
    """What the first of its pods that is not ready says of itself."""
    for owner in store.owned_by(deployment["metadata"]["uid"]):
        replica_set = store.get(owner)
        for key in store.owned_by(replica_set["metadata"]["uid"]) if replica_set else ():
            if why := waiting(store.get(key)):
                return why
    return ""


def waiting(pod: Object | None) -> str:
    if pod is None or disruption.is_ready(pod):
        return ""
    status = pod.get("status") or {}
    for container in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
        found = (container.get("state") or {}).get("waiting") or {}
        if found.get("reason") not in {None, "ContainerCreating", "PodInitializing"}:
            return f"{found['reason']}: {found.get('message', '')}".removesuffix(": ")
    conditions = status.get("conditions") or ()
    unplaced = (item for item in conditions if item["type"] == "PodScheduled" and item["status"] == "False")
    return next((str(item.get("message") or item.get("reason")) for item in unplaced), "")
