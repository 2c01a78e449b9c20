"""Namespaces are bounded by quotas and limit ranges, pods by their priority and runtime classes.

API docs: v1.ResourceQuota, v1.LimitRange, v1.PodSpec.priorityClassName and runtimeClassName (admission refuses pods
that name a missing one). A namespace's Pod Security level is a label and no object: it has no edge.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubesteward_tools.world.relations.edge import Depends, Edge, Kinds, point
from kubesteward_tools.world.relations.reading import text
from kubesteward_tools.world.relations.templates import POD_LIKE, pod_spec
from kubesteward_tools.world.store import Key, Object

RELATION = "constrained_by"
_LIMITS = ("resourcequotas", "limitranges")
RESOURCES = (*_LIMITS, *POD_LIKE)
DEPENDS: Depends = "source"

_CLASSES = (
    ("priorityClassName", "priorityclasses.scheduling.k8s.io", "priority class"),
    ("runtimeClassName", "runtimeclasses.node.k8s.io", "runtime class"),
)


def derive(key: Key, obj: Object, kinds: Kinds) -> Iterable[Edge]:
    """Namespace → quota or limit range; pod or template → its classes."""
    del kinds
    if key.resource in _LIMITS:
        return (Edge(RELATION, point("namespaces", "", key.namespace), key),)
    spec = pod_spec(key, obj)
    edges = []
    for field, resource, detail in _CLASSES:
        if field in spec and (name := text(spec[field])):
            edges.append(Edge(RELATION, key, point(resource, "", name), detail))
    return edges
