"""A pod runs on the node that `spec.nodeName` names. API doc: v1.PodSpec.nodeName."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.world.relations.edge import Depends, Edge, Kinds
from kubesteward_tools.world.relations.reading import mapping, text
from kubesteward_tools.world.store import Key, Object

RELATION = "scheduled_on"
RESOURCES = ("pods",)
DEPENDS: Depends = "source"


def derive(key: Key, obj: Object, kinds: Kinds) -> Iterator[Edge]:
    """Pod → node, once it has one."""
    del kinds
    if node := text(mapping(obj.get("spec")).get("nodeName")):
        yield Edge(RELATION, key, Key("nodes", "", node))
