"""Pods run as a ServiceAccount. API doc: v1.PodSpec.serviceAccountName ("default" when a template leaves it out).

Admission writes it into each pod; a pod without one is a static pod, which has none.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubesteward_tools.world.relations.edge import Depends, Edge, Kinds, edge, point
from kubesteward_tools.world.relations.reading import text
from kubesteward_tools.world.relations.templates import POD_LIKE, pod_spec
from kubesteward_tools.world.store import Key, Object

RELATION = "runs_as"
RESOURCES = POD_LIKE
DEPENDS: Depends = "source"


def derive(key: Key, obj: Object, kinds: Kinds) -> Iterable[Edge]:
    """Pod or template → ServiceAccount."""
    del kinds
    spec = pod_spec(key, obj)
    name = text(spec.get("serviceAccountName")) or text(spec.get("serviceAccount"))
    if not name and spec and key.resource != "pods":
        name = "default"
    return (edge((RELATION, key, point("serviceaccounts", key.namespace, name), "", False, 1.0)),) if name else ()
