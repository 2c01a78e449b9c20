"""What the failure of nodes would do: one function for each rule. Nobody asks budgets, quotas or people first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kubesteward_tools.twin import disruption
from kubesteward_tools.twin.failure import is_for_one_node
from kubesteward_tools.twin.findings import creation
from kubesteward_tools.twin.findings.evidence import IF_NOT_READY, Evidence, name
from kubesteward_tools.twin.findings.progress import wanted
from kubesteward_tools.twin.findings.scheduling import pending_pods
from kubesteward_tools.twin.quota import is_terminal
from kubesteward_tools.twin.rehearsal import Concern
from kubesteward_tools.twin.scheduling.volumes import claim_names, in_zone, reachable
from kubesteward_tools.twin.watcher import ready_endpoints, ready_pods, top_controller
from kubesteward_tools.twin.webhooks import needs
from kubesteward_tools.world.store import Key, Object, Store

_MIRROR = "kubernetes.io/config.mirror"
_MOVED = {"deployments.apps", "replicasets.apps", "statefulsets.apps"}
_CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
_ORDER = {"block": 0, "warn": 1, "info": 2}


@dataclass(frozen=True, slots=True)
class Lost:
    """What there was on the nodes that fail: `pods`, and the `volumes` that no other node can reach, by claim.

    `followed` is False where there were so many pods that nobody looked at how they come back.
    """

    evidence: Evidence
    nodes: tuple[str, ...]
    pods: tuple[tuple[Key, Object], ...]
    volumes: dict[Key, Key]
    followed: bool

    @classmethod
    def of(cls, evidence: Evidence, nodes: tuple[str, ...], *, followed: bool) -> Lost:
        origin = evidence.origin
        keys = (key for node in nodes for key in origin.pods_on(node))
        pods = [(key, pod) for key in keys if (pod := origin.get(key)) is not None and not is_terminal(pod)]
        return cls(evidence, nodes, tuple(pods), dict(_out_of_reach(origin, nodes)), followed)

    def unknowns(self) -> Iterator[str]:
        if not self.followed:
            yield f"{len(self.pods)} pods are lost, too many to follow: what comes back of them is not simulated"
        for key, pod in self.pods:
            if _MIRROR in (pod["metadata"].get("annotations") or {}) and key.name.startswith(_CONTROL_PLANE):
                yield f"{name(key)} is part of the control plane; whether it goes on without it is not simulated"


def failures(lost: Lost) -> list[Concern]:
    rules = (_services, _workloads, _capacity, _refused, _volumes, _stuck, _not_restored, _budgets, _unmanaged)
    found = dict.fromkeys(item for rule in rules for item in rule(lost))
    return sorted(found, key=lambda item: (_ORDER[item.severity], item.rule, item.object))


def stuck(lost: Lost) -> list[Key]:
    """Marked for deletion, and nobody on the node to stop them."""
    store = lost.evidence.best.store
    return [key for key, _ in lost.pods if "deletionTimestamp" in (store.get(key) or {"metadata": {}})["metadata"]]


def stranded(lost: Lost) -> list[Key]:
    return sorted(set(lost.volumes.values()))


def _out_of_reach(store: Store, nodes: tuple[str, ...]) -> Iterator[tuple[Key, Key]]:
    """Claims and their volumes that only nodes which fail can reach."""
    failing = [node for item in nodes if (node := store.get(Key("nodes", "", item))) is not None]
    left: list[Object] | None = None
    for key, volume in store.items("persistentvolumes"):
        holder = volume["spec"].get("claimRef")
        if not holder or not any(_reaches(node, volume) for node in failing):
            continue
        if left is None:
            left = [node for other, node in store.items("nodes") if other.name not in nodes]
        if not any(_reaches(node, volume) for node in left):
            yield Key("persistentvolumeclaims", holder.get("namespace", ""), holder.get("name", "")), key


def _reaches(node: Object, volume: Object) -> bool:
    return reachable(volume, node) and in_zone(volume, node)


def _services(lost: Lost) -> Iterator[Concern]:
    evidence = lost.evidence
    for key, lowest in sorted(evidence.best.watcher.lowest.items()):
        before = ready_endpoints(evidence.origin, key) if key.resource == "services" else 0
        if before and not lowest:
            after = ready_endpoints(evidence.best.store, key)
            then = "until its pods run elsewhere" if after or not lost.followed else "and they would not come back"
            more = "".join(f"; {item.text}" for item in needs(evidence.origin, key))
            yield Concern(
                rule="failure.service_down",
                severity="block",
                object=name(key),
                message=f"{name(key)} would lose all of its {before} ready endpoints, {then}{more}",
                remedy="Spread its pods over nodes and zones (topologySpreadConstraints), at least two of them.",
            )


def _workloads(lost: Lost) -> Iterator[Concern]:
    evidence = lost.evidence
    for key, lowest in sorted(evidence.best.watcher.lowest.items()):
        before = ready_pods(evidence.origin, key) if key.resource in _MOVED else 0
        if not before or lowest == before:
            continue
        single = before == 1 or wanted(evidence.origin.get(key)) == 1
        left = f"go from {before} to {lowest}" if lowest else f"lose all of its {before}"
        yield Concern(
            rule="failure.reduced" if lowest else "failure.single_replica" if single else "failure.workload_down",
            severity="info" if lowest else "warn" if single else "block",
            object=name(key),
            message=f"{name(key)} would {left} ready pods",
            remedy="" if lowest else "Run more than one replica, on different nodes." if single else "Spread its pods.",
        )


def _capacity(lost: Lost) -> Iterator[Concern]:
    """Volumes out of reach have a rule of their own."""
    evidence, run = lost.evidence, lost.evidence.best
    for item in pending_pods(evidence, run):
        namespace, _, pod_name = item.pod.partition("/")
        pod = run.store.get(Key("pods", namespace, pod_name))
        if pod is None or not any(_needed(lost, namespace, pod)):
            yield Concern(
                rule="failure.no_capacity",
                severity="block",
                object=name(evidence.known(run, Key("pods", namespace, pod_name))),
                message=f"the pod that takes a lost one's place would stay Pending: {item.message}",
                remedy="Add nodes or free capacity, so that the others can take what runs there.",
            )


def _refused(lost: Lost) -> Iterator[Concern]:
    """Above all a quota: pods that are stuck Terminating still count."""
    for item in creation.refused(lost.evidence):
        if lost.followed and IF_NOT_READY not in item.message:
            yield item.model_copy(update={"rule": "failure.refused", "severity": "warn"})


def _needed(lost: Lost, namespace: str, pod: Object) -> Iterator[Key]:
    keys = (Key("persistentvolumeclaims", namespace, claim) for claim in claim_names(pod))
    return (key for key in keys if key in lost.volumes)


def _volumes(lost: Lost) -> Iterator[Concern]:
    used: dict[Key, Key] = {}
    for key, pod in lost.pods:
        used.update(dict.fromkeys(_needed(lost, key.namespace, pod), key))
    for claim, pod_key in sorted(used.items()):
        volume = lost.volumes[claim]
        yield Concern(
            rule="failure.zone_volume",
            severity="block",
            object=name(volume),
            message=f"no node left could reach {name(volume)}, so {name(pod_key)} cannot run until the nodes are back",
            remedy="Keep a replica with its own volume in another zone, or use storage that more zones can reach.",
        )


def _stuck(lost: Lost) -> Iterator[Concern]:
    """A StatefulSet's pod, and one whose volume another pod waits for: nobody takes its place while it is there."""
    store, waiting = lost.evidence.best.store, set(stuck(lost))
    for key, pod in lost.pods:
        owner = top_controller(lost.evidence.origin, pod)
        awaited = owner is not None and (owner[0] == "StatefulSet" or _keeps_a_volume(store, key.namespace, pod))
        if key in waiting and awaited:
            yield Concern(
                rule="failure.stuck",
                severity="warn",
                object=name(key),
                message=f"{name(key)} would stay Terminating and nothing take its place, for its node cannot confirm",
                remedy="Once the node is known to be off, taint it node.kubernetes.io/out-of-service=:NoExecute.",
            )


