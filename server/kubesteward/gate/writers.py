"""Hands out the writing client of a world, one for each cluster and user, and closes them all."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kubesteward.execution.apply import Writer, Writing
from kubesteward.gate.credentials import WriteCredentials
from kubesteward_tools.cluster.connection import Connection
from kubesteward_tools.cluster.source import LiveSource
from kubesteward_tools.errors import Refused, SteadyError
from kubesteward_tools.world.world import World

Open = Callable[[Connection], Writing]
Who = tuple[str, ...]
_Place = tuple[str, Who]


class Reviewer:
    """Asks what the credential for changes may do. Where that cannot be used, asking says why."""

    def __init__(self, source: LiveSource | None, failure: SteadyError | None = None) -> None:
        self._source = source
        self._failure = failure

    async def can_i(self, attributes: Mapping[str, str]) -> tuple[bool, str]:
        """A SelfSubjectAccessReview. Raises SteadyErrors."""
        if self._source is None:
            raise self._failure or Refused("there is no credential for changes.")
        return await self._source.can_i(attributes)

    async def close(self) -> None:
        if self._source is not None:
            await self._source.close()


@dataclass(frozen=True, slots=True)
class _Hand:
    """`writer` is None, and the reviewer says why, where the credential for changes cannot be used."""

    writer: Writing | None
    reviewer: Reviewer | None
    connection: Connection | None = None


class Writers:
    def __init__(self, open_writer: Open = Writer, credentials: WriteCredentials | None = None) -> None:
        self._open = open_writer
        self._credentials = credentials
        self._hands: dict[_Place, _Hand] = {}
        self._preparing: defaultdict[_Place, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def prepare(self, world: World) -> None:
        """Find the credential for changes to a world, before anything else here is asked about it."""
        if world.connection is None or self._credentials is None or not self._credentials.configured:
            return
        place = _place(world)
        async with self._preparing[place]:
            if place in self._hands and self._hands[place].writer is not None:
                return
            try:
                connection = await self._credentials.find(world.connection)
            except SteadyError as error:
                self._hands[place] = _Hand(None, Reviewer(None, error))
            else:
                self._hands[place] = _Hand(self._open(connection), Reviewer(LiveSource(connection)), connection)

    def find(self, world: World) -> Writing | None:
        """None for a bundle, and where the credential for changes cannot be used."""
        if world.connection is None:
            return None
        place = _place(world)
        if place not in self._hands:
            self._hands[place] = _Hand(self._open(world.connection), None, world.connection)
        return self._hands[place].writer

    def reviewer(self, world: World) -> Reviewer | None:
        """Whom to ask what may be changed; None where that is the world itself."""
        hand = self._hands.get(_place(world))
        return hand.reviewer if hand else None

    def get(self, world: World) -> Writing:
        """Raises Refused for a bundle, and where the credential for changes cannot be used."""
        writer = self.find(world)
        if writer is None:
            why = (
                "is a bundle of files and cannot be changed" if world.connection is None else "has no usable credential"
            )
            raise Refused(f"{world.cluster!r} {why}.")
        return writer

    def connection(self, world: World) -> Connection:
        """What `get` writes through, for what is no call of the API's objects. Raises as `get` does."""
        self.get(world)
        found = self._hands[_place(world)].connection
        assert found is not None  # noqa: S101 - where there is a writer there is what it writes through
        return found

    async def forget(self, who: Who) -> None:
        """Close what was opened on behalf of a user, who does nothing at present."""
        for place in [place for place in self._hands if place[1] == who]:
            await _close(self._hands.pop(place))
            self._preparing.pop(place, None)

    async def close(self) -> None:
        hands = list(self._hands.values())
        self._hands.clear()
        for hand in hands:
            await _close(hand)


def _place(world: World) -> _Place:
    return world.cluster, world.who


async def _close(hand: _Hand) -> None:
    for item in (hand.writer, hand.reviewer):
        if item is not None:
            await item.close()
