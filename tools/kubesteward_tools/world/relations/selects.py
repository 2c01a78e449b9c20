"""Services, budgets, network policies and workloads select pods of their namespace by labels.

API docs: v1.ServiceSpec.selector (a plain mapping; empty selects nothing), policy/v1 PodDisruptionBudgetSpec.selector
(null nothing, empty all), networking.k8s.io/v1 NetworkPolicySpec.podSelector (absent or empty: all; the peers of its
rules are not what it selects), apps/v1 and batch/v1 selectors.

A Service is worth what its pods are. A budget and a workload do not break with the pods that they count; what a
workload changes in its pods is said by `owns`. What a network policy says changes what its pods can reach.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.world.relations.edge import Depends, Kinds, Selection
from kubesteward_tools.world.relations.reading import label_selector, mapping, plain_selector
from kubesteward_tools.world.store import Key, Object

RELATION = "selects"
RESOURCES = (
    "services",
    "replicationcontrollers",
    "poddisruptionbudgets.policy",
    "networkpolicies.networking.k8s.io",
    "deployments.apps",
    "replicasets.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "jobs.batch",
)
DEPENDS: Depends = "neither"
DEPENDS_BY_KIND: dict[tuple[str, str], Depends] = {
    ("services", "*"): "source",
    ("networkpolicies.networking.k8s.io", "*"): "target",
}


def derive(key: Key, obj: Object, kinds: Kinds) -> Iterator[Selection]:
    """One selection, none where nothing can match."""
    del kinds
    selector = _selector(key.resource, mapping(obj.get("spec")))
    if selector is not None:
        yield Selection(RELATION, key, "pods", key.namespace, selector)


def _selector(resource: str, spec: Object) -> Object | None:
    if resource == "services":
        return None if spec.get("type") == "ExternalName" else plain_selector(spec.get("selector"))
    if resource == "replicationcontrollers":
        return plain_selector(spec.get("selector"))
    if resource == "networkpolicies.networking.k8s.io":
        selector = spec.get("podSelector")
        return {} if selector is None else label_selector(selector)
    return label_selector(spec.get("selector"))
