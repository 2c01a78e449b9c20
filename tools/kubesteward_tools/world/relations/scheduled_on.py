"""A pod runs on the node that `spec.nodeName` names. API doc: v1.PodSpec.nodeName."""

from __future__ import annotations

from collections.abc import Iterable

from kubesteward_tools.world.relations.edge import Depends, Edge, Kinds, edge, point
from kubesteward_tools.world.relations.reading import mapping, text
from kubesteward_tools.world.store import Key, Object

RELATION = "scheduled_on"
RESOURCES = ("pods",)
DEPENDS: Depends = "source"


def derive(key: Key, obj: Object, kinds: Kinds) -> Iterable[Edge]:
    """Pod → node, once it has one."""
    del kinds
    node = text(mapping(obj.get("spec")).get("nodeName"))
    return (edge((RELATION, key, point("nodes", "", node), "", False, 1.0)),) if node else ()
