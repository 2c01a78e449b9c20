"""From what two runs of a change showed to findings: one function for each family of rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kubesteward_tools.twin import disruption
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.kubelet.references import references
from kubesteward_tools.twin.rehearsal import Admission, Concern, Pending
from kubesteward_tools.twin.watcher import SIMULATED_OWNERS, Watcher, ready_endpoints, ready_pods, top_controller
from kubesteward_tools.world.store import Key, Object, Store

_GITOPS = ("argocd.argoproj.io/instance", "kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name")
_WORKLOADS = {"deployments.apps", "replicasets.apps", "statefulsets.apps", "daemonsets.apps"}
_NOT_SIMULATED = {"statefulsets.apps", "daemonsets.apps", "jobs.batch", "cronjobs.batch", "replicationcontrollers"}


@dataclass(frozen=True, slots=True)
class Run:
    """One play of the change under one assumption."""

    cluster: SimulatedCluster
    watcher: Watcher
    settled: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """All there is to judge by. `targets` are the keys that the change's calls name."""

    origin: Store
    best: Run
    worst: Run
    targets: tuple[Key, ...]
    admission: tuple[Admission, ...]


def name(key: Key) -> str:
    return f"{key.resource.partition('.')[0].removesuffix('s')} {'/'.join(filter(None, key[1:]))}"


def findings(evidence: Evidence) -> list[Concern]:
    """Every rule's findings, the blocking ones first."""
    found: list[Concern] = []
    for rule in (rejected, creation, scheduling, budgets, endpoints, availability, gone, latent, reverted):
        found += rule(evidence)
    order = {"block": 0, "warn": 1, "info": 2}
    return sorted(dict.fromkeys(found), key=lambda item: (order[item.severity], item.rule, item.object))


def rejected(evidence: Evidence) -> Iterator[Concern]:
    for item in evidence.admission:
        if not item.allowed:
            remedy = "Change the request so that the API server accepts it."
            message = f"the API server refuses it ({item.code} {item.reason}): {item.message}"
            yield Concern(rule="admission.rejected", severity="block", object=item.call, message=message, remedy=remedy)


def creation(evidence: Evidence) -> Iterator[Concern]:
    """A controller that cannot create its pods: the API accepts the change and nothing comes of it."""
    store = evidence.best.cluster.store
    for key in sorted(evidence.best.watcher.touched):
        obj = store.get(key)
        if key.resource != "replicasets.apps" or obj is None:
            continue
        for item in (obj.get("status") or {}).get("conditions") or ():
            before = ((evidence.origin.get(key) or {}).get("status") or {}).get("conditions") or ()
            if item["type"] == "ReplicaFailure" and not before:
                rule = "quota.exceeded" if "quota" in item["message"] else "creation.refused"
                remedy = (
                    "Raise the quota or ask for less." if "quota" in item["message"] else "Make the pods admissible."
                )
                message = f"pods of {name(key)} cannot be created: {item['message']}"
                yield Concern(rule=rule, severity="block", object=name(key), message=message, remedy=remedy)


def pending_pods(evidence: Evidence) -> list[Pending]:
    """Pods that are unschedulable now and were not so before."""
    found = []
    for key in evidence.best.cluster.store.pods_on(""):
        pod, before = evidence.best.cluster.store.get(key), evidence.origin.get(key)
        for item in ((pod or {}).get("status") or {}).get("conditions") or ():
            if item["type"] == "PodScheduled" and item["status"] == "False" and before is None:
                found.append(  # noqa: PERF401 - three conditions read better one below the other
                    Pending(pod=f"{key.namespace}/{key.name}", message=item.get("message", ""))
                )
    return found


def scheduling(evidence: Evidence) -> Iterator[Concern]:
    pending = pending_pods(evidence)
    if pending:
        message = f"{len(pending)} new pods stay Pending: {pending[0].message}"
        remedy = "Free or add capacity, or ask for less."
        yield Concern(
            rule="scheduling.pending", severity="block", object=pending[0].pod, message=message, remedy=remedy
        )


def budgets(evidence: Evidence) -> Iterator[Concern]:
    """Evictions ask a budget; roll-outs, scale-downs and deletes do not: measured against the budget's own terms."""
    for run, words in ((evidence.best, ""), (evidence.worst, " if new pods do not become ready")):
        for key, lowest in sorted(run.watcher.budget_lowest.items()):
            budget = evidence.origin.get(key)
            if budget is None:
                continue
            before = disruption.status(evidence.origin, budget)
            if before["currentHealthy"] >= before["desiredHealthy"] > lowest:
                message = f"{name(key)} wants {before['desiredHealthy']} healthy pods and would have {lowest}{words}"
                remedy = "Use a gentler strategy (maxUnavailable 0), or change the budget first."
                yield Concern(rule="pdb.broken", severity="block", object=name(key), message=message, remedy=remedy)


def endpoints(evidence: Evidence) -> Iterator[Concern]:
    for run, words in ((evidence.best, ""), (evidence.worst, " if new pods do not become ready")):
        for key, lowest in sorted(run.watcher.lowest.items()):
            before = ready_endpoints(evidence.origin, key) if key.resource == "services" else 0
            if before and not lowest:
                message = f"{name(key)} would lose all of its {before} ready endpoints{words}"
                remedy = "Keep at least one pod ready on the way (more replicas, maxUnavailable 0)."
                yield Concern(
                    rule="service.no_endpoints", severity="block", object=name(key), message=message, remedy=remedy
                )


