"""The pods of namespaces in groups that policies cannot tell apart: a workload's pods with the same labels.

Groups keep the comparison of a change small, and give what was before and what comes after the same name: pods of a
Deployment are others after a roll-out, the Deployment is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kubesteward_tools.twin.netpol.ends import Pod, pod_of
from kubesteward_tools.twin.quota import is_terminal
from kubesteward_tools.twin.watcher import top_controller
from kubesteward_tools.world.store import Key, Object, Store

Mark = frozenset[tuple[str, str]]

_PASSING = {"pod-template-hash", "controller-revision-hash", "pod-template-generation", "apps.kubernetes.io/pod-index"}
"""Labels that controllers give to pods of one roll-out or number."""

MOST_READ = 400
"""Pods of one namespace that are looked at, each of another workload or with other labels."""


class Census:
    """The groups of one store, each namespace counted when it is asked for. `crowded` are those that were too full."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.crowded: set[str] = set()
        self._found: dict[str, dict[Key, list[Pod]]] = {}

    def groups(self, namespace: str) -> dict[Key, list[Pod]]:
        """By workload, one pod of each set of labels that its pods have."""
        if namespace not in self._found:
            found: dict[Key, list[Pod]] = {}
            for key, pod in self._different(namespace):
                found.setdefault(group_of(self.store, key, pod), []).append(pod_of(pod))
            self._found[namespace] = found
        return self._found[namespace]

    def pods(self, group: Key) -> list[Pod]:
        return self.groups(group.namespace).get(group, [])

    def _different(self, namespace: str) -> Iterator[tuple[Key, Object]]:
        seen, reads = set(), 0
        for key, facts in self.store.known("pods", namespace):
            one = facts.owners or key.name, mark(facts.labels)
            if one in seen:
                continue
            if reads >= MOST_READ:
                self.crowded.add(namespace)
                return
            reads += 1
            pod = self.store.get(key)
            if pod is not None and not is_terminal(pod):
                seen.add(one)
                yield key, pod


def mark(labels: Mapping[str, str]) -> Mark:
    """What policies may tell pods of one workload by."""
    return frozenset((name, value) for name, value in labels.items() if name not in _PASSING)


def group_of(store: Store, key: Key, pod: Object) -> Key:
    """The workload on top of a pod; the pod itself where there is none."""
    found = top_controller(store, pod)
    return found[1] if found is not None else key
