"""Addresses and node ports of Services, which the API server hands out when they are written."""

from __future__ import annotations

from kubesteward_tools.twin.admission.attempt import Attempt


def allocate(attempt: Attempt) -> None:
    """A cluster IP of 10.96.0.0/12 that no other Service has, and node ports where the type wants them."""
    spec, old = attempt.obj["spec"], (attempt.old or {}).get("spec") or {}
    if spec.get("type") == "ExternalName":
        return
    if not spec.get("clusterIP"):
        spec["clusterIP"] = old.get("clusterIP") or _free_address(attempt)
    spec.setdefault("clusterIPs", [spec["clusterIP"]])
    if spec["type"] in {"NodePort", "LoadBalancer"} and spec.get("allocateLoadBalancerNodePorts", True):
        for port in spec.get("ports") or ():
            if not port.get("nodePort"):
                port["nodePort"] = _free_port(attempt)


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
