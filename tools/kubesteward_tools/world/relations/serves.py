"""An aggregated API is served by a Service, and the pods of a StatefulSet are named under one.

API docs: apiregistration.k8s.io/v1 APIServiceSpec.service (null for the API server's own groups), apps/v1
StatefulSetSpec.serviceName (the governing Service, which gives each pod its DNS name).
That Service follows its pods. Were they to follow it, each replica would break with every other one and its node.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.world.relations.edge import Depends, Edge, Kinds
from kubesteward_tools.world.relations.reading import mapping, text
from kubesteward_tools.world.store import Key, Object

RELATION = "serves"
RESOURCES = ("apiservices.apiregistration.k8s.io", "statefulsets.apps")
DEPENDS: Depends = "source"
DEPENDS_BY_KIND: dict[tuple[str, str], Depends] = {("statefulsets.apps", "*"): "neither"}


def derive(key: Key, obj: Object, kinds: Kinds) -> Iterator[Edge]:
    """APIService or StatefulSet → Service."""
    del kinds
    spec = mapping(obj.get("spec"))
    if key.resource == "statefulsets.apps":
        if name := text(spec.get("serviceName")):
            yield Edge(RELATION, key, Key("services", key.namespace, name), "governing service")
        return
    service = mapping(spec.get("service"))
    namespace, name = text(service.get("namespace")), text(service.get("name"))
    if namespace and name:
        yield Edge(RELATION, key, Key("services", namespace, name), "aggregated API")
