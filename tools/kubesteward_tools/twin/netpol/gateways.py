"""Which pods carry traffic from outside, and to which ports of which pods. The API does not say who they are.

They are known by the labels that the usual controllers' charts give them, and those of a Gateway by the label that the
Gateway API (GEP-1762) asks of what is made for a Gateway.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.twin.backends import INGRESSES, legs, routes_to
from kubesteward_tools.twin.netpol.census import group_of
from kubesteward_tools.twin.netpol.ends import Pod
from kubesteward_tools.twin.netpol.policies import named
from kubesteward_tools.twin.netpol.ports import NONE, Connections
from kubesteward_tools.twin.selectors import matches_labels
from kubesteward_tools.world.relations.reading import at, mappings, text
from kubesteward_tools.world.store import Key, Store

_GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"
_NAMES = (
    ("app.kubernetes.io/name", "ingress-nginx"),
    ("app.kubernetes.io/name", "nginx-ingress"),
    ("app.kubernetes.io/name", "traefik"),
    ("app.kubernetes.io/name", "haproxy-ingress"),
    ("app.kubernetes.io/name", "kubernetes-ingress"),
    ("app.kubernetes.io/name", "kong"),
    ("app.kubernetes.io/name", "contour"),
    ("app.kubernetes.io/name", "apisix"),
    ("app.kubernetes.io/name", "emissary-ingress"),
    ("app", "ingress-nginx"),
    ("app", "nginx-ingress"),
    ("app", "traefik"),
    ("app", "envoy"),
    ("istio", "ingressgateway"),
)
MOST_NAMESPACES = 500


def routed(store: Store, pods: list[Pod]) -> dict[Key, Connections]:
    """By route that leads to these pods (all of one namespace), the ports of the pods that it needs."""
    found: dict[Key, Connections] = {}
    for pod in pods:
        for key, service in store.items("services", pod.namespace):
            if matches_labels(at(service, "spec").get("selector"), pod.labels):
                for route in routes_to(store, key):
                    wanted = {leg.port for leg in legs(route, store.get(route) or {}) if leg.service == key}
                    for port in mappings(at(service, "spec").get("ports")):
                        if wanted & {None, port.get("port"), port.get("name")}:
                            found[route] = found.get(route, NONE) | _target(port, pod)
    return {route: ports for route, ports in found.items() if ports}


def _target(port: dict[str, object], pod: Pod) -> Connections:
    protocol = text(port.get("protocol")) or "TCP"
    target = port.get("targetPort", port.get("port"))
    numbers = [target] if isinstance(target, int) else named(pod, str(target), protocol)
    found = NONE
    for number in numbers:
        found |= Connections.of(protocol, number, number)
    return found


def carriers(store: Store, route: Key) -> list[Key]:
    """The workloads that carry the traffic of a route, as far as their labels tell, sorted."""
    return sorted(dict.fromkeys(_carriers(store, route)))


def _carriers(store: Store, route: Key) -> Iterator[Key]:
    if route.resource == INGRESSES:
        for namespace in store.spaces("pods")[:MOST_NAMESPACES]:
            for label, value in _NAMES:
                yield from _labelled(store, namespace, label, value)
        return
    for parent in mappings(at(store.get(route) or {}, "spec").get("parentRefs")):
        namespace = text(parent.get("namespace")) or route.namespace
        found = list(_labelled(store, namespace, _GATEWAY_NAME, text(parent.get("name"))))
        yield from found
        if not found:
            yield from _carriers(store, Key(INGRESSES, route.namespace, ""))


def _labelled(store: Store, namespace: str, label: str, value: str) -> Iterator[Key]:
    for key in store.selected("pods", namespace, {"matchLabels": {label: value}}):
        if (pod := store.get(key)) is not None:
            yield group_of(store, key, pod)


def resolvers(store: Store) -> list[Key]:
    """The workloads that answer DNS questions: all distributions keep this label of the first one."""
    return sorted(set(_labelled(store, "kube-system", "k8s-app", "kube-dns")))
