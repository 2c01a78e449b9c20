"""Host ports: one pod a port, protocol and address of a node."""

from __future__ import annotations

from kubesteward_tools.twin.demand import ANY_ADDRESS, Port

PORTS = "node(s) didn't have free ports for the requested pod ports"


def clash(wanted: frozenset[Port], taken: frozenset[Port]) -> bool:
    return any(
        protocol == other[0] and number == other[1] and (address == other[2] or ANY_ADDRESS in {address, other[2]})
        for protocol, number, address in wanted
        for other in taken
    )
