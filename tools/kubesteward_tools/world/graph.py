"""Who points to whom: the relations of all objects of a store, kept up to date with every write, asked by index.

Objects are numbered. Of each there is what it says itself (`_said`: flat tuples of link and other end, alternating) and
who speaks of it (`_named`). An edge is kept once, with the object in which it is written, and found from both ends.
What a selector matches is looked up when somebody asks, in the store's index of labels.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.world.relations import Depends, Edge, Kinds, Selection, depends, derive
from kubesteward_tools.world.store import Event, Key, Object, Store

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
    """All that edges between two resources have in common but their ends.

    `outward`: it leads away from the object that says it, the speaker. `dependent` is who needs whom.
    """

    relation: str
    detail: str
    optional: bool
    confidence: float
    outward: bool
    speaker: str
    other: str
    dependent: Literal["speaker", "other", "neither"]


_Said = tuple[int, ...]
_Common = tuple[str, str, bool, float, bool, str, str]
_Selector = tuple[str, str | None, tuple[str, str] | None]
"""Resource, namespace (None: all), and one label that is wanted (None: no plain one is)."""


class Graph:
    """The relations of what is in `store`. `kinds` tells what a group and a kind are called.

    `seen` tells whether all objects of a resource in a namespace would be in the store, if they were there at all.
    """

    def __init__(self, store: Store, kinds: Kinds, seen: Callable[[str, str], bool]) -> None:
        self.store = store
        self._kinds = kinds
        self._seen = seen
        self._numbers: dict[Key, int] = {}
        self._keys: dict[int, Key] = {}
        self._next = 0
        self._links: dict[_Common, int] = {}
        self._link_of: list[_Link] = []
        self._spoken_of: dict[str, set[str]] = {}
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
            other = target if outward else source
            common = (relation, detail, optional, confidence, outward, key.resource, other.resource)
            link_number = known.get(common)
            if link_number is None:
                link_number = self._new_link(common)
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

    def _new_link(self, common: _Common) -> int:
        relation, _, _, _, outward, speaker, other = common
        who = depends(relation, *((speaker, other) if outward else (other, speaker)))
        dependent = _dependent(who, outward=outward)
        self._spoken_of.setdefault(other, set()).add(dependent)
        found = self._links[common] = len(self._link_of)
        self._link_of.append(_Link(*common, dependent))
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

    def edges(self, key: Key, relations: Collection[str] | None = None) -> Iterator[Connection]:
        """Every connection of one object, those of selectors included, in no particular order."""
        number = self._numbers.get(key)
        if number is not None:
            yield from self._said_by(key, number, relations)
            yield from self._said_about(key, number, relations)
            yield from self._selecting(number, relations)
        if key.resource in _SELECTABLE:
            yield from self._selected_by(key, relations)

    def _said_by(
        self, key: Key, number: int, relations: Collection[str] | None, dependent: str = ""
    ) -> Iterator[Connection]:
        """What the object itself says; only where the `dependent` is the speaker or the other, if one is given."""
        for link_number, other in _pairs(self._said.get(number, ())):
            link = self._link_of[link_number]
            if _fits(link, relations, dependent):
                yield self._connection(link, key, self._keys[other])

    def _said_about(
        self, key: Key, number: int, relations: Collection[str] | None, dependent: str = ""
    ) -> Iterator[Connection]:
        """What others say of it. Whoever is named by very many is passed over when none of them can matter."""
        if dependent and dependent not in self._spoken_of.get(key.resource, ()):
            return
        for speaker in self._named.get(number, ()):
            said = self._said[speaker]
            if number in said:
                for link_number, other in _pairs(said):
                    if other == number and _fits(link := self._link_of[link_number], relations, dependent):
                        yield self._connection(link, self._keys[speaker], key)

    def _selecting(self, number: int, relations: Collection[str] | None) -> Iterator[Connection]:
        for selection in self._selections.get(number, ()):
            if relations is None or selection.relation in relations:
                for found in self._matched(selection):
                    yield Connection(selection.relation, selection.source, found, selection.detail)

    def _connection(self, link: _Link, speaker: Key, other: Key) -> Connection:
        source, target = (speaker, other) if link.outward else (other, speaker)
        dangling = self.is_missing(other)
        return Connection(link.relation, source, target, link.detail, link.optional, link.confidence, dangling)

    def is_missing(self, key: Key) -> bool:
        """Whether an object is not there although it would have been seen."""
        return self.store.facts(key) is None and self._seen(key.resource, key.namespace)

    def _matched(self, selection: Selection) -> Iterator[Key]:
        resource, space = selection.resource, selection.namespace
        for namespace in self.store.spaces(resource) if space is None else [space]:
            yield from self.store.selected(resource, namespace, selection.selector)

    def _selected_by(self, key: Key, relations: Collection[str] | None) -> Iterator[Connection]:
        facts = self.store.facts(key)
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

    def leading(self, key: Key, relations: Collection[str] | None, *, down: bool) -> Iterator[Connection]:
        """The connections that lead to what `key` needs (down) or to what needs it."""
        number = self._numbers.get(key)
        if number is not None:
            yield from self._said_by(key, number, relations, "speaker" if down else "other")
            yield from self._said_about(key, number, relations, "other" if down else "speaker")
            for connection in self._selecting(number, relations):
                if _needs(connection, "source" if down else "target"):
                    yield connection
        if key.resource in _SELECTABLE:
            for connection in self._selected_by(key, relations):
                if _needs(connection, "target" if down else "source"):
                    yield connection

    def missing(self) -> list[Connection]:
        """Every edge to an object that should be there and is not, sorted; optional ones included."""
        found = set[Connection]()
        for number in self._named:
            if number not in self._said and self.is_missing(self._keys[number]):
                found.update(self._said_about(self._keys[number], number, None))
        return sorted(found)

    def absent(self, *resources: str) -> list[Key]:
        """What is named by something, should be there and is not, of these resources, sorted."""
        wanted = set(resources)
        keys = (self._keys[number] for number in self._named if number not in self._said)
        return sorted(key for key in keys if key.resource in wanted and self.is_missing(key))

    def size(self) -> tuple[int, int]:
        """How many objects are known or named, and how many connections are written down."""
        return len(self._numbers), sum(map(len, self._said.values())) // 2

    def orphans(self, resource: str, namespace: str | None = None) -> list[Key]:
        """The objects of a resource that nothing is connected with, sorted."""
        return [key for key in self.store.keys(resource, namespace) if not self._has_company(key)]

    def _has_company(self, key: Key) -> bool:
        return any(item.relation not in _NO_COMPANY and not item.dangling for item in self.edges(key))


_NO_COMPANY = frozenset({"defined_by", "constrained_by"})
_SELECTABLE = frozenset({"pods", "nodes", NAMESPACES})


def _dependent(who: Depends, *, outward: bool) -> Literal["speaker", "other", "neither"]:
    if who == "neither":
        return "neither"
    return "speaker" if (who == "source") == outward else "other"


def _fits(link: _Link, relations: Collection[str] | None, dependent: str) -> bool:
    return (not dependent or link.dependent == dependent) and (relations is None or link.relation in relations)


def _needs(connection: Connection, end: Depends) -> bool:
    """Whether it is this end that depends on the other."""
    return depends(connection.relation, connection.source.resource, connection.target.resource) == end


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
