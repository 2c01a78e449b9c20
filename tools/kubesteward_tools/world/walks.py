"""Questions that go along the graph: who needs whom, how two objects hang together, what several have in common."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from kubesteward_tools.world.graph import NAMESPACES, Connection, Graph
from kubesteward_tools.world.store import Key

MOST_VISITED = 50_000
"""Objects. A question that reaches further is answered with what it has reached."""

_EVERYBODYS = frozenset({("serviceaccounts", "default"), ("configmaps", "kube-root-ca.crt")})
"""What every pod of a namespace has, so that it explains nothing unless it is missing."""

Reached = dict[Key, Connection | None]
"""The nearest first, equally near ones sorted; each with the connection that led to it, None where none did."""


def dependents(graph: Graph, start: Key, relations: Collection[str] | None = None, depth: int | None = None) -> Reached:
    """What breaks or changes when `start` does. A Namespace's are all that is in it."""
    return _reach(graph, start, relations, depth, down=False)


def dependencies(
    graph: Graph, start: Key, relations: Collection[str] | None = None, depth: int | None = None
) -> Reached:
    """What `start` needs, directly or not."""
    return _reach(graph, start, relations, depth, down=True)


def _reach(graph: Graph, start: Key, relations: Collection[str] | None, depth: int | None, *, down: bool) -> Reached:
    found: Reached = {start: None}
    ring: Collection[Key] = [start]
    if start.resource == NAMESPACES and not down:
        ring = list(_inside(graph, start.name))
        found.update(dict.fromkeys(ring))
    steps = 0
    while ring and len(found) < MOST_VISITED and (depth is None or steps < depth):
        further: dict[Key, Connection] = {}
        for key in ring:
            for connection in graph.leading(key, relations, down=down):
                _note(further, connection, key, found)
        ring = sorted(further)
        found.update((key, further[key]) for key in ring)
        steps += 1
    del found[start]
    return found


def _note(further: dict[Key, Connection], connection: Connection, key: Key, found: Mapping[Key, object]) -> None:
    """The least of the connections that lead to one object, so that the answer is always the same."""
    other = connection.other(key)
    if other not in found:
        known = further.get(other)
        further[other] = connection if known is None else min(known, connection)


def _inside(graph: Graph, namespace: str) -> Iterable[Key]:
    for resource in graph.store.resources():
        yield from graph.store.keys(resource, namespace)


def path(graph: Graph, start: Key, end: Key) -> list[Connection] | None:
    """The fewest connections that lead from one object to another, whatever their direction; None if none do.

    Searched from both ends at once, always where fewer objects wait.
    """
    came: tuple[Reached, Reached] = ({start: None}, {end: None})
    rings = [[start], [end]]
    while rings[0] and rings[1] and len(came[0]) + len(came[1]) < MOST_VISITED:
        met = [key for ring, other in zip(rings, reversed(came), strict=True) for key in ring if key in other]
        if met:
            middle = min(met)
            return _trace(came[0], start, middle) + _trace(came[1], end, middle)[::-1]
        side = 0 if len(rings[0]) <= len(rings[1]) else 1
        further: dict[Key, Connection] = {}
        for key in rings[side]:
            for connection in graph.edges(key):
                _note(further, connection, key, came[side])
        rings[side] = sorted(further)
        came[side].update(further)
    return None


def _trace(came: Reached, start: Key, end: Key) -> list[Connection]:
    steps, at = list[Connection](), end
    while at != start and (connection := came[at]) is not None:
        steps.append(connection)
        at = connection.other(at)
    return steps[::-1]


def common_ancestors(graph: Graph, keys: Iterable[Key]) -> list[Key]:
    """What all of `keys` depend on, or are, sorted: only the lowest, which depend on no other one of them."""
    starts = list(dict.fromkeys(keys))
    if not starts:
        return []
    above = [{key: None, **dependencies(graph, key)} for key in starts]
    common = {key for key in set(above[0]).intersection(*above[1:]) if not _is_everybodys(graph, key)}
    lowest = set(common)
    for key in above[0]:  # the nearest first, so that of two that need each other one stays
        if key in lowest:
            lowest -= dependencies(graph, key).keys() - {key}
    return sorted(lowest)


def _is_everybodys(graph: Graph, key: Key) -> bool:
    return (key.resource, key.name) in _EVERYBODYS and not graph.is_missing(key)
