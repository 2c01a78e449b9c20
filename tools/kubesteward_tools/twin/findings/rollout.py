"""Roll-outs that do not come to their end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubesteward_tools.twin import disruption
from kubesteward_tools.twin.findings.evidence import Evidence, Run, name
from kubesteward_tools.twin.findings.progress import WORKLOADS, excess, failed, missing, unfinished
from kubesteward_tools.twin.rehearsal import Concern
from kubesteward_tools.twin.watcher import pods_under
from kubesteward_tools.world.store import Key, Object, Store

_DEPLOYMENTS = "deployments.apps"


def _workloads(evidence: Evidence, run: Run) -> Iterator[tuple[Key, Object | None, Object | None]]:
    for resource in WORKLOADS:
        yield from evidence.touched(run, resource)


def stalled(evidence: Evidence) -> Iterator[Concern]:
    """Even though pods that start become ready."""
    for key, before, after in _workloads(evidence, evidence.best):
        if after is None or (after["spec"].get("paused") and not failed(after)) or not (how := unfinished(after)):
            continue
        was = before is not None and bool(unfinished(before)) and not _is_worse(before, after)
        why = failed(after) or trouble(evidence.best.store, after)
        yield Concern(
            rule="rollout.stalled",
            severity="warn" if was else "block",
            object=name(key),
            message=f"{name(key)} would not come to its end: {how}" + (f" ({why})" if why else ""),
            remedy="Take away what holds the new pods up, then try again.",
        )


def _is_worse(before: Object, after: Object) -> bool:
    """Fewer pods than before, or a new template that does not reach them: then the change itself is in vain."""
    if _template(before) != _template(after):
        return True
    return missing(before) < missing(after) or excess(before) < excess(after)


def would_stall(evidence: Evidence) -> Iterator[Concern]:
    """What a new template does is not known before it runs; more pods of one that runs well are no worry."""
    for key, before, after in _workloads(evidence, evidence.worst):
        best = evidence.best.store.get(key)
        if after is None or best is None or unfinished(best) or not (how := unfinished(after)):
            continue
        proven = before is not None and not unfinished(before) and _template(before) == _template(after)
        yield Concern(
            rule="rollout.would_stall",
            severity="info" if proven else "warn",
            object=name(key),
            message=f"{name(key)} would stall if new pods do not become ready: {how}",
            remedy="Watch the roll-out; undo it if it stalls.",
        )


def paused(evidence: Evidence) -> Iterator[Concern]:
    for key, before, after in evidence.touched(evidence.best, _DEPLOYMENTS):
        if after is None or not after["spec"].get("paused") or not (how := unfinished(after)):
            continue
        if before is None or before["spec"] != after["spec"]:
            fewer = missing(after) > (max(0, missing(before)) if before else 0)
            yield Concern(
                rule="rollout.paused",
                severity="block" if fewer else "warn",
                object=name(key),
                message=f"{name(key)} is paused, so the change does not reach its pods: {how}",
                remedy="Resume it (spec.paused false) when the change shall take effect.",
            )


def _template(deployment: Object) -> Any:
    return deployment["spec"]["template"]


def trouble(store: Store, workload: Object) -> str:
    """What the first of its pods that is not ready says of itself."""
    metadata, group = workload["metadata"], workload["apiVersion"].rpartition("/")[0]
    key = Key(f"{workload['kind'].lower()}s.{group}", metadata["namespace"], metadata["name"])
    return next(filter(None, (waiting(pod) for _, pod in pods_under(store, key))), "")


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
