"""Services. API doc: core/v1 ServiceSpec."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from typing import Any

from kubesteward_tools.twin.status import FieldError, forbidden_field, invalid_value, not_supported, required
from kubesteward_tools.twin.validation.containers import port_name
from kubesteward_tools.twin.validation.metadata import LABEL, LABEL_HELP, SUBDOMAIN, SUBDOMAIN_HELP, labels

Spec = dict[str, Any]

_TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]
_PROTOCOLS = ["SCTP", "TCP", "UDP"]
_IN_RANGE = "must be between 1 and 65535, inclusive"
_OUTSIDE = {"NodePort", "LoadBalancer"}


def service(obj: Spec) -> Iterator[FieldError]:
    spec = obj.get("spec") or {}
    kind = spec.get("type", "ClusterIP")
    if kind not in _TYPES:
        yield not_supported("spec.type", kind, _TYPES)
    yield from labels("spec.selector", spec.get("selector") or {})
    if not spec.get("ports") and kind != "ExternalName" and spec.get("clusterIP") != "None":
        yield required("spec.ports")
    yield from _ports(spec, kind)
    yield from _address(spec, kind)
    yield from _traffic(spec, kind)


def _ports(spec: Spec, kind: str) -> Iterator[FieldError]:
    several = len(spec.get("ports") or ()) > 1
    names, places = set[str](), set[tuple[Any, str]]()
    for at, port in enumerate(spec.get("ports") or ()):
        path = f"spec.ports[{at}]"
        if several and not port.get("name"):
            yield required(f"{path}.name")
        elif port.get("name") and not LABEL.fullmatch(port["name"]):
            yield invalid_value(f"{path}.name", port["name"], LABEL_HELP)
        yield from _numbers(path, port)
        if port.get("protocol", "TCP") not in _PROTOCOLS:
            yield not_supported(f"{path}.protocol", port["protocol"], _PROTOCOLS)
        if port.get("nodePort") and kind not in _OUTSIDE:
            why = "may not be used when `type` is 'ClusterIP'"
            yield forbidden_field(f"{path}.nodePort", why)
        yield from _taken(path, port, names, places)


def _numbers(path: str, port: Spec) -> Iterator[FieldError]:
    if not isinstance(port.get("port"), int) or not 0 < port["port"] < 65536:
        yield invalid_value(f"{path}.port", port.get("port", 0), _IN_RANGE)
    target = port.get("targetPort")
    if isinstance(target, str):
        yield from port_name(f"{path}.targetPort", target)
    elif target and not 0 < target < 65536:
        yield invalid_value(f"{path}.targetPort", target, _IN_RANGE)


def _taken(path: str, port: Spec, names: set[str], places: set[tuple[Any, str]]) -> Iterator[FieldError]:
    """Neither a name nor a pair of port and protocol may come twice in a Service (API doc: ServicePort)."""
    name, place = port.get("name"), (port.get("port"), port.get("protocol", "TCP"))
    if name and name in names:
        yield FieldError("FieldValueDuplicate", f"{path}.name", f'Duplicate value: "{name}"')
    if place in places:
        shown = json.dumps({"protocol": place[1], "port": place[0]}, separators=(",", ":"))
        yield FieldError("FieldValueDuplicate", path, f"Duplicate value: {shown}")
    names.add(name or "")
    places.add(place)


def _address(spec: Spec, kind: str) -> Iterator[FieldError]:
    address, name = spec.get("clusterIP") or "", spec.get("externalName") or ""
    if kind == "ExternalName":
        if address and address != "None":
            yield forbidden_field("spec.clusterIPs", "may not be set for ExternalName services")
        if not name:
            yield required("spec.externalName")
        elif not SUBDOMAIN.fullmatch(name.removesuffix(".")):
            yield invalid_value("spec.externalName", name, SUBDOMAIN_HELP)
        return
    if kind in _OUTSIDE and address == "None":
        yield invalid_value("spec.clusterIPs[0]", address, f"may not be set to 'None' for {kind} services")
    elif address and address != "None":
        try:
            ipaddress.ip_address(address)
        except ValueError:
            why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
            yield invalid_value("spec.clusterIPs[0]", address, why)


def _traffic(spec: Spec, kind: str) -> Iterator[FieldError]:
    affinity, outside = spec.get("sessionAffinity", "None"), spec.get("externalTrafficPolicy")
    if affinity not in {"ClientIP", "None"}:
        yield not_supported("spec.sessionAffinity", affinity, ["ClientIP", "None"])
    if spec.get("internalTrafficPolicy", "Cluster") not in {"Cluster", "Local"}:
        yield not_supported("spec.internalTrafficPolicy", spec["internalTrafficPolicy"], ["Cluster", "Local"])
    if outside and kind not in _OUTSIDE and not spec.get("externalIPs"):
        why = "may only be set for externally-accessible services"
        yield invalid_value("spec.externalTrafficPolicy", outside, why)
    elif outside and outside not in {"Cluster", "Local"}:
        yield not_supported("spec.externalTrafficPolicy", outside, ["Cluster", "Local"])
    if spec.get("loadBalancerClass") and kind != "LoadBalancer":
        yield forbidden_field("spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'")
