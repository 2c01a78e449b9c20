"""What one pod takes up on its node, as small as it can be: noted of every pod when it is stored.

The room on a thousand nodes is asked for in every rehearsal; nobody can read thirty thousand pods for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kubesteward_tools.twin.podsize import is_resized, of_pod
from kubesteward_tools.twin.quantity import Quantity

Port = tuple[str, int, str]
"""Protocol, port, address."""

Shape = tuple[Any, ...]
"""What is asked for, container by container: pods of one template have the same."""

ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - the API's own word for "every address of the node"; nothing is bound here


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """`terminal` pods take up nothing any more. Made by `demand` only: there is one for all pods with the same."""

    shape: Shape
    ports: tuple[Port, ...]
    priority: int
    terminal: bool


def demand(pod: Mapping[str, Any]) -> Demand:
    """The one Demand that all pods with the same have. Raises whatever a malformed pod makes it raise."""
    spec = pod.get("spec") or {}
    phase = (pod.get("status") or {}).get("phase")
    terminal = phase in {"Succeeded", "Failed"}
    asked = _resized(pod) if is_resized(pod) else shape(spec)
    return _shared(asked, tuple(host_ports(spec)), spec.get("priority") or 0, terminal)


@lru_cache(maxsize=20_000)
def _shared(asked: Shape, ports: tuple[Port, ...], priority: int, terminal: bool) -> Demand:
    return Demand(asked, ports, priority, terminal)


def _resized(pod: Mapping[str, Any]) -> Shape:
    """All that the pod takes up, as one container's: the greatest of several sums is no list of containers any more."""
    found = of_pod(pod, "requests")
    return (tuple((name, str(Quantity(value))) for name, value in sorted(found.items())),), (), (), ()


def shape(spec: Mapping[str, Any]) -> Shape:
    own = _pairs((spec.get("resources") or {}).get("requests"))
    containers = tuple([_asked(item) for item in spec.get("containers") or ()])
    steps = tuple([(_asked(item), item.get("restartPolicy")) for item in spec.get("initContainers") or ()])
    return containers, steps, own, _pairs(spec.get("overhead"))


def _asked(container: Mapping[str, Any]) -> Shape:
    return _pairs((container.get("resources") or {}).get("requests"))


def _pairs(quantities: Mapping[str, Any] | None) -> Shape:
    return tuple(quantities.items()) if quantities else ()


def host_ports(spec: Mapping[str, Any]) -> Iterable[Port]:
    """The ports that a pod takes on its node; those of init containers only where they stay (KEP-753)."""
    stays = [item for item in spec.get("initContainers") or () if item.get("restartPolicy") == "Always"]
    for container in [*(spec.get("containers") or ()), *stays]:
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                yield port.get("protocol") or "TCP", port["hostPort"], port.get("hostIP") or ANY_ADDRESS
