"""Pods that attract or repel each other: required inter-pod affinity and anti-affinity, that of other pods too.

API doc: core/v1 PodAffinityTerm; KEP-3633 (matchLabelKeys).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kubesteward_tools.twin.quota import is_terminal
from kubesteward_tools.twin.scheduling.nodes import labels_of
from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.world.store import Object, Store

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
AFFINITY = "node(s) didn't match pod affinity rules"
ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules"
EXISTING = "node(s) didn't satisfy existing pods anti-affinity rules"

_Term = dict[str, Any]
_Domains = set[tuple[str, str]]
"""Topology key and value."""


class Neighbours:
    """The rules between one pod and the others, prepared once and asked for each node."""

    def __init__(self, store: Store, pod: Object, gone: frozenset[str] = frozenset()) -> None:
        self._store, self._pod, self._gone = store, pod, gone
        self._near, self._far = _terms(pod, "podAffinity"), _terms(pod, "podAntiAffinity")
        self._wanted = self._attracting()
        self._avoided = {domain for term in self._far for domain in self._domains_of(term)}
        self._repelled = set(self._repelling())
        self._first = not self._wanted and all(_covers(store, term, pod, pod) for term in self._near)
        self.any = bool(self._near or self._far or self._repelled)

    def reason(self, node: Object) -> str:
        labels = node["metadata"].get("labels") or {}
        for term in self._near:
            key = term["topologyKey"]
            if key not in labels or ((key, labels[key]) not in self._wanted and not self._first):
                return AFFINITY
        if any(labels.get(key) == value for key, value in self._avoided):
            return ANTI_AFFINITY
        if any(labels.get(key) == value for key, value in self._repelled):
            return EXISTING
        return ""

    def _attracting(self) -> _Domains:
        """Where the pods are that every affinity term covers: a pod that only some cover does not attract."""
        if not self._near:
            return set()
        found: _Domains = set()
        for other in self._others(self._near[0]):
            if all(_covers(self._store, term, self._pod, other) for term in self._near):
                found.update(self._places(other, self._near))
        return found

    def _domains_of(self, term: _Term) -> Iterable[tuple[str, str]]:
        for other in self._others(term):
            if _selects(term, self._pod, other):
                yield from self._places(other, [term])

    def _repelling(self) -> Iterable[tuple[str, str]]:
        """The domains that a pod which is already there keeps this one away from."""
        for key in self._store.repelling_pods():
            other = self._store.get(key)
            if other is None or not self._is_there(other):
                continue
            for term in _terms(other, "podAntiAffinity"):
                if _covers(self._store, term, other, self._pod):
                    yield from self._places(other, [term])

    def _others(self, term: _Term) -> Iterable[Object]:
        """The pods that the term's selector matches."""
        for namespace in sorted(_namespaces(self._store, term, self._pod)):
            pods = map(self._store.get, self._store.selected("pods", namespace, term.get("labelSelector")))
            yield from (pod for pod in pods if pod is not None and self._is_there(pod))

    def _is_there(self, pod: Object) -> bool:
        uid = pod["metadata"].get("uid")
        away = uid in self._gone or (uid and uid == self._pod["metadata"].get("uid"))
        return bool(pod["spec"].get("nodeName")) and not away and not is_terminal(pod)

    def _places(self, pod: Object, terms: Iterable[_Term]) -> Iterable[tuple[str, str]]:
        labels = labels_of(self._store, pod["spec"]["nodeName"])
        for term in terms:
            if term["topologyKey"] in labels:
                yield term["topologyKey"], labels[term["topologyKey"]]


def _terms(pod: Object, kind: str) -> list[_Term]:
    return list(((pod["spec"].get("affinity") or {}).get(kind) or {}).get(_REQUIRED) or ())


def _covers(store: Store, term: _Term, owner: Object, other: Object) -> bool:
    """Whether `owner`'s term is about the pod `other`."""
    return _selects(term, owner, other) and other["metadata"].get("namespace", "") in _namespaces(store, term, owner)


def _selects(term: _Term, owner: Object, other: Object) -> bool:
    labels, own = other["metadata"].get("labels") or {}, owner["metadata"].get("labels") or {}
    same = all(labels.get(key) == own[key] for key in term.get("matchLabelKeys") or () if key in own)
    differ = all(labels.get(key) != own[key] for key in term.get("mismatchLabelKeys") or () if key in own)
    return same and differ and matches(term.get("labelSelector"), labels)


def _namespaces(store: Store, term: _Term, owner: Object) -> set[str]:
    """Those named and those selected; with neither, the owner's own."""
    names = set(term.get("namespaces") or ())
    selector = term.get("namespaceSelector")
    if selector is None:
        return names or {owner["metadata"].get("namespace", "")}
    return names | {key.name for key, facts in store.known("namespaces") if matches(selector, facts.labels)}
