"""Who points to whom: the relations of all objects of a store, kept up to date with every write, asked by index.

Objects are numbered. Of each there is what it says itself (`_said`: flat tuples of link and other end, alternating) and
who speaks of it (`_named`). An edge is kept once, with the object in which it is written, and found from both ends.
What a selector matches is looked up when somebody asks, in the store's index of labels.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.world.relations import Edge, Kinds, Selection, depends, derive
from kubesteward_tools.world.store import Event, Key, Object, Store

MOST_VISITED = 50_000
"""Objects. A question that reaches further is answered with what it has reached."""

NAMESPACES = "namespaces"


class Connection(NamedTuple):
    """An edge as it is answered. `dangling`: its target should be there and is not."""

    relation: str
    source: Key
    target: Key
    detail: str = ""
    optional: bool = False
    confidence: float = 1.0
    dangling: bool = False

    def other(self, end: Key) -> Key:
        return self.target if self.source == end else self.source


class _Link(NamedTuple):
    """All that edges have in common but their ends. `outward`: it leads away from the object that says it."""

    relation: str
    detail: str
    optional: bool
    confidence: float
    outward: bool


_Said = tuple[int, ...]
_Selector = tuple[str, str | None, tuple[str, str] | None]
"""Resource, namespace (None: all), and one label that is wanted (None: no plain one is)."""


class Graph:
    """The relations of what is in `store`. `kinds` maps a group and a kind to its resource.

    `seen` tells whether all objects of a resource in a namespace would be in the store, if they were there at all.
    """

    def __init__(self, store: Store, kinds: Kinds, seen: Callable[[str, str], bool]) -> None:
        self._store = store
        self._kinds = kinds
        self._seen = seen
        self._numbers: dict[Key, int] = {}
        self._keys: dict[int, Key] = {}
        self._next = 0
        self._links: dict[tuple[str, str, bool, float, bool], int] = {}
        self._link_of: list[_Link] = []
        self._said: dict[int, _Said] = {}
        self._named: dict[int, set[int]] = {}
        self._selections: dict[int, tuple[Selection, ...]] = {}
        self._selectors: dict[_Selector, set[int]] = {}
        for resource in store.resources():
            for key, obj in store.items(resource):
                self.look(key, obj)
        store.subscribe(self.hear)

    def hear(self, event: Event) -> None:
        if event.type == "DELETED":
            self._forget(event.key)
        else:
            self.look(event.key, event.obj)

    def look(self, key: Key, obj: Object) -> None:
        """Derive again what an object says."""
        number = self._number(key)
        said, selections = self._compact(key, derive(key, obj, self._kinds))
        before = self._said.get(number)
        if before != said:
            self._said[number] = said
            self._rename(number, before or (), said)
        if selections or number in self._selections:
            self._reselect(number, selections)

    def _compact(self, key: Key, links: Iterable[Edge | Selection]) -> tuple[_Said, tuple[Selection, ...]]:
        said, selections = list[int](), list[Selection]()
        numbers, known = self._numbers, self._links
        for link in links:
            if isinstance(link, Selection):
                selections.append(link)
                continue
            relation, source, target, detail, optional, confidence = link
            outward = source == key
            common = (relation, detail, optional, confidence, outward)
            link_number = known.get(common)
            if link_number is None:
                link_number = self._new_link(_Link(relation, detail, optional, confidence, outward))
            other = target if outward else source
            number = numbers.get(other)
            said += link_number, self._number(other) if number is None else number
        return tuple(said), tuple(selections)

    def _number(self, key: Key) -> int:
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = self._next
            self._keys[found] = key
            self._next += 1
        return found

    def _new_link(self, link: _Link) -> int:
        found = self._links[link] = len(self._link_of)
        self._link_of.append(link)
        return found

    def _rename(self, number: int, before: _Said, after: _Said) -> None:
        new = after[1::2]
        for other in new:
            names = self._named.get(other)
            if names is None:
                self._named[other] = {number}
            else:
                names.add(number)
        for other in set(before[1::2]).difference(new):
            self._unname(other, number)

    def _unname(self, other: int, by: int) -> None:
        names = self._named[other]
        names.discard(by)
        if not names:
            del self._named[other]
            self._release(other)

    def _release(self, number: int) -> None:
        """A number that stands for nothing any more."""
        if number not in self._said and number not in self._named:
            del self._numbers[self._keys.pop(number)]

    def _forget(self, key: Key) -> None:
        number = self._numbers.get(key)
        if number is None:
            return
        self._reselect(number, ())
        said = self._said.pop(number, ())
        self._rename(number, said, ())
        if number in self._keys:
            self._release(number)

    def _reselect(self, number: int, selections: tuple[Selection, ...]) -> None:
        before = self._selections.pop(number, ())
        for place in {_place(item) for item in before}:
            numbers = self._selectors[place]
            numbers.discard(number)
            if not numbers:
                del self._selectors[place]
        if selections:
            self._selections[number] = selections
            for item in selections:
                self._selectors.setdefault(_place(item), set()).add(number)

    # Questions ------------------------------------------------------------------------------------------------------

    def edges(self, key: Key, relations: Collection[str] | None = None) -> Iterator[Connection]:
        """Every connection of one object, those of selectors included, in no particular order."""
        number = self._numbers.get(key)
        if number is not None:
            yield from self._spoken(key, number, relations)
        if key.resource in _SELECTABLE:
            yield from self._selected_by(key, relations)

    def _spoken(self, key: Key, number: int, relations: Collection[str] | None) -> Iterator[Connection]:
        for link, other in _pairs(self._said.get(number, ())):
            if relations is None or self._link_of[link].relation in relations:
                yield self._connection(link, key, self._keys[other])
        for speaker in self._named.get(number, ()):
            for link, other in _pairs(self._said[speaker]):
                if other == number and (relations is None or self._link_of[link].relation in relations):
                    yield self._connection(link, self._keys[speaker], key)
        for selection in self._selections.get(number, ()):
            if relations is None or selection.relation in relations:
                for found in self._matched(selection):
                    yield Connection(selection.relation, selection.source, found, selection.detail)

    def _connection(self, link: int, speaker: Key, other: Key) -> Connection:
        relation, detail, optional, confidence, outward = self._link_of[link]
        source, target = (speaker, other) if outward else (other, speaker)
        return Connection(relation, source, target, detail, optional, confidence, self.is_missing(other))

    def is_missing(self, key: Key) -> bool:
        """Whether an object is not there although it would have been seen."""
        return self._store.facts(key) is None and self._seen(key.resource, key.namespace)

    def _matched(self, selection: Selection) -> Iterator[Key]:
        resource, space = selection.resource, selection.namespace
        for namespace in self._store.spaces(resource) if space is None else [space]:
            yield from self._store.selected(resource, namespace, selection.selector)

    def _selected_by(self, key: Key, relations: Collection[str] | None) -> Iterator[Connection]:
        facts = self._store.facts(key)
        if facts is None:
            return
        wanted: list[tuple[str, str] | None] = [None, *facts.labels.items()]
        numbers = set[int]()
        for place in ((key.resource, space, pair) for space in (key.namespace, None) for pair in wanted):
            numbers |= self._selectors.get(place, set())
        for number in numbers:
            for item in self._selections[number]:
                if _covers(item, key, facts.labels) and (relations is None or item.relation in relations):
                    yield Connection(item.relation, item.source, key, item.detail)

    def around(self, key: Key, relations: Collection[str] | None = None) -> list[Connection]:
        """Every connection of one object, sorted."""
        return sorted(set(self.edges(key, relations)))

    def dependents(
        self, start: Key, relations: Collection[str] | None = None, depth: int | None = None
    ) -> dict[Key, Connection | None]:
        """What breaks or changes when `start` does, nearest first, each with the connection that leads to it.

        A Namespace's are all that is in it.
        """
        return self._reach(start, relations, depth, _is_dependent)

    def dependencies(
        self, start: Key, relations: Collection[str] | None = None, depth: int | None = None
    ) -> dict[Key, Connection | None]:
        """What `start` needs, directly or not, nearest first, each with the connection that leads to it."""
        return self._reach(start, relations, depth, _is_dependency)

    def _reach(
        self, start: Key, relations: Collection[str] | None, depth: int | None, leads: _Leads
    ) -> dict[Key, Connection | None]:
        found: dict[Key, Connection | None] = {}
        if start.resource == NAMESPACES and leads is _is_dependent:
            found = dict.fromkeys(self._inside(start.name))
        waiting = deque([(start, 0), *((key, 1) for key in found)])
        found[start] = None
        while waiting and len(found) < MOST_VISITED:
            key, steps = waiting.popleft()
            if depth is not None and steps >= depth:
                continue
            for connection in self.edges(key, relations):
                other = connection.other(key)
                if other not in found and leads(connection, key):
                    found[other] = connection
                    waiting.append((other, steps + 1))
        del found[start]
        return found

    def _inside(self, namespace: str) -> Iterator[Key]:
        for resource in self._store.resources():
            yield from self._store.keys(resource, namespace)

    def path(self, start: Key, end: Key) -> list[Connection] | None:
        """The fewest connections that lead from one object to another, whatever their direction; None if none do."""
        came: dict[Key, Connection | None] = {start: None}
        waiting = deque([start])
        while waiting and end not in came and len(came) < MOST_VISITED:
            key = waiting.popleft()
            for connection in sorted(self.edges(key)):
                other = connection.other(key)
                if other not in came:
                    came[other] = connection
                    waiting.append(other)
        return _trace(came, start, end) if end in came else None

    def common_ancestors(self, keys: Iterable[Key]) -> list[Key]:
        """What all of `keys` depend on, or are: of those only the lowest, which depend on no other one of them."""
        starts = list(dict.fromkeys(keys))
        if not starts:
            return []
        above = [{key: None, **self.dependencies(key)} for key in starts]
        common = {key for key in set(above[0]).intersection(*above[1:]) if not self._is_everybodys(key)}
        lowest = set(common)
        for key in above[0]:  # the nearest first, so that of two that need each other one stays
            if key in lowest:
                lowest -= self.dependencies(key).keys() - {key}
        return sorted(lowest)

    def _is_everybodys(self, key: Key) -> bool:
        return (key.resource, key.name) in _EVERYBODYS and not self.is_missing(key)

    def missing(self) -> list[Connection]:
        """Every edge to an object that should be there and is not, sorted; optional ones included."""
        found = set[Connection]()
        for number, speakers in self._named.items():
            if number not in self._said and self.is_missing(self._keys[number]):
                found.update(item for item in self._spoken(self._keys[number], number, None) if speakers)
        return sorted(found)

    def size(self) -> tuple[int, int]:
        """How many objects are known or named, and how many connections are written down."""
        return len(self._numbers), sum(map(len, self._said.values())) // 2

    def orphans(self, resource: str, namespace: str | None = None) -> list[Key]:
        """The objects of a resource that nothing is connected with, sorted."""
        return [key for key in self._store.keys(resource, namespace) if not self._has_company(key)]

    def _has_company(self, key: Key) -> bool:
        return any(item.relation not in _NO_COMPANY and not item.dangling for item in self.edges(key))


_EVERYBODYS = frozenset({("serviceaccounts", "default"), ("configmaps", "kube-root-ca.crt")})
"""What every pod of a namespace has, so that it explains nothing unless it is missing."""
_NO_COMPANY = frozenset({"defined_by", "constrained_by"})
_SELECTABLE = frozenset({"pods", "nodes", NAMESPACES})
_Leads = Callable[[Connection, Key], bool]


def _is_dependent(connection: Connection, end: Key) -> bool:
    """Whether the other end depends on this one."""
    who = _depends(connection.relation, connection.source.resource, connection.target.resource)
    return who == ("target" if connection.source == end else "source")


def _is_dependency(connection: Connection, end: Key) -> bool:
    """Whether this end depends on the other one."""
    who = _depends(connection.relation, connection.source.resource, connection.target.resource)
    return who == ("source" if connection.source == end else "target")


@lru_cache(maxsize=4096)
def _depends(relation: str, source: str, target: str) -> str:
    return depends(relation, source, target)


def _pairs(said: _Said) -> Iterator[tuple[int, int]]:
    return zip(said[::2], said[1::2], strict=True)


def _place(selection: Selection) -> _Selector:
    """Where in the index of selectors: under the first of the labels that are wanted."""
    wanted: Mapping[str, Any] = (selection.selector or {}).get("matchLabels") or {}
    return selection.resource, selection.namespace, next(iter(wanted.items()), None)


def _covers(selection: Selection, key: Key, labels: Mapping[str, str]) -> bool:
    if selection.resource != key.resource or selection.namespace not in {None, key.namespace}:
        return False
    return matches(selection.selector, labels)


def _trace(came: Mapping[Key, Connection | None], start: Key, end: Key) -> list[Connection]:
    steps, at = list[Connection](), end
    while at != start:
        connection = came[at]
        if connection is None:
            break
        steps.append(connection)
        at = connection.other(at)
    return steps[::-1]
