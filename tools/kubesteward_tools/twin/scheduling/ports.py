"""Host ports: one pod a port, protocol and address of a node."""

from __future__ import annotations

from collections.abc import Iterable

from kubesteward_tools.world.store import Object

PORTS = "node(s) didn't have free ports for the requested pod ports"
Port = tuple[str, int, str]
"""Protocol, port, address."""

_ANY = "0.0.0.0"  # noqa: S104 - the API's own word for "every address of the node"; nothing is bound here


def host_ports(pod: Object) -> Iterable[Port]:
    """The ports that a pod takes on its node; those of init containers only where they stay (KEP-753)."""
    spec = pod["spec"]
    stays = [item for item in spec.get("initContainers") or () if item.get("restartPolicy") == "Always"]
    for container in [*(spec.get("containers") or ()), *stays]:
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                yield port.get("protocol") or "TCP", port["hostPort"], port.get("hostIP") or _ANY


def clash(wanted: frozenset[Port], taken: frozenset[Port]) -> bool:
    return any(
        protocol == other[0] and number == other[1] and (address == other[2] or _ANY in {address, other[2]})
        for protocol, number, address in wanted
        for other in taken
    )
