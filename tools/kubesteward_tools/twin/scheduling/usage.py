"""What is already on each node: counted once a node, and again only after something there has changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from kubesteward_tools.twin.amounts import Amounts
from kubesteward_tools.twin.demand import Demand, Port, Shape, demand, shape
from kubesteward_tools.twin.podsize import of_spec
from kubesteward_tools.twin.quota import is_terminal
from kubesteward_tools.world.store import Event, Object, Store


def pods_on(store: Store, node: str) -> list[Object]:
    """The pods that take up room on a node."""
    found = (store.get(key) for key in store.pods_on(node))
    return [pod for pod in found if pod is not None and not is_terminal(pod)]


def requests(pod: Object) -> Mapping[str, Fraction]:
    """Effective requests, worked out once for all pods that ask for the same."""
    return _requests(shape(pod["spec"]))


@lru_cache(maxsize=4096)
def _requests(asked_for: Shape) -> Amounts:
    containers, steps, own, overhead = asked_for
    spec = {
        "containers": [{"resources": {"requests": dict(asked)}} for asked in containers],
        "initContainers": [{"resources": {"requests": dict(a)}, "restartPolicy": policy} for a, policy in steps],
        "resources": {"requests": dict(own)},
        "overhead": dict(overhead),
    }
    return of_spec(spec, "requests")


@dataclass(frozen=True, slots=True)
class Room:
    """What the pods of one node use. `lowest` is the least priority among them, None on an empty node."""

    pods: int
    used: Amounts
    ports: frozenset[Port]
    lowest: int | None

    @classmethod
    def of(cls, pods: Iterable[Object]) -> Room:
        return cls.taken(map(demand, pods))

    @classmethod
    def taken(cls, demands: Iterable[Demand]) -> Room:
        counts = Counter(item for item in demands if not item.terminal)
        used: Amounts = {}
        for item, count in counts.items():
            for name, value in _requests(item.shape).items():
                used[name] = used.get(name, Fraction(0)) + value * count
        ports = frozenset(port for item in counts for port in item.ports)
        return cls(counts.total(), used, ports, min((item.priority for item in counts), default=None))


class Usage:
    """Rooms by node, kept until `hear` is told of a pod that came to the node, changed there or left it."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}

    def room(self, store: Store, node: str) -> Room:
        found = self._rooms.get(node)
        if found is None:
            known = (store.facts(key) for key in store.pods_on(node))
            found = self._rooms[node] = Room.taken(item.demand for item in known if item and item.demand)
        return found

    def hear(self, event: Event) -> None:
        if event.key.resource == "pods":
            for pod in (event.old, event.obj):
                if pod is not None:
                    self._rooms.pop(pod["spec"].get("nodeName", ""), None)
