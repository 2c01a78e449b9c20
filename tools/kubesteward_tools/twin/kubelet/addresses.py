"""Addresses for pods: no two pods that are there have the same one, or Services and policies would mistake them."""

from __future__ import annotations

from kubesteward_tools.twin.names import Names
from kubesteward_tools.world.store import Key, Object, Store


class Addresses:
    """Gives pods addresses out of their node's range, and remembers which pod has which.

    What a node's pods have is looked up once, when the first address there is wanted: to do so each time is dear where
    thousands of pods start.
    """

    def __init__(self, store: Store, names: Names) -> None:
        self._store = store
        self._names = names
        self._holders: dict[str, dict[str, Key]] = {}

    def draw(self, pod: Object) -> str:
        """An address that no pod of the node has; any of the range once all 253 are taken."""
        node = pod["spec"]["nodeName"]
        holders = self._holders.get(node)
        if holders is None:
            holders = self._holders[node] = self._held(node)
        first = self._names.number(2, 254)
        start = self._range(node)
        candidates = (f"{start}.{(first - 2 + step) % 253 + 2}" for step in range(253))
        free = (item for item in candidates if (held := holders.get(item)) is None or self._store.facts(held) is None)
        address = next(free, f"{start}.{first}")
        holders[address] = Key("pods", pod["metadata"].get("namespace", ""), pod["metadata"]["name"])
        return address

    def _range(self, node: str) -> str:
        found = self._store.get(Key("nodes", "", node)) or {"spec": {}}
        return str(found["spec"].get("podCIDR", "10.128.0.0/24")).rpartition(".")[0]

    def _held(self, node: str) -> dict[str, Key]:
        pods = ((key, self._store.facts(key)) for key in self._store.pods_on(node))
        return {facts.address: key for key, facts in pods if facts is not None and facts.address}
