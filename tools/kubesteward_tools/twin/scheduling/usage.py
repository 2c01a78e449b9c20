"""What is already on each node: counted once a node, and again only after something there has changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from kubesteward_tools.twin.quota import Amounts, effective_requests, is_terminal
from kubesteward_tools.twin.scheduling.ports import Port, host_ports
from kubesteward_tools.world.store import Event, Object, Store

_Shape = tuple[Any, ...]


def pods_on(store: Store, node: str) -> list[Object]:
    """The pods that take up room on a node."""
    found = (store.get(key) for key in store.pods_on(node))
    return [pod for pod in found if pod is not None and not is_terminal(pod)]


def requests(pod: Object) -> Mapping[str, Fraction]:
    """Effective requests, worked out once for all pods that ask for the same."""
    return _requests(_shape(pod["spec"]))


def _shape(spec: Mapping[str, Any]) -> _Shape:
    own = _pairs((spec.get("resources") or {}).get("requests"))
    containers = tuple(_asked(item) for item in spec.get("containers") or ())
    steps = tuple((_asked(item), item.get("restartPolicy")) for item in spec.get("initContainers") or ())
    return containers, steps, own, _pairs(spec.get("overhead"))


def _asked(container: Mapping[str, Any]) -> _Shape:
    return _pairs((container.get("resources") or {}).get("requests"))


def _pairs(quantities: Mapping[str, Any] | None) -> _Shape:
    return tuple(quantities.items()) if quantities else ()


@lru_cache(maxsize=4096)
def _requests(shape: _Shape) -> Amounts:
    containers, steps, own, overhead = shape
    spec = {
        "containers": [{"resources": {"requests": dict(asked)}} for asked in containers],
        "initContainers": [{"resources": {"requests": dict(a)}, "restartPolicy": policy} for a, policy in steps],
        "resources": {"requests": dict(own)},
        "overhead": dict(overhead),
    }
    return effective_requests(spec)


@dataclass(frozen=True, slots=True)
class Room:
    """What the pods of one node use. `lowest` is the least priority among them, None on an empty node."""

    pods: int
    used: Amounts
    ports: frozenset[Port]
    lowest: int | None

    @classmethod
    def of(cls, pods: Iterable[Object]) -> Room:
        shapes: Counter[_Shape] = Counter()
        ports: set[Port] = set()
        lowest: int | None = None
        for pod in pods:
            spec = pod["spec"]
            shapes[_shape(spec)] += 1
            ports.update(host_ports(pod))
            priority = spec.get("priority") or 0
            lowest = priority if lowest is None or priority < lowest else lowest
        used: Amounts = {}
        for shape, count in shapes.items():
            for name, value in _requests(shape).items():
                used[name] = used.get(name, Fraction(0)) + value * count
        return cls(shapes.total(), used, frozenset(ports), lowest)


class Usage:
    """Rooms by node, kept until `hear` is told of a pod that came to the node, changed there or left it."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}

    def room(self, store: Store, node: str) -> Room:
        found = self._rooms.get(node)
        if found is None:
            found = self._rooms[node] = Room.of(pods_on(store, node))
        return found

    def hear(self, event: Event) -> None:
        if event.key.resource == "pods":
            for pod in (event.old, event.obj):
                if pod is not None:
                    self._rooms.pop(pod["spec"].get("nodeName", ""), None)
