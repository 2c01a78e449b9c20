"""Which kinds a cluster serves now: definitions come and go, and a world lives longer than they do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from kubesteward_tools.errors import SteadyError
from kubesteward_tools.world.kinds import ResourceType

if TYPE_CHECKING:
    from kubesteward_tools.cluster.discovery import Kinds
    from kubesteward_tools.cluster.source import Source

AT_MOST_EVERY = 2.0
"""Seconds between two questions about the same cluster, however many names nobody knows are asked for."""

AGES_IN = 60.0
"""Seconds after which kinds are asked for once more, in the background of whatever needs them."""


class Served:
    """The kinds of one source. `types` is one mapping for good, kept up to date, by resource."""

    def __init__(self, source: Source, kinds: Kinds) -> None:
        self.kinds = kinds
        self.types: dict[str, ResourceType] = {}
        self.lost: frozenset[str] = frozenset()
        """The resources that were served once and are not now."""
        self._source = source
        self._by_kind: dict[tuple[str, str], ResourceType] = {}
        self._asking = asyncio.Lock()
        self._asked = 0.0
        self._learned = time.monotonic()
        self._task: asyncio.Task[None] | None = None
        self._learn(kinds)

    def kind(self, group: str, kind: str) -> ResourceType | None:
        return self._by_kind.get((group, kind))

    def _learn(self, kinds: Kinds) -> None:
        self.kinds = kinds
        self._by_kind = {(item.group, item.kind): item for item in kinds.all()}
        self.lost = self.lost.union(self.types).difference(item.resource for item in kinds.all())
        self.types.clear()
        self.types |= {item.resource: item for item in kinds.all()}

    async def ask(self, follows: Callable[[str], bool]) -> bool:
        """Ask the server again, unless that was just done. Whether it answered; what it does not tell stays known.

        A kind that it leaves out stays as long as the world `follows` it: a group may be silent for a while.
        """
        async with self._asking:
            if self._asked and time.monotonic() < self._asked + AT_MOST_EVERY:
                return True
            self._asked = time.monotonic()
            try:
                found = await self._source.kinds(again=True)
            except SteadyError:
                return False
            told = {item.resource for item in found.all()}
            kept = [item for item in self.kinds.all() if item.resource not in told and follows(item.resource)]
            self._learn(found.joined(kept) if kept else found)
            self._learned = time.monotonic()
            return True

    def in_time(self, ask: Callable[[], Coroutine[Any, Any, None]], *, soon: bool) -> None:
        """`ask` in the background when the last answer has aged, or at the next chance. Nobody waits for it."""
        due = self._asked + AT_MOST_EVERY if soon else max(self._learned, self._asked) + AGES_IN
        if time.monotonic() > due and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(ask(), name="kinds")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
