"""Walks the graph from one object: what it needs, what needs it, and which of that is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from kubesteward_policies.tiers import Tier
from kubesteward_tools.errors import InvalidArguments, ObjectNotFound
from kubesteward_tools.lookup.arguments import Cluster, Namespace, Target
from kubesteward_tools.lookup.drawing import Branch, Picture, mermaid, tree
from kubesteward_tools.lookup.scope import Scope, one, seen
from kubesteward_tools.lookup.targets import find, parse
from kubesteward_tools.tool import Answer, Desk, tool
from kubesteward_tools.world import relations as kept
from kubesteward_tools.world import walks
from kubesteward_tools.world.graph import Connection
from kubesteward_tools.world.store import Key
from kubesteward_tools.world.world import TWIN_RESOURCES

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

Direction = Literal["dependents", "dependencies", "both", "neighbours"]
_HEADS = {
    "dependents": "What needs it, or goes with it",
    "dependencies": "What it needs",
    "neighbours": "What it is connected with",
}


@tool(Tier.OBSERVE, title="Topology")
async def get_topology(
    desk: Desk,
    *,
    resource: Target,
    direction: Direction = "both",
    depth: Annotated[int, Field(ge=1, le=10)] = 3,
    relations: Annotated[list[str] | None, Field(max_length=30, description="e.g. owns, selects, mounts")] = None,
    format: Literal["text", "mermaid"] = "text",  # noqa: A002 - the argument's name
    namespace: Namespace = "",
    cluster: Cluster = "",
) -> Answer:
    """What an object needs (dependencies) and what needs it (dependents); marks what is missing."""
    wanted = _checked(relations)
    world = await one(desk, cluster)
    scope = Scope([world], namespace)
    await seen(scope, dict.fromkeys([*TWIN_RESOURCES, *kept.resources()]))
    start = await _start(world, resource, namespace)
    scope.namespace = start.namespace
    found = [_walked(world, start, kind, wanted, depth) for kind in _directions(direction)]
    picture = Picture(world, start, found)
    if format == "mermaid":
        drawn = mermaid(picture)
    else:
        drawn = "\n".join(tree(picture, branch, f"{_HEADS[branch.direction]}:") for branch in found)
    lines = [*scope.lines(), f"{picture.label(start)}{picture.mark(start)}", *picture.sentences(), drawn]
    return Answer("\n".join(lines), {"scope": scope.data(), "start": picture.name(start), **picture.data()})


def _checked(relations: list[str] | None) -> frozenset[str] | None:
    unknown = sorted(set(relations or ()) - set(kept.names()))
    if unknown:
        raise InvalidArguments(
            f"there is no relation {unknown[0][:60]!r}.", todo=f"There are: {', '.join(kept.names())}."
        )
    return frozenset(relations) if relations else None


async def _start(world: World, resource: str, namespace: str) -> Key:
    """Also an object that is only spoken of: what needs a missing ConfigMap is worth knowing.

    Raises:
        ObjectNotFound, UnknownKind, InvalidArguments: nobody knows it.
    """
    kind, name = parse(resource)
    try:
        return (await find(world, kind, name, namespace)).key
    except ObjectNotFound:
        wanted = world.kind(kind)
        key = Key(wanted.resource, namespace if wanted.namespaced else "", name)
        if next(iter(world.graph.edges(key)), None) is None:
            raise
        return key


def _directions(direction: Direction) -> tuple[str, ...]:
    return ("dependencies", "dependents") if direction == "both" else (direction,)


def _walked(world: World, start: Key, direction: str, relations: frozenset[str] | None, depth: int) -> Branch:
    if direction == "neighbours":
        return Branch(direction, dict(_around(world, start, relations, depth)))
    walk = walks.dependents if direction == "dependents" else walks.dependencies
    return Branch(direction, walk(world.graph, start, relations, depth))


def _around(world: World, start: Key, relations: frozenset[str] | None, depth: int) -> Iterator[tuple[Key, Connection]]:
    """Whatever direction the connections have, ring by ring."""
    known, ring = {start}, [start]
    for _ in range(depth):
        further: dict[Key, Connection] = {}
        for key in ring:
            for connection in world.graph.around(key, relations):
                other = connection.other(key)
                if other not in known:
                    further.setdefault(other, connection)
        known |= further.keys()
        yield from further.items()
        ring = list(further)
        if len(known) > walks.MOST_VISITED:
            return
