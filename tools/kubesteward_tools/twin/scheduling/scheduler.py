"""One pod, all nodes: filters first, then a choice among the nodes that pass or an explanation of why none does."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from kubesteward_tools.twin.scheduling import message
from kubesteward_tools.twin.scheduling.affinity import named_nodes
from kubesteward_tools.twin.scheduling.filters import Filters, Refusal
from kubesteward_tools.twin.scheduling.nodes import names
from kubesteward_tools.twin.scheduling.preemption import Preemption
from kubesteward_tools.twin.scheduling.usage import Room, Usage, pods_on
from kubesteward_tools.world.store import Object, Store

_ENOUGH = 100
"""As kube-scheduler does in large clusters: this many feasible nodes are a choice. Fewer are looked for everywhere."""

GATED = "Scheduling is blocked due to non-empty scheduling gates"

_NOT_NAMED = Refusal(("node(s) didn't satisfy plugin(s) [NodeAffinity]",), final=True)
"""Nodes that are not even looked at, for the pod names others."""


@dataclass(frozen=True, slots=True)
class Feasibility:
    """`nodes` can take the pod; `refusals` says of each other node why not; `blocked` why none could, or ""."""

    nodes: tuple[str, ...]
    refusals: dict[str, Refusal]
    blocked: str = ""

    @property
    def reasons(self) -> dict[str, tuple[str, ...]]:
        return {name: refusal.reasons for name, refusal in self.refusals.items()}

    def as_json(self) -> dict[str, Any]:
        reasons = {name: list(why) for name, why in sorted(self.reasons.items())}
        return {"nodes": list(self.nodes), "reasons": reasons, "blocked": self.blocked}


@dataclass(frozen=True, slots=True)
class Placement:
    """`node` is "" when the pod stays Pending; `message` is the scheduler's.

    `victims` are the pods to be preempted on the node `nominated`, where the pod may go once they have left.
    """

    node: str = ""
    message: str = ""
    victims: tuple[Object, ...] = field(default=())
    nominated: str = ""


def feasible(store: Store, pod: Object, usage: Usage | None = None, *, enough: int | None = None) -> Feasibility:
    """Which nodes can take the pod now, and why the others cannot. Stops early where `enough` nodes can."""
    usage, filters = usage or Usage(), Filters(store, pod)
    if why := filters.volumes.blocked():
        return Feasibility((), {}, why)
    waiting = _nominated(store, pod)
    good, refusals, all_names = list[str](), dict[str, Refusal](), names(store)
    if (named := named_nodes(pod)) is not None:
        refusals = {name: _NOT_NAMED for name in all_names if name not in named}
        all_names = [name for name in all_names if name in named]
    for name in _from_anywhere(all_names, pod):
        found = usage.host(store, name)
        if found is None:
            continue
        refusal = filters.refusal(found, _room(store, pod, name, usage, waiting))
        if refusal is not None:
            refusals[name] = refusal
            continue
        good.append(name)
        if len(good) == enough:
            break
    return Feasibility(tuple(good), refusals)


def everywhere(store: Store, pod: Object) -> Feasibility:
    """The same of every node, in order of their names, also where the pod itself could go nowhere."""
    found = Feasibility((), {}, GATED) if pod["spec"].get("schedulingGates") else feasible(store, pod)
    refusals = found.refusals
    if found.blocked:
        refusals = {key.name: Refusal((found.blocked,), final=True) for key in store.keys("nodes")}
    return Feasibility(tuple(sorted(found.nodes)), refusals, found.blocked)


def schedule(store: Store, pod: Object, usage: Usage | None = None) -> Placement:
    """Choose a node: fewest pods of the same owner first, then the emptiest; of equals the last."""
    usage = usage or Usage()
    found = feasible(store, pod, usage, enough=_ENOUGH)
    if found.nodes:
        crowd = _crowd(store, pod)
        return Placement(min(reversed(found.nodes), key=lambda name: (crowd.get(name, 0), usage.load(store, name))))
    if found.blocked:
        return Placement(message=message.blocked(store.count("nodes"), found.blocked))
    preemption = Preemption(store, pod, found.refusals, usage)
    if why := preemption.not_eligible():
        return Placement(message=message.unschedulable(found.refusals, why))
    if chosen := preemption.choose():
        node, victims = chosen
        return Placement(message=message.unschedulable(found.refusals), victims=victims, nominated=node)
    return Placement(message=message.unschedulable(found.refusals, message.no_victims(found.refusals)))


def _from_anywhere(nodes: Sequence[str], pod: Object) -> Iterator[str]:
    """Every node once. Where only some are looked at, replicas look at the same ones and other workloads at others."""
    owners = pod["metadata"].get("ownerReferences") or [{"uid": pod["metadata"].get("uid", "")}]
    start = crc32(owners[0]["uid"].encode()) % len(nodes) if len(nodes) > _ENOUGH else 0
    yield from itertools.islice(nodes, start, None)
    yield from itertools.islice(nodes, start)


def _nominated(store: Store, pod: Object) -> dict[str, list[Object]]:
    """Pods of at least this priority that wait for victims to leave a node: their room is taken already."""
    found: dict[str, list[Object]] = {}
    for key in store.pods_on(""):
        other = store.get(key) or {}
        node = (other.get("status") or {}).get("nominatedNodeName")
        if not node or other["metadata"].get("uid") == pod["metadata"].get("uid"):
            continue
        if (other["spec"].get("priority") or 0) >= (pod["spec"].get("priority") or 0):
            found.setdefault(node, []).append(other)
    return found


def _room(store: Store, pod: Object, name: str, usage: Usage, waiting: dict[str, list[Object]]) -> Room:
    """What the node's pods use, without the pod itself and with those that are to come."""
    if name not in waiting and pod["spec"].get("nodeName") != name:
        return usage.room(store, name)
    there = [item for item in pods_on(store, name) if item["metadata"].get("uid") != pod["metadata"].get("uid")]
    return Room.of([*there, *waiting.get(name, ())])


def _crowd(store: Store, pod: Object) -> dict[str, int]:
    """Pods of the same owners by node."""
    found: dict[str, int] = {}
    for owner in pod["metadata"].get("ownerReferences") or ():
        for key in store.owned_by(owner["uid"]):
            facts = store.facts(key)
            if facts is not None and facts.node:
                found[facts.node] = found.get(facts.node, 0) + 1
    return found
