"""The two ends of a connection: pods, and ranges of addresses outside the cluster.

Callers name an end in many ways: the pod itself, a workload that has a template, `namespace/name`, a Ref or Key, an
address, a CIDR, a range of addresses, or `{ingress-controller}` and the like for a pod of which neither namespace nor
labels are known. All of them become a `Pod` or an `Outside` here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from kubesteward_tools.errors import InvalidArguments, ObjectNotFound
from kubesteward_tools.world.relations.reading import at, mapping, mappings, text, texts
from kubesteward_tools.world.relations.templates import POD_LIKE
from kubesteward_tools.world.store import Key, Object, Store

Address = IPv4Address | IPv6Address
_PARTS = ("namespace", "name")
_NAMED = re.compile(r"(?:\S+\s+)?(?:(?P<namespace>[^/\s]+)/)?(?P<name>[^/\s\[\]]+)(?:\[\w*\])?")


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod, or what a template would make. `ports` are (name, protocol, number) of its containers that have names.

    `node` names its node and `node_addresses` are that node's, as far as the pod's status tells them.
    """

    namespace: str
    name: str
    labels: Mapping[str, str]
    addresses: tuple[Address, ...] = ()
    ports: tuple[tuple[str, str, int], ...] = ()
    host_network: bool = False
    node: str = ""
    node_addresses: tuple[Address, ...] = ()

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Outside:
    """Addresses that belong to no pod, from `low` to `high`, both included."""

    low: Address
    high: Address

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}-{self.high}"

    def lies_in(self, network: IPv4Network | IPv6Network) -> bool:
        return self.low in network and self.high in network


End = Pod | Outside
EVERYWHERE = Outside(IPv4Address(0), IPv4Address(2**32 - 1))


def end_of(store: Store, given: Any) -> End:
    """The end that is meant.

    Raises:
        ObjectNotFound: no such pod or workload is in the store. InvalidArguments: it cannot be read as an end at all.
    """
    if isinstance(given, Pod | Outside):
        return given
    if isinstance(given, IPv4Address | IPv6Address | IPv4Network | IPv6Network):
        given = str(given)
    if isinstance(given, Mapping) and "metadata" in given:
        return pod_of(dict(given))
    if isinstance(given, str):
        return addresses(given) or _named(store, given)
    if isinstance(given, tuple) and len(given) == 2:
        return _find(store, str(given[0]), str(given[1]))
    namespace, name = (given.get(part) if isinstance(given, Mapping) else getattr(given, part, "") for part in _PARTS)
    if text(name):
        return _find(store, text(namespace) or "default", text(name))
    raise InvalidArguments(f"{given!r} names no pod and no address.", todo="Write namespace/name, an address or CIDR.")


def pod_of(obj: Object) -> Pod:
    """Of a pod, or of the template of a workload."""
    metadata, spec = mapping(obj.get("metadata")), mapping(obj.get("spec"))
    template = at(spec, "jobTemplate", "spec", "template") or mapping(spec.get("template"))
    described = mapping(template.get("metadata")) if template else metadata
    spec, status = mapping(template.get("spec")) if template else spec, mapping(obj.get("status"))
    return Pod(
        namespace=text(metadata.get("namespace")) or "default",
        name=text(metadata.get("name")),
        labels={key: str(value) for key, value in mapping(described.get("labels")).items()},
        addresses=() if template else tuple(_pod_addresses(status)),
        ports=tuple(_ports(spec)),
        host_network=spec.get("hostNetwork") is True,
        node=text(spec.get("nodeName")),
        node_addresses=tuple(_parsed([text(status.get("hostIP")), *_ips(status.get("hostIPs"))])),
    )


def addresses(words: str) -> Outside | None:
    """Of an address, a CIDR, or two addresses with a dash between; None when it is none of these."""
    wanted = words.strip().removeprefix("external:").partition("[")[0]
    first, dash, last = wanted.partition("-")
    try:
        if dash:
            return Outside(ip_address(first.strip()), ip_address(last.strip()))
        network = ip_network(wanted, strict=False)
    except ValueError:
        return None
    return Outside(network[0], network[-1])


def _named(store: Store, words: str) -> Pod:
    if words.startswith("{"):  # as listings write who has no place in the cluster that they know of
        return Pod("", words, {})
    match = _NAMED.fullmatch(words.strip())
    if match is None:
        raise InvalidArguments(f"{words!r} names no pod and no address.", todo="Write namespace/name or an address.")
    return _find(store, match["namespace"] or "default", match["name"])


def _find(store: Store, namespace: str, name: str) -> Pod:
    """A pod of that name; or what a workload of that name makes; or a pod whose controller is called so."""
    for resource in ("pods", *POD_LIKE):
        if (found := store.get(Key(resource, namespace, name))) is not None:
            return pod_of(found)
    for _, pod in store.items("pods", namespace):
        if any(owner.get("name") == name for owner in mappings(mapping(pod["metadata"]).get("ownerReferences"))):
            return pod_of(pod)
    raise ObjectNotFound(f"there is no pod or workload {name!r} in {namespace!r}.", todo="List the pods of it.")


def _pod_addresses(status: Object) -> Iterator[Address]:
    yield from _parsed(dict.fromkeys([text(status.get("podIP")), *_ips(status.get("podIPs"))]))


def _ips(found: Any) -> list[str]:
    return [text(item.get("ip")) for item in mappings(found)] or texts(found)


def _parsed(found: Any) -> Iterator[Address]:
    for item in found:
        try:
            yield ip_address(item)
        except ValueError:
            continue


def _ports(spec: Object) -> Iterator[tuple[str, str, int]]:
    """Of the containers that run as long as the pod does: sidecars (init containers that restart) among them."""
    lasting = [item for item in mappings(spec.get("initContainers")) if item.get("restartPolicy") == "Always"]
    for container in [*mappings(spec.get("containers")), *lasting]:
        for port in mappings(container.get("ports")):
            name, number = text(port.get("name")), port.get("containerPort")
            if name and isinstance(number, int):
                yield name, (text(port.get("protocol")) or "TCP").upper(), number
