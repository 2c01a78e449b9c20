"""A walk through the graph as an indented tree, as a Mermaid flowchart and as nodes and edges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kubesteward_tools.lookup.shown import sentence
from kubesteward_tools.world.graph import NAMESPACES, Connection
from kubesteward_tools.world.store import Key
from kubesteward_tools.world.walks import Reached

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

MOST = 120
"""Objects in one direction."""
_ALIKE = 6
"""Objects of one kind that hang on one object by one relation; more are counted."""
_INSIDE = "contains"
_OWNS = "owns"
_GUESSED = "calls"
"""A name in a setting looked like a host: that no Service has it proves nothing."""


@dataclass(slots=True)
class Branch:
    """What was reached in one direction, and of that what is shown: by the object it hangs on, in order."""

    direction: str
    reached: Reached
    children: dict[Key, list[Key]] = field(default_factory=dict)
    alike: dict[tuple[Key, str, str], int] = field(default_factory=dict)

    def arrange(self, start: Key) -> Iterator[Key]:
        """Choose what is shown, the nearest first. Of many alike ones the rest is counted, as is what hangs on it."""
        shown = {start}
        for key, connection in self.reached.items():
            parent = start if connection is None else connection.other(key)
            if parent not in shown:
                continue
            group = parent, _INSIDE if connection is None else connection.relation, key.resource
            self.alike[group] = self.alike.get(group, 0) + 1
            if self.alike[group] <= _ALIKE and len(shown) <= MOST:
                shown.add(key)
                self.children.setdefault(parent, []).append(key)
                yield key

    def left_out(self, parent: Key) -> Iterator[tuple[str, str, int]]:
        """Relation, resource and number of the children that are only counted."""
        for (owner, relation, resource), count in self.alike.items():
            there = sum(
                key.resource == resource and self.relation(key) == relation for key in self.children.get(parent, ())
            )
            if owner == parent and count > there:
                yield relation, resource, count - there

    def relation(self, key: Key) -> str:
        connection = self.reached[key]
        return _INSIDE if connection is None else connection.relation


class Picture:
    """All branches of one question."""

    def __init__(self, world: World, start: Key, branches: list[Branch]) -> None:
        self.world, self.start, self.branches = world, start, branches
        self.shown = dict.fromkeys([start, *(key for branch in branches for key in branch.arrange(start))])

    def kind(self, resource: str) -> str:
        return self.world.ref(Key(resource, "", "")).kind

    def name(self, key: Key) -> str:
        """`Deployment/shop/web`: what an object is called in data."""
        return "/".join(filter(None, (self.kind(key.resource), key.namespace, sentence(key.name, 120))))

    def label(self, key: Key) -> str:
        """The same without the namespace that all have."""
        home = self.start.name if self.start.resource == NAMESPACES else self.start.namespace
        space = "" if key.namespace == home else key.namespace
        return "/".join(filter(None, (self.kind(key.resource), space, sentence(key.name, 120))))

    def mark(self, key: Key) -> str:
        connections = [branch.reached[key] for branch in self.branches if key in branch.reached]
        guessed = bool(connections) and all(item and item.relation == _GUESSED for item in connections)
        if guessed or not self.world.graph.is_missing(key):
            return ""
        optional = bool(connections) and all(item and item.optional for item in connections)
        return " missing (optional)" if optional else " missing"

    def sentences(self) -> list[str]:
        reached = {key for branch in self.branches for key in branch.reached}
        hidden = len(reached - self.shown.keys())
        missing = [key for key in self.shown if self.mark(key) == " missing" and key != self.start]
        found = [f"Missing: {', '.join(map(self.label, missing[:10]))}."] if missing else []
        if hidden:
            found.append(f"{hidden} of {len(reached)} objects are only counted: narrow with relations or depth.")
        return found

    def edges(self) -> Iterator[tuple[Key, Connection]]:
        """The connections that led to what is shown."""
        for branch in self.branches:
            for key in self.shown:
                connection = branch.reached.get(key)
                if connection is not None and connection.other(key) in self.shown:
                    yield key, connection

    def data(self) -> dict[str, Any]:
        nodes = [{"id": self.name(key), **({"missing": True} if self.mark(key) else {})} for key in self.shown]
        edges = [_edge(self, key, connection) for key, connection in self.edges()]
        reached = {key for branch in self.branches for key in branch.reached}
        return {"nodes": nodes, "edges": edges, "total": len(reached), "shown": len(self.shown) - 1}


def _edge(picture: Picture, key: Key, connection: Connection) -> dict[str, Any]:
    edge: dict[str, Any] = {
        "source": picture.name(connection.source),
        "relation": connection.relation,
        "target": picture.name(connection.target),
    }
    if connection.detail:
        edge["detail"] = sentence(connection.detail, 120)
    if connection.confidence < 1:
        edge["confidence"] = connection.confidence
    return edge | ({"missing": True} if connection.dangling and picture.mark(key) else {})


def tree(picture: Picture, branch: Branch, head: str) -> str:
    """A line for each object below the one that led to it: the relation, the object and what is to be said of it."""
    lines = [head if branch.reached else f"{head} nothing"]
    waiting: list[tuple[Key | str, int]] = [(picture.start, 0)]
    while waiting:
        at, depth = waiting.pop()
        if depth:
            lines.append("  " * depth + (at if isinstance(at, str) else _line(picture, branch, at)))
        if not isinstance(at, str):
            more = [f"{word} {count} more {picture.kind(resource)}" for word, resource, count in branch.left_out(at)]
            below: list[Key | str] = [*branch.children.get(at, []), *more]
            waiting += [(item, depth + 1) for item in reversed(below)]
    return "\n".join(lines)


def _line(picture: Picture, branch: Branch, key: Key) -> str:
    connection = branch.reached[key]
    relation = branch.relation(key)
    if connection is not None and connection.target != key:
        relation = f"<- {relation}"
    words = [relation, picture.label(key)]
    if connection is not None and connection.detail and connection.relation != _OWNS:
        words.append(f"({sentence(connection.detail, 80)})")
    if connection is not None and connection.confidence < 1:
        words.append(f"guessed, {connection.confidence:.0%}")
    return " ".join(words) + picture.mark(key)


def mermaid(picture: Picture) -> str:
    """A flowchart; arrows go the way the relation says, missing objects are dashed."""
    numbers = {key: f"n{number}" for number, key in enumerate(picture.shown)}
    lines = ["flowchart LR"]
    for key, number in numbers.items():
        lines.append(f'  {number}["{_plain(picture.label(key))}"]' + (":::missing" if picture.mark(key) else ""))
    for _, connection in picture.edges():
        relation = _plain(connection.relation)
        lines.append(f"  {numbers[connection.source]} -->|{relation}| {numbers[connection.target]}")
    if any(picture.mark(key) for key in numbers):
        lines.append("  classDef missing stroke-dasharray: 5 5")
    return "\n".join(dict.fromkeys(lines))


def _plain(text: str) -> str:
    """Without what ends a label in Mermaid."""
    return "".join(character for character in text if character not in '"|[]{}<>`;\\')
