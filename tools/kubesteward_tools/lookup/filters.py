"""Which of very many objects are meant: by label, field and status, told from the facts wherever they know it.

Tens of thousands of objects go through here for each question. They are kept in columns, for an object made for each of
them would cost more than all the tests, and the garbage collector's time on top.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import TypeVar

from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.lookup.notes import Note, columns
from kubesteward_tools.twin.selectors import Requirement, field_requirements, has_field, parse_label_selector
from kubesteward_tools.world.facts import Columns, Facts
from kubesteward_tools.world.store import Key, Store

T = TypeVar("T")

_READY = {"ready": True, "not_ready": False, "not ready": False, "notready": False}
_WITH_PHASE = frozenset({"Pod", "Namespace", "PersistentVolume", "PersistentVolumeClaim"})
_AT_ONCE = 200
"""Objects read before others get their turn."""
_TODO = "Write it as kubectl does: app=web,tier!=db."


@dataclass(frozen=True, slots=True)
class Batch:
    """Objects of one namespace of one cluster: those of `columns` whose numbers are `chosen`, in their order."""

    cluster: str
    namespace: str
    columns: Columns
    chosen: Sequence[int]

    def kept(self, flags: Sequence[bool]) -> Batch:
        return Batch(self.cluster, self.namespace, self.columns, list(compress(self.chosen, flags)))

    @property
    def names(self) -> Sequence[str]:
        return self._of(self.columns.names)

    @property
    def facts(self) -> Sequence[Facts]:
        return self._of(self.columns.facts)

    @property
    def notes(self) -> Sequence[Note]:
        return self._of(self.columns.notes)

    @property
    def created(self) -> Sequence[str]:
        return self._of(self.columns.created)

    def _of(self, column: Sequence[T]) -> Sequence[T]:
        return column if len(self.chosen) == len(column) else [column[number] for number in self.chosen]


Test = Callable[[Batch], Sequence[bool]]
Stores = Mapping[str, tuple[Store, str]]
"""Of each cluster its store, and the name of the resource in it."""


def batches(store: Store, cluster: str, resource: str, namespace: str | None) -> Iterator[Batch]:
    """Everything of a resource, by namespace."""
    for space in store.spaces(resource) if namespace is None else [namespace]:
        found = columns(store, resource, space)
        yield Batch(cluster, space, found, range(len(found.names)))


@dataclass
class Filters:
    """What is asked for. `notes` say afterwards why nothing could be found, if a word of the question is unknown.

    Raises:
        InvalidArguments: a selector cannot be read.
    """

    labels: str = ""
    fields: str = ""
    status: str = ""
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        try:
            self._by_label = parse_label_selector(self.labels)
            self._requirements = field_requirements(self.fields)
        except ValueError as error:
            raise InvalidArguments(f"{error}.", todo=_TODO) from None

    async def picked(self, every: list[Batch], stores: Stores, kind: str) -> list[Batch]:
        """What passes of each batch. `kind` is how the objects' kind is called."""
        tests = {item: _field_test(item, kind) for item in self._requirements}
        quick = [test for test in tests.values() if test is not None]
        if self.labels:
            quick.append(self._label_test())
        chosen = self._with_status(every, kind)
        for test in quick:
            chosen = [batch.kept(test(batch)) for batch in chosen]
        read = [item for item, test in tests.items() if test is None]
        return await self._reading(chosen, stores, read, kind) if read else chosen

    def _with_status(self, every: list[Batch], kind: str) -> list[Batch]:
        word = self.status.strip().lower()
        if not word:
            return every
        if word in _READY:
            wanted = _READY[word]
            chosen = [batch.kept([note.ready is wanted for note in batch.notes]) for batch in every]
        else:
            chosen = _worded(every, word)
        if not any(batch.chosen for batch in chosen) and any(batch.chosen for batch in every):
            self.notes += _why_none(every, self.status, kind)
        return chosen

    def _label_test(self) -> Test:
        """Many objects share one mapping of labels, which is judged once."""

        def test(batch: Batch) -> list[bool]:
            fit = {number for labels, numbers in batch.columns.alike if self._by_label(labels) for number in numbers}
            return [number in fit for number in batch.chosen]

        return test

    async def _reading(self, chosen: list[Batch], stores: Stores, wanted: list[Requirement], kind: str) -> list[Batch]:
        unseen, count, passed = {item.path for item in wanted}, 0, list[Batch]()
        for batch in chosen:
            store, resource = stores[batch.cluster]
            flags = list[bool]()
            for name in batch.names:
                obj = store.get(Key(resource, batch.namespace, name)) or {}
                unseen -= {path for path in unseen if has_field(obj, path)}
                flags.append(all(item.test(obj) for item in wanted))
                count += 1
                if not count % _AT_ONCE:
                    await asyncio.sleep(0)
            passed.append(batch.kept(flags))
        if count and unseen:
            paths = ", ".join(map(repr, sorted(unseen)))
            self.notes.append(f"Not one of these {kind} objects has the field {paths}: check the field_selector.")
        return passed


def _notes(every: Iterable[Batch]) -> Iterator[Note]:
    return (note for batch in every for note in batch.notes)


def _worded(every: list[Batch], status: str) -> list[Batch]:
    """Those in whose word it occurs, or whose phase it is."""
    different = {id(note): note for note in _notes(every)}
    fit = {number for number, note in different.items() if status in note.word.lower() or note.phase.lower() == status}
    return [batch.kept([id(note) in fit for note in batch.notes]) for batch in every]


def _why_none(every: list[Batch], status: str, kind: str) -> Iterable[str]:
    """None may be the answer, or the word may be wrong: the words that there are tell which."""
    if status.strip().lower() in _READY:
        if all(note.ready is None for note in _notes(every)):
            yield f"Objects of the kind {kind} are neither ready nor not ready."
        return
    words = Counter(note.word for note in _notes(every) if note.word).most_common(8)
    there = ", ".join(f"{word} ({count})" for word, count in words) or "none at all"
    yield f"No {kind} has the status {status[:60]!r} now. There are: {there}."


def _field_test(wanted: Requirement, kind: str) -> Test | None:
    """The test where facts are enough, None where the object has to be read."""
    path, value, equal = wanted
    if path == "metadata.name":
        return lambda batch: [(name == value) is equal for name in batch.names]
    if path == "metadata.namespace":
        return lambda batch: [(batch.namespace == value) is equal] * len(batch.chosen)
    if path == "spec.nodeName" and kind == "Pod":
        return lambda batch: [(item.node == value) is equal for item in batch.facts]
    if path == "status.phase" and kind in _WITH_PHASE:
        return lambda batch: [(note.phase == value) is equal for note in batch.notes]
    return None