def availability(evidence: Evidence) -> Iterator[Concern]:
    for key, lowest in sorted(evidence.worst.watcher.lowest.items()):
        if key.resource == "services":
            continue
        before, after = ready_pods(evidence.origin, key), ready_pods(evidence.best.cluster.store, key)
        wanted = ((evidence.best.cluster.store.get(key) or {}).get("spec") or {}).get("replicas", 0)
        if before and not lowest and wanted:
            message = f"{name(key)} would have no ready pod if new pods do not become ready ({before} now)"
            remedy = "Roll with maxUnavailable 0, or scale up first."
            yield Concern(rule="availability.none", severity="block", object=name(key), message=message, remedy=remedy)
        elif lowest < min(before, wanted or before):
            message = f"{name(key)} would go from {before} to {lowest} ready pods if new pods do not become ready"
            remedy = "Watch the roll-out; undo it if it stalls."
            yield Concern(
                rule="availability.reduced", severity="warn", object=name(key), message=message, remedy=remedy
            )
        if wanted and after < min(before, wanted):
            message = f"{name(key)} would end with {after} of {wanted} pods ready, even in the best case"
            remedy = "See what keeps the pods from running."
            yield Concern(
                rule="availability.not_restored", severity="block", object=name(key), message=message, remedy=remedy
            )


def gone(evidence: Evidence) -> Iterator[Concern]:
    for key, what in sorted(evidence.best.watcher.touched.items()):
        old = evidence.origin.get(key)
        if what != "deleted" or old is None:
            continue
        if (
            key.resource in _WORKLOADS
            and ready_pods(evidence.origin, key)
            and not old["metadata"].get("ownerReferences")
        ):
            message = f"{name(key)} would be gone with {ready_pods(evidence.origin, key)} ready pods"
            remedy = "Scale it down first and see what breaks."
            yield Concern(rule="workload.gone", severity="block", object=name(key), message=message, remedy=remedy)
        elif key.resource == "pods" and disruption.controller_of(old) is None and disruption.is_ready(old):
            message = f"{name(key)} has no controller: nobody would start it again"
            remedy = "Make it part of a Deployment first."
            yield Concern(rule="pod.unmanaged", severity="block", object=name(key), message=message, remedy=remedy)
        elif key.resource == "persistentvolumes":
            message = f"{name(key)} would be deleted with its data"
            yield Concern(
                rule="data.lost", severity="block", object=name(key), message=message, remedy="Back it up first."
            )


def latent(evidence: Evidence) -> Iterator[Concern]:
    """Configuration that running pods do not miss until they start again."""
    for key, what in sorted(evidence.best.watcher.touched.items()):
        if what != "deleted" or key.resource not in {"configmaps", "secrets"}:
            continue
        users = [pod for pod in evidence.origin.objects("pods", key.namespace) if _uses(pod, key)]
        if users:
            message = f"{len(users)} pods refer to {name(key)} and could not start again without it"
            remedy = "Change the workloads first, then delete it."
            yield Concern(rule="config.latent", severity="warn", object=name(key), message=message, remedy=remedy)


def _uses(pod: Object, key: Key) -> bool:
    return any(ref.resource == key.resource and ref.name == key.name for ref in references(pod["spec"]))


def reverted(evidence: Evidence) -> Iterator[Concern]:
    """Somebody else owns what is changed, and will change it back."""
    for key in evidence.targets:
        obj = evidence.origin.get(key)
        if obj is None:
            continue
        for owner in _managers(evidence.origin, key, obj):
            message = f"{owner} manages {name(key)} and may undo the change"
            remedy = "Make the change where it is managed."
            yield Concern(rule="change.reverted", severity="warn", object=name(key), message=message, remedy=remedy)


def _managers(store: Store, key: Key, obj: Object) -> Iterator[str]:
    owner = disruption.controller_of(obj)
    if owner is not None and key.resource != "pods":
        yield f"{owner['kind']} {owner['name']}"
    notes = {**(obj["metadata"].get("labels") or {}), **(obj["metadata"].get("annotations") or {})}
    if notes.get("app.kubernetes.io/managed-by") == "Helm":
        yield "Helm"
    yield from (f"GitOps ({label.partition('/')[0]})" for label in _GITOPS if label in notes)
    for scaler in store.objects("horizontalpodautoscalers.autoscaling", key.namespace):
        reference = scaler["spec"].get("scaleTargetRef") or {}
        if (
            reference.get("name") == key.name
            and f"{reference.get('kind', '').lower()}s" == key.resource.partition(".")[0]
        ):
            yield f"HorizontalPodAutoscaler {scaler['metadata']['name']}"


def unknowns(evidence: Evidence) -> list[str]:
    """What matters here and was not simulated."""
    found = [
        f"the controller of {key.resource} is not simulated: what the change does to its pods is unknown"
        for key in evidence.targets
        if key.resource in _NOT_SIMULATED
    ]
    for _, pod in sorted(evidence.best.watcher.stopped.items()):
        above = top_controller(evidence.origin, pod)
        if above is not None and above[0] not in SIMULATED_OWNERS:
            found.append(
                f"pods of {above[0]} {above[1].namespace}/{above[1].name} are stopped; their return is not simulated"
            )
    if not evidence.best.settled:
        found.append("the change does not come to rest within an hour of virtual time")
    return list(dict.fromkeys(found))
