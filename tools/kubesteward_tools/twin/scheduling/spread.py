"""Pods that attract, repel or spread: inter-pod affinity and topology spread constraints.

API docs: core/v1 PodAffinityTerm and TopologySpreadConstraint (KEP-895, KEP-3022, KEP-3094, KEP-3243).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kubesteward_tools.twin.quota import is_terminal
from kubesteward_tools.twin.scheduling.affinity import matches_node
from kubesteward_tools.twin.scheduling.taints import untolerated
from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.world.store import Key, Object, Store

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules"
AFFINITY = "node(s) didn't match pod affinity rules"
EXISTING = "node(s) didn't satisfy existing pods anti-affinity rules"
SPREAD = "node(s) didn't match pod topology spread constraints"
SPREAD_LABEL = "node(s) didn't match pod topology spread constraints (missing required label)"


def _terms(pod: Object, kind: str) -> list[dict[str, Any]]:
    return list(((pod["spec"].get("affinity") or {}).get(kind) or {}).get(_REQUIRED) or ())


def _selected(store: Store, term: dict[str, Any], owner: Object) -> list[Object]:
    return [pod for pod in _in_namespaces(store, term, owner) if _matches(term, pod, owner)]


def _matches(term: dict[str, Any], pod: Object, owner: Object) -> bool:
    labels, own = pod["metadata"].get("labels") or {}, owner["metadata"].get("labels") or {}
    same = all(labels.get(key) == own[key] for key in term.get("matchLabelKeys") or () if key in own)
    differ = all(labels.get(key) != own[key] for key in term.get("mismatchLabelKeys") or () if key in own)
    return same and differ and matches(term.get("labelSelector"), labels)


def _namespaces(store: Store, term: dict[str, Any], owner: Object) -> set[str]:
    names = set(term.get("namespaces") or ())
    selector = term.get("namespaceSelector")
    if selector is not None:
        names |= {
            item["metadata"]["name"]
            for item in store.objects("namespaces")
            if matches(selector, item["metadata"].get("labels"))
        }
    return names if names or selector is not None else {owner["metadata"].get("namespace", "")}


def _in_namespaces(store: Store, term: dict[str, Any], owner: Object) -> Iterable[Object]:
    for namespace in sorted(_namespaces(store, term, owner)):
        for pod in store.objects("pods", namespace):
            if pod["spec"].get("nodeName") and not is_terminal(pod) and not _is_same(pod, owner):
                yield pod


def _is_same(pod: Object, other: Object) -> bool:
    return bool(pod["metadata"].get("uid") and pod["metadata"].get("uid") == other["metadata"].get("uid"))


class PodRules:
    """The inter-pod rules of one pod, prepared once and asked for each node."""

    def __init__(self, store: Store, pod: Object, gone: frozenset[str] = frozenset()) -> None:
        self._store, self._pod, self._gone = store, pod, gone
        self._near = [(term, self._domains(term, pod)) for term in _terms(pod, "podAffinity")]
        self._far = [(term, self._domains(term, pod)) for term in _terms(pod, "podAntiAffinity")]
        self._repelling = self._existing()
        self._spreads = self._spread_counts()

    def _label(self, pod: Object, key: str) -> str | None:
        node = self._store.get(Key("nodes", "", pod["spec"]["nodeName"]))
        return ((node or {"metadata": {}})["metadata"].get("labels") or {}).get(key)

    def _domains(self, term: dict[str, Any], owner: Object) -> set[str]:
        found = (pod for pod in _selected(self._store, term, owner) if pod["metadata"]["uid"] not in self._gone)
        return {value for pod in found if (value := self._label(pod, term["topologyKey"])) is not None}

    def _existing(self) -> set[tuple[str, str]]:
        """(topology key, value) pairs that a pod which is already there keeps this one away from."""
        found = set[tuple[str, str]]()
        for other in self._store.objects("pods"):
            terms = _terms(other, "podAntiAffinity")
            if not terms or not other["spec"].get("nodeName") or other["metadata"]["uid"] in self._gone:
                continue
            if is_terminal(other):
                continue
            for term in terms:
                namespace = self._pod["metadata"].get("namespace", "")
                if namespace in _namespaces(self._store, term, other) and _matches(term, self._pod, other):
                    value = self._label(other, term["topologyKey"])
                    if value is not None:
                        found.add((term["topologyKey"], value))
        return found

    def affinity(self, node: Object) -> str:
        labels = node["metadata"].get("labels") or {}
        for term, domains in self._near:
            value = labels.get(term["topologyKey"])
            first = not domains and _self_matches(self._store, term, self._pod)
            if value is None or (value not in domains and not first):
                return AFFINITY
        if any(labels.get(term["topologyKey"]) in domains for term, domains in self._far if domains):
            return ANTI_AFFINITY
        if any(labels.get(key) == value for key, value in self._repelling):
            return EXISTING
        return ""

    def _spread_counts(self) -> list[tuple[dict[str, Any], dict[str, int]]]:
        constraints = self._pod["spec"].get("topologySpreadConstraints") or ()
        hard = [item for item in constraints if item.get("whenUnsatisfiable") == "DoNotSchedule"]
        keys = {item["topologyKey"] for item in hard}
        return [(item, self._count(item, keys)) for item in hard]

    def _count(self, constraint: dict[str, Any], keys: set[str]) -> dict[str, int]:
        """Matching pods in each eligible domain."""
        counts: dict[str, int] = {}
        key = constraint["topologyKey"]
        eligible = set[str]()
        for node in self._store.objects("nodes"):
            labels = node["metadata"].get("labels") or {}
            if keys <= labels.keys() and self._counts_node(constraint, node):
                counts.setdefault(labels[key], 0)
                eligible.add(node["metadata"]["name"])
        for pod in self._store.objects("pods", self._pod["metadata"].get("namespace", "")):
            if pod["spec"].get("nodeName") in eligible and self._counts_pod(constraint, pod):
                counts[self._label(pod, key) or ""] += 1
        return counts

    def _counts_node(self, constraint: dict[str, Any], node: Object) -> bool:
        if constraint.get("nodeAffinityPolicy", "Honor") == "Honor" and not matches_node(self._pod, node):
            return False
        return constraint.get("nodeTaintsPolicy", "Ignore") != "Honor" or not untolerated(self._pod, node)

    def _counts_pod(self, constraint: dict[str, Any], pod: Object) -> bool:
        labels, own = pod["metadata"].get("labels") or {}, self._pod["metadata"].get("labels") or {}
        leaves = is_terminal(pod) or "deletionTimestamp" in pod["metadata"] or pod["metadata"]["uid"] in self._gone
        same = all(labels.get(key) == own[key] for key in constraint.get("matchLabelKeys") or () if key in own)
        return not leaves and same and matches(constraint.get("labelSelector"), labels)

    def spread(self, node: Object) -> str:
        labels = node["metadata"].get("labels") or {}
        own = self._pod["metadata"].get("labels") or {}
        for constraint, counts in self._spreads:
            value = labels.get(constraint["topologyKey"])
            if value is None:
                return SPREAD_LABEL
            least = min(counts.values(), default=0)
            if len(counts) < (constraint.get("minDomains") or 1):
                least = 0
            mine = 1 if matches(constraint.get("labelSelector"), own) else 0
            if counts.get(value, 0) + mine - least > constraint["maxSkew"]:
                return SPREAD
        return ""


def _self_matches(store: Store, term: dict[str, Any], pod: Object) -> bool:
    """The first pod of a group that wants its own kind near may go anywhere."""
    namespace = pod["metadata"].get("namespace", "")
    return namespace in _namespaces(store, term, pod) and _matches(term, pod, pod)
