"""What is already on each node: counted once a node, and again only after something there has changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from kubesteward_tools.twin.demand import Demand, Port, Shape, demand, shape
from kubesteward_tools.twin.memo import Memo
from kubesteward_tools.twin.podsize import of_spec
from kubesteward_tools.twin.quota import is_terminal
from kubesteward_tools.twin.scheduling.amounts import ONE, Whole, rounded
from kubesteward_tools.twin.scheduling.nodes import allocatable_of, node
from kubesteward_tools.world.store import Event, Object, Store

_FINE = 64
"""Binary digits behind the point of a share."""


def pods_on(store: Store, node: str) -> list[Object]:
    """The pods that take up room on a node."""
    found = (store.get(key) for key in store.pods_on(node))
    return [pod for pod in found if pod is not None and not is_terminal(pod)]


def requests(pod: Object) -> Whole:
    """Effective requests, worked out once for all pods that ask for the same."""
    return _requests(shape(pod["spec"]))


@lru_cache(maxsize=4096)
def _requests(asked_for: Shape) -> Whole:
    containers, steps, own, overhead = asked_for
    spec = {
        "containers": [{"resources": {"requests": dict(asked)}} for asked in containers],
        "initContainers": [{"resources": {"requests": dict(a)}, "restartPolicy": policy} for a, policy in steps],
        "resources": {"requests": dict(own)},
        "overhead": dict(overhead),
    }
    return {name: rounded(value) for name, value in of_spec(spec, "requests").items()}


@dataclass(frozen=True, slots=True)
class Room:
    """What the pods of one node use. `lowest` is the least priority among them, None on an empty node."""

    pods: int
    used: Whole
    ports: frozenset[Port]
    lowest: int | None

    @classmethod
    def of(cls, pods: Iterable[Object]) -> Room:
        return cls.taken(map(demand, pods))

    @classmethod
    def on(cls, store: Store, node: str) -> Room:
        found: Room = store.counted_on(node, cls.taken)
        return found

    @classmethod
    def taken(cls, demands: Iterable[Demand]) -> Room:
        counts: dict[int, tuple[Demand, int]] = {}  # pods that ask for the same have the same demand: no hashing of it
        for item in demands:
            if not item.terminal:
                counts[id(item)] = item, counts.get(id(item), (item, 0))[1] + 1
        used: dict[str, int] = {}
        for item, count in counts.values():
            for name, value in _requests(item.shape).items():
                used[name] = used.get(name, 0) + value * count
        ports = frozenset(port for item, _ in counts.values() for port in item.ports)
        lowest = min((item.priority for item, _ in counts.values()), default=None)
        return cls(sum(count for _, count in counts.values()), used, ports, lowest)


class Usage:
    """What is known of nodes, kept until `hear` is told of the node itself, or of a pod that came there, changed there
    or left it.
    """

    def __init__(self) -> None:
        self._rooms: Memo[str, Room] = Memo()
        self._hosts: Memo[str, Object] = Memo()
        self._loads: Memo[str, int] = Memo()

    def room(self, store: Store, node: str) -> Room:
        found = self._rooms.get(node)
        if found is None:
            found = self._rooms[node] = Room.on(store, node)
        return found

    def host(self, store: Store, name: str) -> Object | None:
        """The node, with no more than what filters ask for."""
        found = self._hosts.get(name)
        if found is None and (found := node(store, name)) is not None:
            self._hosts[name] = found
        return found

    def load(self, store: Store, name: str) -> int:
        """The shares of cpu and memory that are taken, together; exact enough to tell any two nodes apart."""
        found = self._loads.get(name)
        if found is None:
            used, allocatable = self.room(store, name).used, allocatable_of(self.host(store, name) or {})
            found = sum((used.get(item, 0) << _FINE) // (allocatable.get(item) or ONE) for item in ("cpu", "memory"))
            self._loads[name] = found
        return found

    def hear(self, event: Event) -> None:
        if event.key.resource == "pods":
            for pod in (event.old, event.obj):
                if pod is not None:
                    self._rooms.pop(name := pod["spec"].get("nodeName", ""), None)
                    self._loads.pop(name, None)
        elif event.key.resource == "nodes":
            self._hosts.pop(event.key.name, None)
            self._loads.pop(event.key.name, None)
