"""Where Ingresses and the Gateway API's routes send traffic: match by match, the Service and its port.

API docs: networking.k8s.io/v1 Ingress; gateway.networking.k8s.io HTTPRoute, GRPCRoute, TLSRoute, TCPRoute, UDPRoute and
ReferenceGrant (without which no route leads into another namespace).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from kubesteward_tools.twin.watcher import SLICES
from kubesteward_tools.world.relations.reading import at, mapping, mappings, text, texts
from kubesteward_tools.world.store import Key, Object, Store

INGRESSES = "ingresses.networking.k8s.io"
_GATEWAY_API = "gateway.networking.k8s.io"
GATEWAY_ROUTES = tuple(
    f"{plural}.{_GATEWAY_API}" for plural in ("httproutes", "grpcroutes", "tlsroutes", "tcproutes", "udproutes")
)
ROUTES = (INGRESSES, *GATEWAY_ROUTES)
_GRANTS = f"referencegrants.{_GATEWAY_API}"
_SERVICE_NAME = "kubernetes.io/service-name"

State = Literal["works", "backend_gone", "port_gone", "no_endpoints"]


@dataclass(frozen=True, slots=True)
class Leg:
    """Requests that match (`shop.example.com/cart`, `*` for all) go to a port of a Service: its number or name."""

    match: str
    service: Key
    port: int | str | None


def legs(key: Key, route: Object) -> list[Leg]:
    """Where a route leads, each way once, in its own order."""
    spec = mapping(route.get("spec"))
    found = _ingress(key, spec) if key.resource == INGRESSES else _gateway_route(key, spec)
    return list(dict.fromkeys(found))


def routes_to(store: Store, *services: Key) -> list[Key]:
    """The routes that lead to any of these Services, sorted."""
    spaces: dict[str, set[Key]] = {}
    for service in services:
        spaces.setdefault(service.namespace, set()).add(service)
    found = {
        key
        for space, wanted in spaces.items()
        for key, route in _candidates(store, space)
        if any(leg.service in wanted for leg in legs(key, route))
    }
    return sorted(found)


def state(store: Store, leg: Leg) -> State:
    """What becomes of requests that take this way."""
    service = store.get(leg.service)
    if service is None:
        return "backend_gone"
    if mapping(service.get("spec")).get("type") == "ExternalName":
        return "works"
    ports = [port for port in mappings(at(service, "spec").get("ports")) if _is(port, leg.port)]
    if not ports:
        return "port_gone"
    ready = ready_by_port(store, leg.service)
    return "works" if any(ready.get(text(port.get("name"))) for port in ports) else "no_endpoints"


def ready_by_port(store: Store, service: Key) -> dict[str, int]:
    """The ready endpoints of each port of a Service, by the port's name ("" for one that has none)."""
    found: dict[str, int] = {}
    for key in store.selected(SLICES, service.namespace, {"matchLabels": {_SERVICE_NAME: service.name}}):
        one = store.get(key) or {}
        ready = sum(at(item, "conditions").get("ready") is not False for item in mappings(one.get("endpoints")))
        for port in mappings(one.get("ports")):
            name = text(port.get("name"))
            found[name] = found.get(name, 0) + ready
    return found


def _is(port: Object, wanted: int | str | None) -> bool:
    return wanted is None or wanted in {port.get("port"), port.get("name")}


def _candidates(store: Store, namespace: str) -> Iterator[tuple[Key, Object]]:
    """The routes that may lead to Services of a namespace."""
    yield from store.items(INGRESSES, namespace)
    grants = mappings([at(grant, "spec") for grant in store.objects(_GRANTS, namespace)])
    spaces = {text(item.get("namespace")) for grant in grants for item in mappings(grant.get("from"))} - {""}
    for resource in GATEWAY_ROUTES:
        for space in sorted({namespace, *spaces}):
            yield from store.items(resource, space)


def _ingress(key: Key, spec: Object) -> Iterator[Leg]:
    yield from _ingress_leg(key, "*", mapping(spec.get("defaultBackend")))
    for rule in mappings(spec.get("rules")):
        host = text(rule.get("host")) or "*"
        for path in mappings(at(rule, "http").get("paths")):
            exactly = " exactly" if path.get("pathType") == "Exact" else ""
            match = f"{host}{text(path.get('path')) or '/'}{exactly}"
            yield from _ingress_leg(key, match, mapping(path.get("backend")))


def _ingress_leg(key: Key, match: str, backend: Object) -> Iterator[Leg]:
    service = mapping(backend.get("service"))
    port = mapping(service.get("port"))
    if name := text(service.get("name")):
        yield Leg(match, Key("services", key.namespace, name), _port(port.get("name") or port.get("number")))


def _gateway_route(key: Key, spec: Object) -> Iterator[Leg]:
    hosts = texts(spec.get("hostnames")) or ["*"]
    for rule in mappings(spec.get("rules")):
        matches = [_gateway_match(item) for item in mappings(rule.get("matches"))] or [""]
        for backend in mappings(rule.get("backendRefs")):
            name, is_service = text(backend.get("name")), (text(backend.get("kind")) or "Service") == "Service"
            if name and is_service and not backend.get("group"):
                service = Key("services", text(backend.get("namespace")) or key.namespace, name)
                for host in hosts:
                    for match in matches:
                        yield Leg(f"{host}{match}", service, _port(backend.get("port")))


def _gateway_match(match: Object) -> str:
    """Of HTTP the path, of gRPC the service and method; methods and headers in words behind them."""
    method = match.get("method")
    if isinstance(method, dict):
        return f"/{text(method.get('service'))}/{text(method.get('method'))}"
    path = text(at(match, "path").get("value")) or "/"
    more = [text(method), *(f"{text(item.get('name'))}={item.get('value')}" for item in mappings(match.get("headers")))]
    return " ".join(filter(None, (path, *more)))


def _port(value: Any) -> int | str | None:
    return value if isinstance(value, int | str) and value else None
