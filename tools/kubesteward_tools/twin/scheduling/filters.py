"""All filters for one pod, in kube-scheduler's order: what is the same for every node is prepared once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kubesteward_tools.twin.demand import host_ports
from kubesteward_tools.twin.scheduling import fit
from kubesteward_tools.twin.scheduling.affinity import node_affinity
from kubesteward_tools.twin.scheduling.neighbours import AFFINITY, Neighbours
from kubesteward_tools.twin.scheduling.nodes import allocatable_of
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
        self.pod, self._asked = pod, fit.asked(requests(pod))
        self.volumes = Volumes(store, pod)
        self._ports = frozenset(host_ports(pod["spec"]))
        self._neighbours = Neighbours(store, pod, gone)
        self._spread = Spread(store, pod, gone)
        self._minds_others = self.volumes.any or self._spread.any or self._neighbours.any
        self._bound = bool(pod["spec"].get("nodeName"))
        self._picky = bool(pod["spec"].get("nodeSelector") or (pod["spec"].get("affinity") or {}).get("nodeAffinity"))

    @property
    def looks_at_other_nodes(self) -> bool:
        """Whether pods on one node can decide about another: then `gone` matters beyond the node itself."""
        return self._neighbours.any or self._spread.any

    def refusal(self, node: Object, room: Room) -> Refusal | None:
        if self._picky or self._bound or node["spec"]:
            for reason in self._about_the_node(node):
                if reason:
                    return Refusal((reason,), final=True)
        allocatable = allocatable_of(node)
        if self._ports and clash(self._ports, room.ports):
            return Refusal((PORTS,), final=False)
        if not fit.fits(self._asked, allocatable, room):
            short = fit.lacking(self._asked, allocatable, room)
            return Refusal(tuple(short), final=fit.too_small(self._asked, allocatable))
        if self._minds_others:
            for reason, final in self._about_others(node):
                if reason:
                    return Refusal((reason,), final)
        return None

    def _about_the_node(self, node: Object) -> Iterator[str]:
        spec = node["spec"]
        if spec.get("unschedulable"):
            yield unschedulable(self.pod, node)
        if self.pod["spec"].get("nodeName") not in {None, "", node["metadata"]["name"]}:
            yield "node(s) didn't match the requested node name"
        if spec.get("taints"):
            yield untolerated(self.pod, node)
        if self._picky:
            yield node_affinity(self.pod, node)

    def _about_others(self, node: Object) -> Iterator[tuple[str, bool]]:
        if self.volumes.any:
            yield self.volumes.in_use(), False
            yield self.volumes.reason(node), True
        if self._spread.any:
            reason = self._spread.reason(node)
            yield reason, reason == SPREAD_LABEL
        if self._neighbours.any:
            reason = self._neighbours.reason(node)
            yield reason, reason == AFFINITY
