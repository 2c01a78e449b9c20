"""Namespaces are bounded by quotas and limit ranges, pods by their priority and runtime classes.

API docs: v1.ResourceQuota, v1.LimitRange, v1.PodSpec.priorityClassName and runtimeClassName (admission refuses pods
that name a missing one). A namespace's Pod Security level is a label and no object: it has no edge.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.world.relations.edge import Depends, Edge, Kinds
from kubesteward_tools.world.relations.reading import text
from kubesteward_tools.world.relations.templates import POD_LIKE, pod_spec
from kubesteward_tools.world.store import Key, Object

RELATION = "constrained_by"
_LIMITS = ("resourcequotas", "limitranges")
RESOURCES = (*_LIMITS, *POD_LIKE)
DEPENDS: Depends = "source"


def derive(key: Key, obj: Object, kinds: Kinds) -> Iterator[Edge]:
    """Namespace → quota or limit range; pod or template → its classes."""
    del kinds
    if key.resource in _LIMITS:
        yield Edge(RELATION, Key("namespaces", "", key.namespace), key)
        return
    spec = pod_spec(key, obj)
    if name := text(spec.get("priorityClassName")):
        yield Edge(RELATION, key, Key("priorityclasses.scheduling.k8s.io", "", name), "priority class")
    if name := text(spec.get("runtimeClassName")):
        yield Edge(RELATION, key, Key("runtimeclasses.node.k8s.io", "", name), "runtime class")
