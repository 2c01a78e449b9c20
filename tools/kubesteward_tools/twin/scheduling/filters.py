"""All filters for one pod, in kube-scheduler's order: what is the same for every node is prepared once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from kubesteward_tools.twin.amounts import Amounts, amounts
from kubesteward_tools.twin.demand import host_ports
from kubesteward_tools.twin.scheduling import fit
from kubesteward_tools.twin.scheduling.affinity import node_affinity
from kubesteward_tools.twin.scheduling.neighbours import AFFINITY, Neighbours
from kubesteward_tools.twin.scheduling.ports import PORTS, clash
from kubesteward_tools.twin.scheduling.spread import SPREAD_LABEL, Spread
from kubesteward_tools.twin.scheduling.taints import unschedulable, untolerated
from kubesteward_tools.twin.scheduling.usage import Room, requests
from kubesteward_tools.twin.scheduling.volumes import Volumes
from kubesteward_tools.world.store import Object, Store


class Refusal(NamedTuple):
    """Why a node cannot take a pod. `final` when taking other pods away would not help (no use in preempting)."""

    reasons: tuple[str, ...]
    final: bool


class Filters:
    """Ask `refusal` for each node. Pods whose UID is in `gone` count as not there (a preemption thought through)."""

    def __init__(self, store: Store, pod: Object, gone: frozenset[str] = frozenset()) -> None:
        self.pod, self.requests = pod, requests(pod)
        self.volumes = Volumes(store, pod)
        self._ports = frozenset(host_ports(pod["spec"]))
        self._neighbours = Neighbours(store, pod, gone)
        self._spread = Spread(store, pod, gone)

    @property
    def looks_at_other_nodes(self) -> bool:
        """Whether pods on one node can decide about another: then `gone` matters beyond the node itself."""
        return self._neighbours.any or self._spread.any

    def refusal(self, node: Object, room: Room) -> Refusal | None:
        for reason in self._about_the_node(node):
            if reason:
                return Refusal((reason,), final=True)
        allocatable = allocatable_of(node)
        if self._ports and clash(self._ports, room.ports):
            return Refusal((PORTS,), final=False)
        if short := fit.lacking(self.requests, allocatable, room):
            return Refusal(tuple(short), final=fit.too_small(self.requests, allocatable))
        for reason, final in self._about_others(node):
            if reason:
                return Refusal((reason,), final)
        return None

    def _about_the_node(self, node: Object) -> Iterator[str]:
        yield unschedulable(self.pod, node)
        if self.pod["spec"].get("nodeName") not in {None, "", node["metadata"]["name"]}:
            yield "node(s) didn't match the requested node name"
        yield untolerated(self.pod, node)
        yield node_affinity(self.pod, node)

    def _about_others(self, node: Object) -> Iterator[tuple[str, bool]]:
        yield self.volumes.in_use(), False
        yield self.volumes.reason(node), True
        reason = self._spread.reason(node)
        yield reason, reason == SPREAD_LABEL
        reason = self._neighbours.reason(node)
        yield reason, reason == AFFINITY


def allocatable_of(node: Object) -> Mapping[str, Fraction]:
    return _amounts(tuple(((node.get("status") or {}).get("allocatable") or {}).items()))


@lru_cache(maxsize=1024)
def _amounts(pairs: tuple[tuple[str, str], ...]) -> Amounts:
    return amounts(dict(pairs))
