"""Addresses and node ports of Services, which the API server hands out when they are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubesteward_tools.twin.admission.attempt import Attempt

_OUTSIDE = {"NodePort", "LoadBalancer"}
_ONLY_OF = {
    "clusterIP": {"ClusterIP", *_OUTSIDE},
    "clusterIPs": {"ClusterIP", *_OUTSIDE},
    "ipFamilies": {"ClusterIP", *_OUTSIDE},
    "ipFamilyPolicy": {"ClusterIP", *_OUTSIDE},
    "externalTrafficPolicy": _OUTSIDE,
    "healthCheckNodePort": {"LoadBalancer"},
    "allocateLoadBalancerNodePorts": {"LoadBalancer"},
    "loadBalancerClass": {"LoadBalancer"},
}
"""Fields of a Service that make sense with some types only."""


def allocate(attempt: Attempt) -> None:
    """A cluster IP of 10.96.0.0/12 that no other Service has, and node ports where the type wants them."""
    spec, old = attempt.obj["spec"], (attempt.old or {}).get("spec") or {}
    _release(spec, old)
    if spec.get("type") == "ExternalName":
        return
    if not spec.get("clusterIP"):
        spec["clusterIP"] = old.get("clusterIP") or _free_address(attempt)
    spec.setdefault("clusterIPs", [spec["clusterIP"]])
    if spec["type"] in _OUTSIDE and spec.get("allocateLoadBalancerNodePorts", True):
        for port in spec.get("ports") or ():
            if not port.get("nodePort"):
                port["nodePort"] = _free_port(attempt)


def _release(spec: dict[str, Any], old: Mapping[str, Any]) -> None:
    """Whoever changes the type and leaves alone what the old one wanted means it to go. API doc: v1 ServiceSpec."""
    was, now = old.get("type"), spec.get("type")
    for field, types in _ONLY_OF.items():
        if was in types and now not in types and spec.get(field) == old.get(field):
            spec.pop(field, None)
    if was in _OUTSIDE and now not in _OUTSIDE and _node_ports(spec) == _node_ports(old):
        for port in spec.get("ports") or ():
            port.pop("nodePort", None)


def _node_ports(spec: Mapping[str, Any]) -> set[int]:
    return {port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")}


def _free_address(attempt: Attempt) -> str:
    taken = {other["spec"].get("clusterIP") for other in attempt.store.objects("services")}
    while True:
        address = f"10.{attempt.names.number(96, 111)}.{attempt.names.number(0, 255)}.{attempt.names.number(1, 254)}"
        if address not in taken:
            return address


def _free_port(attempt: Attempt) -> int:
    services = [*attempt.store.objects("services"), attempt.obj]
    taken = {port.get("nodePort") for item in services for port in item["spec"].get("ports") or ()}
    while True:
        port = attempt.names.number(30000, 32767)
        if port not in taken:
            return port
