"""Addresses and ports that a Service asks for by number must be free. Docs: "Service: choosing your own port"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubesteward_tools.twin.admission.attempt import Attempt
from kubesteward_tools.twin.status import FieldError, invalid, invalid_value, qualified

_FIRST, _LAST = 30000, 32767


def free(attempt: Attempt) -> None:
    """Raises ApiError 422 when another Service has the cluster IP or a node port, or a port is out of range."""
    if attempt.resource != "services":
        return
    others = [item["spec"] for item in attempt.store.objects("services") if not _is_same(attempt, item)]
    spec, old = attempt.obj["spec"], (attempt.old or {}).get("spec") or {}
    errors = [*_addresses(spec, others), *_ports(spec, old, others)]
    if errors:
        raise invalid(qualified(attempt.kind), attempt.name, errors)


def _is_same(attempt: Attempt, item: dict[str, Any]) -> bool:
    metadata = item["metadata"]
    return (metadata.get("namespace"), metadata["name"]) == (attempt.namespace, attempt.name)


def _addresses(spec: dict[str, Any], others: list[dict[str, Any]]) -> Iterator[FieldError]:
    address = spec.get("clusterIP")
    if address and address != "None" and any(other.get("clusterIP") == address for other in others):
        why = f"failed to allocate IP {address}: provided IP is already allocated"
        yield invalid_value("spec.clusterIPs", [address], why)


def _ports(spec: dict[str, Any], old: dict[str, Any], others: list[dict[str, Any]]) -> Iterator[FieldError]:
    kept = {port.get("nodePort") for port in old.get("ports") or ()}
    taken = {(port.get("nodePort"), port.get("protocol")) for other in others for port in other.get("ports") or ()}
    for at, port in enumerate(spec.get("ports") or ()):
        number, path = port.get("nodePort"), f"spec.ports[{at}].nodePort"
        if not number or number in kept:
            continue
        if not _FIRST <= number <= _LAST:
            why = f"provided port is not in the valid range. The range of valid ports is {_FIRST}-{_LAST}"
            yield invalid_value(path, number, why)
        elif (number, port.get("protocol")) in taken:
            yield invalid_value(path, number, "provided port is already allocated")
