"""Endpoint slices list the addresses behind a Service and the pods that have them.

API docs: discovery.k8s.io/v1 EndpointSlice (label kubernetes.io/service-name, endpoints[].targetRef; an unknown
readiness counts as ready), v1.Endpoints (called as its Service).
A slice follows its pods; a Service sends its traffic to what the slices say.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.world.relations.edge import Depends, Edge, Kinds
from kubesteward_tools.world.relations.reading import at, mapping, mappings, text
from kubesteward_tools.world.store import Key, Object

RELATION = "endpoints"
RESOURCES = ("endpointslices.discovery.k8s.io", "endpoints")
DEPENDS: Depends = "source"
DEPENDS_BY_KIND: dict[tuple[str, str], Depends] = {("*", "services"): "target"}

_SERVICE_LABEL = "kubernetes.io/service-name"


def derive(key: Key, obj: Object, kinds: Kinds) -> Iterator[Edge]:
    """Slice → Service, and slice → pods with "ready" or "not ready" as the detail."""
    del kinds
    if key.resource == "endpoints":
        yield from _legacy(key, mappings(obj.get("subsets")))
        return
    if service := text(at(obj, "metadata", "labels").get(_SERVICE_LABEL)):
        yield Edge(RELATION, key, Key("services", key.namespace, service), "service")
    for endpoint in mappings(obj.get("endpoints")):
        ready = mapping(endpoint.get("conditions")).get("ready") is not False
        yield from _pods(key, [endpoint], "ready" if ready else "not ready")


def _legacy(key: Key, subsets: list[Object]) -> Iterator[Edge]:
    """Without addresses it may be no Service's: elections of leaders used to be held in such objects."""
    if subsets:
        yield Edge(RELATION, key, Key("services", key.namespace, key.name), "service")
    for subset in subsets:
        for field, detail in (("addresses", "ready"), ("notReadyAddresses", "not ready")):
            yield from _pods(key, mappings(subset.get(field)), detail)


def _pods(key: Key, addresses: list[Object], detail: str) -> Iterator[Edge]:
    for address in addresses:
        target = mapping(address.get("targetRef"))
        if target.get("kind") == "Pod" and (name := text(target.get("name"))):
            yield Edge(RELATION, key, Key("pods", text(target.get("namespace")) or key.namespace, name), detail)
