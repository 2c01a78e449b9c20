"""Resources and host ports of a node against what is already there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from kubesteward_tools.twin.quota import Amounts, amounts, effective_requests, is_terminal
from kubesteward_tools.world.store import Object, Store

_ORDER = ("cpu", "memory", "ephemeral-storage")


def pods_on(store: Store, node: str) -> list[Object]:
    """The pods that take up room on a node."""
    found = (store.get(key) for key in store.pods_on(node))
    return [pod for pod in found if pod is not None and not is_terminal(pod)]


class Requests:
    """Effective requests by pod, remembered as long as the pod's spec is the same object."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Any, Amounts]] = {}

    def of(self, pod: Object) -> Amounts:
        uid, spec = pod["metadata"].get("uid", ""), pod["spec"]
        known = self._known.get(uid)
        if known is not None and known[0] is spec:
            return known[1]
        found = effective_requests(spec)
        self._known[uid] = (spec, found)
        return found


def lacking(pod: Object, node: Object, there: Iterable[Object], requests: Callable[[Object], Amounts]) -> list[str]:
    """What the node has too little of, in the scheduler's words."""
    allocatable = amounts((node.get("status") or {}).get("allocatable"))
    there = list(there)
    short = []
    if len(there) + 1 > allocatable.get("pods", Fraction(110)):
        short.append("Too many pods")
    wanted = {name: value for name, value in requests(pod).items() if value > 0}
    if not wanted:
        return short
    used: Amounts = {}
    for other in there:
        for name, value in requests(other).items():
            if name in wanted:
                used[name] = used.get(name, Fraction(0)) + value
    for name in sorted(wanted, key=lambda item: (_ORDER.index(item) if item in _ORDER else 9, item)):
        if used.get(name, Fraction(0)) + wanted[name] > allocatable.get(name, Fraction(0)):
            short.append(f"Insufficient {name}")
    return short


def host_ports(pod: Object, there: Iterable[Object]) -> str:
    wanted = set(_host_ports(pod))
    if wanted and any(not wanted.isdisjoint(_host_ports(other)) for other in there):
        return "node(s) didn't have free ports for the requested pod ports"
    return ""


def _host_ports(pod: Object) -> Iterable[tuple[str, int]]:
    for container in [*(pod["spec"].get("containers") or ()), *(pod["spec"].get("initContainers") or ())]:
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                yield port.get("protocol", "TCP"), port["hostPort"]
