"""Topology spread constraints. API doc: core/v1 TopologySpreadConstraint; KEP-895, KEP-3022, KEP-3094, KEP-3243."""

from __future__ import annotations

from typing import Any

from kubesteward_tools.twin.quota import is_terminal
from kubesteward_tools.twin.scheduling.affinity import matches_node
from kubesteward_tools.twin.scheduling.nodes import nodes
from kubesteward_tools.twin.scheduling.taints import untolerated
from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.world.store import Object, Store

SPREAD = "node(s) didn't match pod topology spread constraints"
SPREAD_LABEL = "node(s) didn't match pod topology spread constraints (missing required label)"


class Spread:
    """The constraints of one pod that forbid, with the pods that there are in each domain."""

    def __init__(self, store: Store, pod: Object, gone: frozenset[str] = frozenset()) -> None:
        self._pod, self._gone = pod, gone
        constraints = pod["spec"].get("topologySpreadConstraints") or ()
        hard = [item for item in constraints if item.get("whenUnsatisfiable") == "DoNotSchedule"]
        keys = {item["topologyKey"] for item in hard}
        self._counts = [(item, self._count(store, item, keys)) for item in hard]
        self.any = bool(hard)

    def reason(self, node: Object) -> str:
        labels = node["metadata"].get("labels") or {}
        for constraint, counts in self._counts:
            value = labels.get(constraint["topologyKey"])
            if value is None:
                return SPREAD_LABEL
            least = min(counts.values(), default=0)
            if len(counts) < (constraint.get("minDomains") or 1):
                least = 0
            itself = matches(constraint.get("labelSelector"), self._pod["metadata"].get("labels"))
            if counts.get(value, 0) + itself - least > constraint["maxSkew"]:
                return SPREAD
        return ""

    def _count(self, store: Store, constraint: dict[str, Any], keys: set[str]) -> dict[str, int]:
        """Matching pods in each domain that counts."""
        counts: dict[str, int] = {}
        domains: dict[str, str] = {}
        for node in nodes(store):
            labels = node["metadata"].get("labels") or {}
            if keys <= labels.keys() and self._counts_node(constraint, node):
                domain = domains[node["metadata"]["name"]] = labels[constraint["topologyKey"]]
                counts.setdefault(domain, 0)
        namespace = self._pod["metadata"].get("namespace", "")
        for key in store.selected("pods", namespace, constraint.get("labelSelector")):
            pod = store.get(key)
            domain = domains.get(pod["spec"].get("nodeName", ""), "") if pod is not None else ""
            if pod is not None and domain and self._counts_pod(constraint, pod):
                counts[domain] += 1
        return counts

    def _counts_node(self, constraint: dict[str, Any], node: Object) -> bool:
        if constraint.get("nodeAffinityPolicy", "Honor") == "Honor" and not matches_node(self._pod, node):
            return False
        return constraint.get("nodeTaintsPolicy", "Ignore") != "Honor" or not untolerated(self._pod, node)

    def _counts_pod(self, constraint: dict[str, Any], pod: Object) -> bool:
        labels, own = pod["metadata"].get("labels") or {}, self._pod["metadata"].get("labels") or {}
        leaves = is_terminal(pod) or "deletionTimestamp" in pod["metadata"] or pod["metadata"]["uid"] in self._gone
        same = all(labels.get(key) == own[key] for key in constraint.get("matchLabelKeys") or () if key in own)
        return not leaves and same
