"""One page of very many objects: sorted only as far as it is shown, and found again by a cursor."""

from __future__ import annotations

import hashlib
import heapq
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, chain, islice
from typing import Any, Literal

from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.lookup.filters import Batch
from kubesteward_tools.text import cursor as cursors

Sort = Literal["name", "age", "restarts", "status"]
Place = tuple[str, str, str]
"""Cluster, namespace, name."""

_FALLING = frozenset({"age", "restarts"})
"""The newest and the most restarted come first."""


def _trouble(batch: Batch) -> list[str]:
    """What is not ready first, then by the word."""
    different = {id(note): note for note in batch.notes}
    ranks = {number: f"{int(note.ready is not False)}{note.word}" for number, note in different.items()}
    return [ranks[id(note)] for note in batch.notes]


_VALUES: dict[Sort, Callable[[Batch], Iterable[Any]]] = {
    "age": lambda batch: batch.created,
    "restarts": lambda batch: [note.restarts for note in batch.notes],
    "status": _trouble,
}


def mark(question: Sequence[str]) -> str:
    """What tells the cursors of two questions apart."""
    return hashlib.sha256("\0".join(question).encode(errors="replace")).hexdigest()[:6]


class Pages:
    """Objects in an order: by what they are sorted by, equal ones by cluster, namespace and name, as they come in."""

    def __init__(self, batches: Iterable[Batch], sort: Sort, question: str) -> None:
        self._batches = [batch for batch in batches if batch.chosen]
        self._ends = list(accumulate(len(batch.chosen) for batch in self._batches))
        self._question = question
        self._falls = sort in _FALLING
        value = _VALUES.get(sort)
        self._values = list(chain.from_iterable(map(value, self._batches))) if value else None

    @property
    def total(self) -> int:
        return self._ends[-1] if self._ends else 0

    def page(self, limit: int, cursor: str) -> tuple[list[Place], str]:
        """At most `limit` places after the cursor, and the cursor of the next page ("" at the end).

        Raises:
            InvalidArguments: the cursor is malformed, or of another question.
        """
        rest = self._after(cursor) if cursor else range(self.total)
        if self._values is None:
            shown = list(islice(rest, limit + 1))
        else:
            choose = heapq.nlargest if self._falls else heapq.nsmallest
            shown = choose(limit + 1, rest, key=self._values.__getitem__)
        more = self._cursor(shown[limit - 1]) if len(shown) > limit else ""
        return [self._place(number) for number in shown[:limit]], more

    def _place(self, number: int) -> Place:
        at = bisect_right(self._ends, number)
        batch = self._batches[at]
        return batch.cluster, batch.namespace, batch.columns.names[batch.chosen[number - self._ends[at]]]

    def _cursor(self, number: int) -> str:
        value = "" if self._values is None else self._values[number]
        return cursors.encode({"q": self._question, "a": [value, *self._place(number)]})

    def _after(self, cursor: str) -> Iterable[int]:
        position = cursors.decode(cursor)
        if position.get("q") != self._question:
            raise InvalidArguments("The cursor belongs to another question.", todo="Repeat its other arguments.")
        try:
            value, *place = position["a"]
            return self._beyond(value, tuple(place))
        except (KeyError, TypeError, ValueError):
            raise InvalidArguments("The cursor is malformed.", todo="Leave it out.") from None

    def _beyond(self, value: Any, place: tuple[str, ...]) -> Iterable[int]:
        border = self._border(place)
        if self._values is None:
            return range(border, self.total)
        if self._values and type(value) is not type(self._values[0]):
            raise TypeError
        every = enumerate(self._values)
        if self._falls:
            return (number for number, at in every if at < value or (at == value and number >= border))
        return (number for number, at in every if at > value or (at == value and number >= border))

    def _border(self, place: tuple[str, ...]) -> int:
        """How many stand at the place or before it."""
        cluster, namespace, name = place
        before = 0
        for batch in self._batches:
            if (batch.cluster, batch.namespace) < (cluster, namespace):
                before += len(batch.chosen)
            elif (batch.cluster, batch.namespace) == (cluster, namespace):
                before += bisect_right(batch.names, name)
        return before
