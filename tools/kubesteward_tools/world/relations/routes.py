"""Traffic from outside goes through gateways and routes to Services.

API docs: networking.k8s.io/v1 Ingress (and its extensions/v1beta1 form, which old bundles hold), the Gateway API's
Gateway and HTTPRoute, GRPCRoute, TLSRoute, TCPRoute and UDPRoute. References without a group mean Services and Secrets
where the API says so, parents without one mean Gateways. Without a namespace they stay in their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from sys import intern

from kubesteward_tools.world.relations.edge import Depends, Edge, Kinds
from kubesteward_tools.world.relations.reading import at, mapping, mappings, port, text
from kubesteward_tools.world.relations.references import resource_of
from kubesteward_tools.world.store import Key, Object

RELATION = "routes"
_GATEWAY_API = "gateway.networking.k8s.io"
_INGRESSES = ("ingresses.networking.k8s.io", "ingresses.extensions")
_GATEWAY = f"gateways.{_GATEWAY_API}"
_ROUTES = ("httproutes", "grpcroutes", "tlsroutes", "tcproutes", "udproutes")
RESOURCES = (*_INGRESSES, _GATEWAY, *(f"{route}.{_GATEWAY_API}" for route in _ROUTES))
DEPENDS: Depends = "source"

_CLASS_ANNOTATION = "kubernetes.io/ingress.class"


def derive(key: Key, obj: Object, kinds: Kinds) -> Iterator[Edge]:
    """Ingress → Services, class, TLS Secrets; route → Services and Gateways; Gateway → class and TLS Secrets."""
    spec = mapping(obj.get("spec"))
    if key.resource in _INGRESSES:
        yield from _ingress_class(key, obj, spec)
        yield from _ingress(key, spec, kinds)
    elif key.resource == _GATEWAY:
        yield from _gateway(key, spec, kinds)
    else:
        yield from _route(key, spec, kinds)


def _ingress_class(key: Key, obj: Object, spec: Object) -> Iterator[Edge]:
    """The class in the old annotation needs no object: controllers look at its name alone."""
    if name := text(spec.get("ingressClassName")):
        yield Edge(RELATION, key, Key("ingressclasses.networking.k8s.io", "", name), "class")
    elif name := text(at(obj, "metadata", "annotations").get(_CLASS_ANNOTATION)):
        yield Edge(RELATION, key, Key("ingressclasses.networking.k8s.io", "", name), "class annotation", optional=True)


def _ingress(key: Key, spec: Object, kinds: Kinds) -> Iterator[Edge]:
    for field in ("defaultBackend", "backend"):
        yield from _ingress_backend(key, mapping(spec.get(field)), kinds)
    for rule in mappings(spec.get("rules")):
        for path in mappings(at(rule, "http").get("paths")):
            yield from _ingress_backend(key, mapping(path.get("backend")), kinds)
    for entry in mappings(spec.get("tls")):
        if name := text(entry.get("secretName")):
            yield Edge(RELATION, key, Key("secrets", key.namespace, name), "tls")


def _ingress_backend(key: Key, backend: Object, kinds: Kinds) -> Iterator[Edge]:
    service, other = mapping(backend.get("service")), mapping(backend.get("resource"))
    number = mapping(service.get("port"))
    wanted = number.get("name") or number.get("number") or backend.get("servicePort")
    if name := text(service.get("name")) or text(backend.get("serviceName")):
        yield Edge(RELATION, key, Key("services", key.namespace, name), intern(port(wanted)))
    kind, name = text(other.get("kind")), text(other.get("name"))
    if kind and name:
        resource = resource_of(text(other.get("apiGroup")), kind, kinds)
        yield Edge(RELATION, key, Key(resource, key.namespace, name), "backend")


def _gateway(key: Key, spec: Object, kinds: Kinds) -> Iterator[Edge]:
    if name := text(spec.get("gatewayClassName")):
        yield Edge(RELATION, key, Key(f"gatewayclasses.{_GATEWAY_API}", "", name), "class")
    for listener in mappings(spec.get("listeners")):
        detail = intern(f"tls of listener {text(listener.get('name'))}")
        for reference in mappings(at(listener, "tls").get("certificateRefs")):
            yield from _reference(key, reference, ("", "Secret"), detail, kinds)


def _route(key: Key, spec: Object, kinds: Kinds) -> Iterator[Edge]:
    for parent in mappings(spec.get("parentRefs")):
        section = text(parent.get("sectionName"))
        detail = intern(f"parent, section {section}" if section else "parent")
        yield from _reference(key, parent, (_GATEWAY_API, "Gateway"), detail, kinds)
    for rule in mappings(spec.get("rules")):
        for backend in mappings(rule.get("backendRefs")):
            yield from _reference(key, backend, ("", "Service"), port(backend.get("port")), kinds)
            yield from _mirrors(key, backend, kinds)
        yield from _mirrors(key, rule, kinds)


def _mirrors(key: Key, rule: Object, kinds: Kinds) -> Iterator[Edge]:
    """A mirror's answers are thrown away: the route does without it."""
    for item in mappings(rule.get("filters")):
        backend = at(item, "requestMirror", "backendRef")
        for edge in _reference(key, backend, ("", "Service"), "mirror", kinds):
            yield edge._replace(optional=True)


def _reference(key: Key, reference: Object, default: tuple[str, str], detail: str, kinds: Kinds) -> Iterator[Edge]:
    group, kind, name = reference.get("group"), text(reference.get("kind")), text(reference.get("name"))
    if name:
        wanted = group if isinstance(group, str) else default[0]
        resource = resource_of(wanted, kind or default[1], kinds)
        namespace = text(reference.get("namespace")) or key.namespace
        yield Edge(RELATION, key, Key(resource, namespace, name), intern(detail))
