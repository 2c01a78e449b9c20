"""Who may reach whom: all policies of both ends together.

A pod that no policy isolates in a direction may do everything in it; one that is isolated may do what any of its
policies allows. Traffic needs the leave of both: egress of the source and ingress of the destination. No policy can
take away what a pod says to itself, or what comes from or goes to the node that it runs on (kubelet probes).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from kubesteward_tools.twin.netpol.ends import Address, End, Outside, Pod, end_of
from kubesteward_tools.twin.netpol.policies import Direction, blocks, named, names, networks, opens, rules, selecting
from kubesteward_tools.twin.netpol.ports import ALL, NONE, Connections
from kubesteward_tools.twin.worlds import store_of
from kubesteward_tools.world.store import Object, Store

HostNetwork = Literal["like_pods", "like_nodes"]
"""What policies mean to pods on their node's network, which the API leaves to the network plugin: either it tells them
from the node and treats them as all pods, or their traffic is the node's, which only an ipBlock can name."""


@dataclass(frozen=True, slots=True)
class Side:
    """What one end's policies say in one direction. `isolating` and `allowing` are `namespace/name` of policies.

    Without an isolating policy everything is allowed, and nothing is needed that allows it.
    """

    direction: Direction
    connections: Connections
    isolating: tuple[str, ...] = ()
    allowing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reach:
    """What the source may say to the destination, and what either side contributes."""

    source: End
    destination: End
    egress: Side
    ingress: Side

    @property
    def connections(self) -> Connections:
        return self.egress.connections & self.ingress.connections

    def why(self, port: int, protocol: str = "TCP") -> str:
        """One sentence: what allows it, or who stops it."""
        stopped = [
            self._stop(side) for side in (self.egress, self.ingress) if not side.connections.allows(port, protocol)
        ]
        what = f"{self.source} to {self.destination} on {protocol} {port}"
        if stopped:
            return f"{what} is denied: {' and '.join(stopped)}"
        allowing = [
            f"{', '.join(side.allowing)} ({side.direction})" for side in (self.egress, self.ingress) if side.allowing
        ]
        return f"{what} is allowed: {' and '.join(allowing) if allowing else 'no policy is about it'}"

    def _stop(self, side: Side) -> str:
        pod = self.source if side.direction == "egress" else self.destination
        return f"{', '.join(side.isolating)} isolates {pod} for {side.direction} and no policy of it allows this"


def reachable(world: Any, source: Any, destination: Any, port: Any = None, protocol: str | None = "TCP") -> bool:
    """Whether NetworkPolicies let the source reach this port of the destination.

    `world` is a Store, anything with one (`.store`), or a list of Kubernetes objects.
    Ends are pods, workloads with a template, `namespace/name`,
    Refs, addresses or CIDRs (all of whose addresses are meant). `port` is the port of the pod (Services have no part in
    this): a number, or a name that the destination's containers have; None asks whether there is any.

    Raises:
        ObjectNotFound: no such pod or workload is in the store. InvalidArguments: an end cannot be read.
    """
    kind = (protocol or "TCP").upper()
    reach = explain(world, source, destination)
    if port is None or port == "":
        return bool(reach.connections & Connections.of(kind))
    return any(reach.connections.allows(number, kind) for number in _numbers(port, kind, reach.destination))


def _numbers(port: Any, protocol: str, destination: End) -> list[int]:
    return [int(port)] if isinstance(port, int) or str(port).isdecimal() else named(destination, str(port), protocol)


def connections(world: Any, source: Any, destination: Any, host_network: HostNetwork = "like_pods") -> Connections:
    """All ports by protocol on which the source may reach the destination."""
    return explain(world, source, destination, host_network).connections


def explain(world: Any, source: Any, destination: Any, host_network: HostNetwork = "like_pods") -> Reach:
    """Both sides of the question, with the policies that decide it.

    Raises:
        ObjectNotFound: no such pod or workload is in the store. InvalidArguments: an end cannot be read.
    """
    store = store_of(world)
    one, two = (_as(end_of(store, given), host_network) for given in (source, destination))
    if _is_local(one, two):
        return Reach(one, two, Side("egress", ALL), Side("ingress", ALL))
    return Reach(one, two, side(store, "egress", one, two, two), side(store, "ingress", two, one, two))


def _as(end: End, host_network: HostNetwork) -> End:
    own_network = isinstance(end, Pod) and end.host_network and host_network == "like_pods"
    return replace(end, host_network=False) if isinstance(end, Pod) and own_network else end


def side(store: Store, direction: Direction, end: End, other: End, destination: End) -> Side:
    """What the policies of `end` say of the `other`."""
    if isinstance(end, Outside):
        return Side(direction, ALL)
    isolating = selecting(store, end, direction)
    if not isolating:
        return Side(direction, ALL)
    found, allowing = ALL, dict[str, None]()
    for part in parts(other, isolating, direction):
        allowed = NONE
        for policy in isolating:
            if one := _allowed(store, policy, direction, part, destination):
                allowing[_title(policy)] = None
                allowed |= one
        found &= allowed
    return Side(direction, found, tuple(map(_title, isolating)), tuple(allowing))


def _allowed(store: Store, policy: Object, direction: Direction, other: End, destination: End) -> Connections:
    found = NONE
    for rule in rules(policy, direction):
        if names(store, policy, rule, direction, other):
            found |= opens(rule, destination)
    return found


def parts(end: End, policies: Iterable[Object], direction: Direction) -> list[End]:
    """Ranges of addresses in pieces to each of which every ipBlock of the policies applies as a whole or not at all."""
    if isinstance(end, Pod):
        return [end]
    version, cuts = end.low.version, {int(end.low)}
    for policy in policies:
        for inside, left_out in map(networks, blocks(policy, direction)):
            for network in (*inside, *left_out):
                if network.version == version:
                    cuts |= {int(network[0]), int(network[-1]) + 1}
    within = sorted(cut for cut in cuts if int(end.low) <= cut <= int(end.high))
    return list(_pieces(end, within))


def _pieces(end: Outside, cuts: list[int]) -> Iterator[End]:
    make = type(end.low)
    for start, following in zip(cuts, [*cuts[1:], int(end.high) + 1], strict=True):
        yield Outside(make(start), make(following - 1))


def _is_local(one: End, two: End) -> bool:
    """A pod and itself, or a pod and its own node: from the node's address, or a pod on the node's network there."""
    if isinstance(one, Pod) and isinstance(two, Pod):
        if (one.namespace, one.name) == (two.namespace, two.name):
            return True
        return (one.host_network or two.host_network) and bool(one.node) and one.node == two.node
    pod, outside = (one, two) if isinstance(one, Pod) else (two, one)
    if isinstance(pod, Pod) and isinstance(outside, Outside) and outside.low == outside.high:
        return _address(outside) in pod.node_addresses
    return False


def _address(one: Outside) -> Address:
    return one.low


def _title(policy: Object) -> str:
    metadata = policy["metadata"]
    return f"{metadata.get('namespace', 'default')}/{metadata['name']}"
