"""Which pods of lower priority would have to go for a pod to fit. Docs: "Pod Priority and Preemption"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kubesteward_tools.twin import disruption
from kubesteward_tools.twin.scheduling import message
from kubesteward_tools.twin.scheduling.filters import Filters, Refusal
from kubesteward_tools.twin.scheduling.usage import Room, Usage, pods_on
from kubesteward_tools.world.store import Key, Object, Store

_CANDIDATES = 100
"""As many nodes as kube-scheduler thinks through in a cluster of 1,000 (10 %, at least 100)."""

_Cost = tuple[int, int, int, int, str]


class Preemption:
    """Thinks through, node by node, whom to take away so that `pod` fits."""

    def __init__(self, store: Store, pod: Object, refusals: Mapping[str, Refusal], usage: Usage) -> None:
        self._store, self._pod, self._refusals, self._usage = store, pod, refusals, usage
        self._priority = pod["spec"].get("priority") or 0
        self._filters = Filters(store, pod)

    def not_eligible(self) -> str:
        """Why the pod may not preempt at all, "" when it may."""
        if self._pod["spec"].get("preemptionPolicy") == "Never":
            return message.NEVER
        nominated = (self._pod.get("status") or {}).get("nominatedNodeName", "")
        leaving = (pod for pod in self._lower(nominated) if "deletionTimestamp" in pod["metadata"])
        return message.TERMINATING if nominated and any(leaving) else ""

    def choose(self) -> tuple[str, tuple[Object, ...]] | None:
        """The node and its victims: fewest broken budgets, then the least important, then the fewest."""
        found = [(self._cost(name, victims), name, victims) for name, victims in self._candidates()]
        if not found:
            return None
        _, name, victims = min(found, key=lambda item: item[0])
        return name, victims

    def _candidates(self) -> Iterator[tuple[str, tuple[Object, ...]]]:
        left = _CANDIDATES
        for name, refusal in sorted(self._refusals.items()):
            lowest = self._usage.room(self._store, name).lowest
            if refusal.final or lowest is None or lowest >= self._priority or not left:
                continue
            victims = self._fewest(name)
            if victims:
                left -= 1
                yield name, victims

    def _lower(self, node: str) -> list[Object]:
        """Least important last: those are given back last."""
        found = [pod for pod in pods_on(self._store, node) if _priority(pod) < self._priority]
        return sorted(found, key=_importance)

    def _fewest(self, name: str) -> tuple[Object, ...]:
        """Take all lower ones away; if the pod fits then, give back as many as possible, the most important first."""
        node = self._store.get(Key("nodes", "", name)) or {}
        there, victims = pods_on(self._store, name), self._lower(name)
        if not self._fits(node, there, victims):
            return ()
        breaking = self._breaking(victims)
        for other in sorted(victims, key=lambda pod: pod["metadata"]["uid"] not in breaking):
            without = [item for item in victims if item is not other]
            if self._fits(node, there, without):
                victims = without
        return tuple(victims)

    def _fits(self, node: Object, there: list[Object], gone: list[Object]) -> bool:
        uids = frozenset(pod["metadata"]["uid"] for pod in gone)
        left = Room.of(pod for pod in there if pod["metadata"]["uid"] not in uids)
        filters = self._filters
        if filters.looks_at_other_nodes:
            filters = Filters(self._store, self._pod, uids)
        return filters.refusal(node, left) is None

    def _breaking(self, victims: list[Object]) -> set[str]:
        """The UIDs of those whose leaving a budget does not allow."""
        allowed: dict[str, int] = {}
        found = set[str]()
        for pod in victims:
            for budget in disruption.budgets_of(self._store, pod):
                uid = budget["metadata"]["uid"]
                if uid not in allowed:
                    allowed[uid] = disruption.status(self._store, budget)["disruptionsAllowed"]
                allowed[uid] -= 1
                if allowed[uid] < 0:
                    found.add(pod["metadata"]["uid"])
        return found

    def _cost(self, name: str, victims: tuple[Object, ...]) -> _Cost:
        priorities = [_priority(pod) for pod in victims]
        return len(self._breaking(list(victims))), max(priorities), sum(priorities), len(victims), name


def _priority(pod: Object) -> int:
    return pod["spec"].get("priority") or 0


def _importance(pod: Object) -> tuple[int, str, str]:
    started = (pod.get("status") or {}).get("startTime") or pod["metadata"].get("creationTimestamp", "")
    return -_priority(pod), started, pod["metadata"]["name"]
