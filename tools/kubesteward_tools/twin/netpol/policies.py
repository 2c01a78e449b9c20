"""What single NetworkPolicies say: whom they select, whom their rules name, which ports.

API doc: networking.k8s.io/v1 NetworkPolicy; KEP-2079 (endPort), KEP-2161 (the label with a namespace's own name).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Literal

from kubesteward_tools.twin.netpol.ends import End, Outside, Pod
from kubesteward_tools.twin.netpol.ports import ALL, NONE, Connections
from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.world.relations.reading import label_selector, mapping, mappings, text, texts
from kubesteward_tools.world.store import Key, Object, Store

POLICIES = "networkpolicies.networking.k8s.io"
Direction = Literal["ingress", "egress"]
DIRECTIONS: tuple[Direction, ...] = ("ingress", "egress")
_PEERS = {"ingress": "from", "egress": "to"}
_OWN_NAME = "kubernetes.io/metadata.name"
Network = IPv4Network | IPv6Network


def has(policy: Object, direction: Direction) -> bool:
    """Whether the policy isolates in this direction. Without policyTypes: ingress always, egress if it has rules."""
    spec = mapping(policy.get("spec"))
    types = texts(spec.get("policyTypes"))
    if not types:
        return direction == "ingress" or bool(spec.get("egress"))
    return direction.capitalize() in types


def selector(policy: Object) -> Object | None:
    """Of the pods that the policy is about, in its namespace; a policy without one is about all."""
    found = mapping(policy.get("spec")).get("podSelector")
    return {} if found is None else label_selector(found)


def selects(policy: Object, pod: Pod) -> bool:
    """The network of a pod on its node's own is the node's, which policies are not about."""
    own = policy["metadata"].get("namespace", "default") == pod.namespace
    return own and not pod.host_network and matches(selector(policy), pod.labels)


def selecting(store: Store, pod: Pod, direction: Direction) -> list[Object]:
    """The policies that isolate the pod in this direction."""
    found = store.objects(POLICIES, pod.namespace)
    return [policy for policy in found if has(policy, direction) and selects(policy, pod)]


def rules(policy: Object, direction: Direction) -> list[Object]:
    return mappings(mapping(policy.get("spec")).get(direction)) if has(policy, direction) else []


def peers(rule: Object, direction: Direction) -> list[Object]:
    """Those whom a rule names; none means that it names everybody."""
    return mappings(rule.get(_PEERS[direction]))


def names(store: Store, policy: Object, rule: Object, direction: Direction, end: End) -> bool:
    """Whether a rule is about this other end."""
    listed = peers(rule, direction)
    if not listed:
        return not rule.get(_PEERS[direction])
    return any(_is(store, policy, peer, end) for peer in listed)


def _is(store: Store, policy: Object, peer: Object, end: End) -> bool:
    if (block := peer.get("ipBlock")) is not None:
        return in_block(mapping(block), end)
    if isinstance(end, Outside) or end.host_network:
        return False
    return names_pod(peer, policy["metadata"].get("namespace", "default"), end, namespace_labels(store, end.namespace))


def names_pod(peer: Object, home: str, pod: Pod, labels: Mapping[str, str]) -> bool:
    """Whether a peer of a policy of the namespace `home` selects a pod in a namespace with these `labels`."""
    spaces, pods = peer.get("namespaceSelector"), peer.get("podSelector")
    if spaces is None and pods is None:
        return False
    near = pod.namespace == home if spaces is None else matches(label_selector(spaces), labels)
    return near and (pods is None or matches(label_selector(pods), pod.labels))


def namespace_labels(store: Store, namespace: str) -> dict[str, str]:
    """The API server gives each namespace a label with its name, which no manifest needs to have."""
    found = store.get(Key("namespaces", "", namespace)) or {}
    return {**mapping(mapping(found.get("metadata")).get("labels")), _OWN_NAME: namespace}


def in_block(block: Object, end: End) -> bool:
    """Blocks hold for pods by their addresses too, and for pods on their node's network by the node's."""
    inside, left_out = networks(block)
    if isinstance(end, Outside):
        return any(end.lies_in(item) for item in inside) and not any(end.low in item for item in left_out)
    own = (*end.addresses, *end.node_addresses) if end.host_network else end.addresses
    return any(_holds(inside, left_out, Outside(address, address)) for address in own)


def _holds(inside: list[Network], left_out: list[Network], one: Outside) -> bool:
    return any(one.lies_in(item) for item in inside) and not any(one.lies_in(item) for item in left_out)


def networks(block: Object) -> tuple[list[Network], list[Network]]:
    """The network of an ipBlock and its exceptions; what cannot be read as one is left out."""
    return list(_networks([block.get("cidr")])), list(_networks(block.get("except")))


def _networks(found: Any) -> Iterator[Network]:
    for item in found if isinstance(found, list) else ():
        try:
            yield ip_network(text(item), strict=False)
        except ValueError:
            continue


def blocks(policy: Object, direction: Direction) -> Iterator[Object]:
    for rule in rules(policy, direction):
        for peer in peers(rule, direction):
            if (block := peer.get("ipBlock")) is not None:
                yield mapping(block)


def opens(rule: Object, destination: End) -> Connections:
    """The ports of a rule. Names of ports are those of the destination's containers; outside nobody has names."""
    listed = mappings(rule.get("ports"))
    if not listed:
        return NONE if rule.get("ports") else ALL
    found = NONE
    for port in listed:
        found |= _port(port, destination)
    return found


def _port(port: Object, destination: End) -> Connections:
    protocol, number = (text(port.get("protocol")) or "TCP").upper(), port.get("port")
    if number is None:
        return Connections.of(protocol)
    if isinstance(number, int):
        last = port.get("endPort")
        return Connections.of(protocol, number, last if isinstance(last, int) else number)
    found = NONE
    for one in named(destination, text(number), protocol):
        found |= Connections.of(protocol, one, one)
    return found


def named(destination: End, name: str, protocol: str) -> list[int]:
    """The numbers of the ports that the destination's containers call so."""
    if isinstance(destination, Outside):
        return []
    return [number for own, kind, number in destination.ports if (own, kind) == (name, protocol)]
