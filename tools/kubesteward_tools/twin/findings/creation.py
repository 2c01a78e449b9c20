"""Controllers that are refused: the API accepts the change, and nothing comes of it. No dry-run shows that."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.twin.findings.evidence import Evidence, Run, name
from kubesteward_tools.twin.findings.progress import wanted
from kubesteward_tools.twin.rehearsal import Concern
from kubesteward_tools.twin.watcher import pods_under
from kubesteward_tools.world.store import Key, Object

_REMEDIES = {
    "quota.exceeded": "Raise the quota, free some of it, or ask for less (also the surge of a roll-out counts).",
    "limits.exceeded": "Keep the containers' requests and limits within the namespace's LimitRange.",
    "psa.violated": "Make the pods fit the namespace's Pod Security level.",
    "creation.refused": "Make the pods admissible.",
}


def refused(evidence: Evidence) -> Iterator[Concern]:
    """In either case, for surge and replacement pods overlap for longer when none becomes ready."""
    seen = set[str]()
    for run, words in evidence.runs():
        for key, before, after in evidence.touched(run, "replicasets.apps"):
            message = _failure(after)
            if message and not _failure(before) and name(key) not in seen:
                seen.add(name(key))
                yield _concern(name(key), f"pods of {name(key)} cannot be created{words}: {message}", message)
        for key, message in _events(evidence, run):
            if name(key) not in seen:
                seen.add(name(key))
                yield _concern(name(key), f"pods of {name(key)} cannot be created{words}: {message}", message)


def _events(evidence: Evidence, run: Run) -> Iterator[tuple[Key, str]]:
    """Of refusals StatefulSets and DaemonSets only write events; who has all the pods that it wants got over them."""
    for resource, kind in (("statefulsets.apps", "StatefulSet"), ("daemonsets.apps", "DaemonSet")):
        for key, _, after in evidence.touched(run, resource):
            if after is not None and sum(1 for _ in pods_under(run.store, key)) < wanted(after):
                found = (_refusal(evidence, run, item, kind, key) for item in run.store.keys("events", key.namespace))
                yield from ((key, message) for message in filter(None, found))


def _refusal(evidence: Evidence, run: Run, event: Key, kind: str, about: Key) -> str:
    """The message of a new FailedCreate event about this workload, "" when the event is another one."""
    if not event.name.startswith(f"{about.name}.") or (found := run.store.get(event)) is None:
        return ""
    is_it = found["reason"] == "FailedCreate" and found["involvedObject"].get("kind") == kind
    return str(found["message"]) if is_it and found != evidence.origin.get(event) else ""


def _concern(where: str, text: str, reason: str) -> Concern:
    rule = _rule(reason)
    return Concern(rule=rule, severity="block", object=where, message=text, remedy=_REMEDIES[rule])


def _rule(message: str) -> str:
    if "quota" in message:
        return "quota.exceeded"
    if "violates PodSecurity" in message:
        return "psa.violated"
    limited = ("usage per Container", "usage per Pod", "limit to request ratio", "must be less than or equal to")
    return "limits.exceeded" if any(part in message for part in limited) else "creation.refused"


def _failure(replica_set: Object | None) -> str:
    for item in ((replica_set or {}).get("status") or {}).get("conditions") or ():
        if item["type"] == "ReplicaFailure" and item["status"] == "True":
            return str(item["message"])
    return ""
