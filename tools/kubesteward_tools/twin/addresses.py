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
            port.setdefault("nodePort", attempt.names.number(30000, 32767))


def _free_address(attempt: Attempt) -> str:
    while True:
        address = f"10.{attempt.names.number(96, 111)}.{attempt.names.number(0, 255)}.{attempt.names.number(1, 254)}"
        if all(
            other["spec"].get("clusterIP") != address for other in attempt.store.objects("services", attempt.namespace)
        ):
            return address
