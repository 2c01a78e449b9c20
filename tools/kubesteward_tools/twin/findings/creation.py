"""Controllers that are refused: the API accepts the change, and nothing comes of it. No dry-run shows that."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.twin.controllers import job_status
from kubesteward_tools.twin.findings.evidence import Evidence, Run, name
from kubesteward_tools.twin.findings.progress import wanted
from kubesteward_tools.twin.rehearsal import Concern
from kubesteward_tools.twin.watcher import pods_under
from kubesteward_tools.world.store import Key, Object

_REMEDIES = {
    "quota.exceeded": "Raise the quota, free some of it, or ask for less (also the surge of a roll-out counts).",
    "limits.exceeded": "Keep the containers' requests and limits within the namespace's LimitRange.",
    "psa.violated": "Make the pods fit the namespace's Pod Security level.",
    "policy.denied": "Make the pods fit the policy, or change the policy or its binding.",
    "webhook.down": "See that the webhook answers again, or take its configuration away.",
    "webhook.denied": "Make the pods fit what the webhook wants.",
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
                where = name(evidence.known(run, key))
                yield _concern(where, f"pods of {where} cannot be created{words}: {message}", message)
        for key, message in _by_event(evidence, run):
            if name(key) not in seen:
                seen.add(name(key))
                yield _concern(name(key), f"what {name(key)} needs cannot be created{words}: {message}", message)


def _by_event(evidence: Evidence, run: Run) -> Iterator[tuple[Key, str]]:
    """Some controllers tell of a refusal by events alone; it matters where they have not got over it."""
    for resource in ("statefulsets.apps", "daemonsets.apps", "jobs.batch", "cronjobs.batch"):
        for key, _, after in evidence.touched(run, resource):
            if after is None or _has_what_it_wants(run, key, after):
                continue
            for event in run.store.keys("events", key.namespace):
                found = run.store.get(event)
                if found is not None and _is_refusal(found, after) and found != evidence.origin.get(event):
                    yield key, str(found["message"])


def _is_refusal(event: Object, about: Object) -> bool:
    said = event["reason"], event["involvedObject"].get("uid")
    return said == ("FailedCreate", about["metadata"]["uid"])


def _has_what_it_wants(run: Run, key: Key, workload: Object) -> bool:
    if key.resource in {"jobs.batch", "cronjobs.batch"}:
        return job_status.is_finished(workload) or bool(workload["spec"].get("suspend"))
    return sum(1 for _ in pods_under(run.store, key)) >= wanted(workload)


def _concern(where: str, text: str, reason: str) -> Concern:
    rule = _rule(reason)
    return Concern(rule=rule, severity="block", object=where, message=text, remedy=_REMEDIES[rule])


def _rule(message: str) -> str:
    by = (
        ("is forbidden: ValidatingAdmissionPolicy '", "policy.denied"),
        ("failed calling webhook", "webhook.down"),
        ("admission webhook", "webhook.denied"),
    )
    for words, rule in by:
        if words in message:
            return rule
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
