"""What a relation says: one thing points to another by name, or to all that a selector matches."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Literal, NamedTuple

from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Key, Object

Depends = Literal["source", "target", "neither"]
"""Which end of an edge breaks, or changes, when the other end does."""

Kinds = Callable[[str, str], ResourceType | None]
"""What a group and a kind are called here, None when the cluster does not tell."""


class Edge(NamedTuple):
    """Written in one object, though not always at its source: an owned object names its owner.

    The target may not exist. `detail` says where it is written and never holds a value of a Secret or of a variable.
    `optional` means that the source does without a missing target. `confidence` is below 1 where the edge is a guess.
    """

    relation: str
    source: Key
    target: Key
    detail: str = ""
    optional: bool = False
    confidence: float = 1.0


class Selection(NamedTuple):
    """An edge to everything that a well-formed LabelSelector matches, whatever comes and goes.

    `resource` is what is selected, `namespace` where (None: everywhere). An empty selector matches all of it.
    """

    relation: str
    source: Key
    resource: str
    namespace: str | None
    selector: Object | None
    detail: str = ""


Link = Edge | Selection

edge: Callable[[tuple[str, Key, Key, str, bool, float]], Edge] = partial(tuple.__new__, Edge)
"""An Edge of all its fields in half the time of its constructor, for what each pod has."""

selection: Callable[[tuple[str, Key, str, str | None, Object | None, str]], Selection] = partial(
    tuple.__new__, Selection
)
"""Likewise a Selection."""


@lru_cache(maxsize=1 << 16)
def point(resource: str, namespace: str, name: str) -> Key:
    """The key of something that many objects point to: one tuple for all of them, and quicker than a new one."""
    return Key(resource, namespace, name)
