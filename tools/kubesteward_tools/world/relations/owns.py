"""An owner owns the objects that name it in `metadata.ownerReferences`; the garbage collector takes them after it.

API doc: metav1.OwnerReference. Owners are in the namespace of the owned object or have none.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubesteward_tools.world.relations.edge import Depends, Edge, Kinds, edge, point
from kubesteward_tools.world.relations.reading import mapping, mappings, text
from kubesteward_tools.world.relations.references import group_of, is_namespaced, resource_of
from kubesteward_tools.world.store import Key, Object

RELATION = "owns"
RESOURCES = "*"
DEPENDS: Depends = "target"


def derive(key: Key, obj: Object, kinds: Kinds) -> Iterable[Edge]:
    """Owner → owned. An owner of a kind that nobody knows is taken for one of the owned object's namespace."""
    owners = mapping(obj.get("metadata")).get("ownerReferences")
    if not owners:
        return ()
    edges = []
    for owner in mappings(owners):
        kind, name = text(owner.get("kind")), text(owner.get("name"))
        if kind and name:
            group = group_of(text(owner.get("apiVersion")))
            namespace = key.namespace if is_namespaced(group, kind, kinds) else ""
            source = point(resource_of(group, kind, kinds), namespace, name)
            detail = "controller" if owner.get("controller") else ""
            edges.append(edge((RELATION, source, key, detail, False, 1.0)))
    return edges
