"""One pod, all nodes: filters in kube-scheduler's order, the first reason of each node, then a choice or an explanation."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction

from kubesteward_tools.twin.quota import amounts
from kubesteward_tools.twin.scheduling import fit, volumes
from kubesteward_tools.twin.scheduling.affinity import node_affinity
from kubesteward_tools.twin.scheduling.spread import PodRules
from kubesteward_tools.twin.scheduling.taints import unschedulable, untolerated
from kubesteward_tools.world.store import Object, Store

_NEVER_HELPED = ("node(s) were unschedulable", "node(s) had untolerated taint(s)", "node(s) didn't match Pod's node")


@dataclass(frozen=True, slots=True)
class Feasibility:
    """`nodes` can take the pod; `reasons` says for each other node why not; `blocked` why no node could, "" if one may."""

    nodes: tuple[str, ...]
    reasons: dict[str, tuple[str, ...]]
    blocked: str = ""


@dataclass(frozen=True, slots=True)
class Placement:
    """`node` is "" when the pod stays Pending; `message` is the scheduler's, `victims` the pods preempted for it."""

    node: str = ""
    message: str = ""
    victims: tuple[Object, ...] = field(default=())


def feasible(store: Store, pod: Object, requests: fit.Requests | None = None) -> Feasibility:
    """Which nodes can take the pod now, and why the others cannot."""
    why = volumes.blocked(store, pod)
    nodes = store.objects("nodes")
    if why:
        return Feasibility((), {}, why)
    requests = requests or fit.Requests()
    rules = PodRules(store, pod)
    good, bad = [], dict[str, tuple[str, ...]]()
    for node in nodes:
        name = node["metadata"]["name"]
        reasons = _reasons(store, pod, node, rules, requests, fit.pods_on(store, name))
        if reasons:
            bad[name] = reasons
        else:
            good.append(name)
    return Feasibility(tuple(good), bad)


def _reasons(
    store: Store, pod: Object, node: Object, rules: PodRules, requests: fit.Requests, there: list[Object]
) -> tuple[str, ...]:
    for reason in (unschedulable(pod, node), untolerated(pod, node), node_affinity(pod, node)):
        if reason:
            return (reason,)
    there = [other for other in there if other["metadata"].get("uid") != pod["metadata"].get("uid")]
    if reason := fit.host_ports(pod, there):
        return (reason,)
    if short := fit.lacking(pod, node, there, requests.of):
        return tuple(short)
    for reason in (volumes.reachable(store, pod, node), rules.spread(node), rules.affinity(node)):
        if reason:
            return (reason,)
    return ()


def schedule(store: Store, pod: Object, requests: fit.Requests | None = None) -> Placement:
    """Choose a node: the emptiest feasible one that has the fewest pods of the same owner; ties by name."""
    requests = requests or fit.Requests()
    found = feasible(store, pod, requests)
    if found.nodes:
        return Placement(
            min(found.nodes, key=lambda name: (_crowd(store, pod, name), _load(store, name, requests), name))
        )
    total = store.count("nodes")
    if found.blocked:
        return Placement(message=_blocked_message(total, found.blocked))
    if victims := _preempt(store, pod, requests, found):
        return Placement(message=_message(total, found, pod), victims=victims[1])
    return Placement(message=_message(total, found, pod))


def _crowd(store: Store, pod: Object, node: str) -> int:
    owners = {ref["uid"] for ref in pod["metadata"].get("ownerReferences") or ()}
    return sum(
        not owners.isdisjoint(ref["uid"] for ref in other["metadata"].get("ownerReferences") or ())
        for other in fit.pods_on(store, node)
    )


def _load(store: Store, name: str, requests: fit.Requests) -> Fraction:
    node = next(item for key, item in store.items("nodes") if key.name == name)
    allocatable = amounts((node.get("status") or {}).get("allocatable"))
    load = Fraction(0)
    for resource in ("cpu", "memory"):
        used = sum((requests.of(pod).get(resource, Fraction(0)) for pod in fit.pods_on(store, name)), Fraction(0))
        load += used / (allocatable.get(resource) or Fraction(1))
    return load


def _blocked_message(total: int, why: str) -> str:
    suffix = "" if why.startswith("pod has") else ". not found" if "not found" in why else ""
    return f"0/{total} nodes are available: {why}{suffix or '. not found'}"


def _message(total: int, found: Feasibility, pod: Object) -> str:
    """As kube-scheduler aggregates it: each reason with its count, sorted, then the outcome of preemption."""
    counts = Counter(reason for reasons in found.reasons.values() for reason in reasons)
    parts = sorted(f"{count} {reason}" for reason, count in counts.items())
    text = f"0/{total} nodes are available: {', '.join(parts)}." if parts else "no nodes available to schedule pods"
    if not parts:
        return text
    if pod["spec"].get("preemptionPolicy") == "Never":
        return f"{text} no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never."
    helpless = sum(any(r.startswith(_NEVER_HELPED) for r in reasons) for reasons in found.reasons.values())
    outcome = Counter({"Preemption is not helpful for scheduling": helpless})
    outcome["No preemption victims found for incoming pod"] = total - helpless
    shown = ", ".join(f"{count} {reason}" for reason, count in sorted(outcome.items()) if count)
    return f"{text} no new claims to deallocate, preemption: 0/{total} nodes are available: {shown}."


def _preempt(
    store: Store, pod: Object, requests: fit.Requests, found: Feasibility
) -> tuple[str, tuple[Object, ...]] | None:
    """The node where the fewest and least important pods would have to go."""
    if pod["spec"].get("preemptionPolicy") == "Never":
        return None
    own = pod["spec"].get("priority", 0)
    best: tuple[tuple[int, int, str], tuple[Object, ...]] | None = None
    for node in store.objects("nodes"):
        name = node["metadata"]["name"]
        if any(reason.startswith(_NEVER_HELPED) for reason in found.reasons.get(name, ())):
            continue
        there = fit.pods_on(store, name)
        lower = [other for other in there if other["spec"].get("priority", 0) < own]
        if not lower or any("deletionTimestamp" in other["metadata"] for other in lower):
            continue
        victims = _fewest(store, pod, node, there, lower, requests)
        if victims:
            cost = (max(other["spec"].get("priority", 0) for other in victims), len(victims), name)
            if best is None or cost < best[0]:
                best = (cost, victims)
    return (best[0][2], best[1]) if best else None


def _fewest(
    store: Store, pod: Object, node: Object, there: list[Object], lower: list[Object], requests: fit.Requests
) -> tuple[Object, ...]:
    """Take all lower ones away; if the pod fits then, give back as many as possible, the most important first."""

    def fits(gone: list[Object]) -> bool:
        uids = frozenset(other["metadata"]["uid"] for other in gone)
        left = [other for other in there if other["metadata"]["uid"] not in uids]
        return not _reasons(store, pod, node, PodRules(store, pod, uids), requests, left)

    victims = list(lower)
    if not fits(victims):
        return ()
    for other in sorted(lower, key=lambda item: (-item["spec"].get("priority", 0), item["metadata"]["name"])):
        without = [item for item in victims if item is not other]
        if fits(without):
            victims = without
    return tuple(victims)