def _keeps_a_volume(store: Store, namespace: str, pod: Object) -> bool:
    return any(is_for_one_node(store, namespace, claim) for claim in claim_names(pod))


def _not_restored(lost: Lost) -> Iterator[Concern]:
    evidence = lost.evidence
    for key in sorted(evidence.best.watcher.lowest):
        before = ready_pods(evidence.origin, key) if key.resource in _MOVED else 0
        after, target = ready_pods(evidence.best.store, key), wanted(evidence.best.store.get(key))
        if lost.followed and after < min(before, target):
            yield Concern(
                rule="failure.not_restored",
                severity="warn" if after else "block",
                object=name(key),
                message=f"{name(key)} would stay at {after} of {target} ready pods until somebody acts",
                remedy="See the other findings for what holds its pods up.",
            )


def _budgets(lost: Lost) -> Iterator[Concern]:
    for key, lowest in sorted(lost.evidence.best.watcher.budget_lowest.items()):
        budget = lost.evidence.origin.get(key)
        least = disruption.status(lost.evidence.origin, budget)["desiredHealthy"] if budget else 0
        if lowest < least:
            yield Concern(
                rule="failure.budget",
                severity="warn",
                object=name(key),
                message=f"{name(key)} wants {least} healthy pods and would have {lowest}; a failure asks no budget",
                remedy="Run enough replicas for the budget to hold without these nodes.",
            )


def _unmanaged(lost: Lost) -> Iterator[Concern]:
    for key, pod in lost.pods:
        if not pod["metadata"].get("ownerReferences") and _MIRROR not in (pod["metadata"].get("annotations") or {}):
            yield Concern(
                rule="failure.unmanaged",
                severity="warn",
                object=name(key),
                message=f"{name(key)} would be lost: nothing starts it anew elsewhere",
                remedy="Let a Deployment or a Job run it.",
            )
