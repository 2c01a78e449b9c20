"""Worlds by user: whoever is acted for has clusters of their own, so that nobody sees what another user may see.

A user's worlds cost memory and watches: they are closed when they have not been used for a while, and the longest
unused ones when there are too many.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator

from kubesteward_tools.cluster.clusters import Clusters
from kubesteward_tools.errors import AskAgain

MOST = 50
"""Users at a time."""
IDLE = 900.0
"""Seconds."""

Who = tuple[str, ...]
"""A user and their groups; empty for the server's own account."""


async def _nothing(_: Who) -> None:
    return None


class People:
    """`origin` finds the clusters of the server's own account; `gone` is told of each user whose worlds are closed."""

    def __init__(
        self,
        origin: Callable[[], Clusters],
        gone: Callable[[Who], Awaitable[None]] = _nothing,
        *,
        most: int = MOST,
        idle: float = IDLE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._origin = origin
        self._gone = gone
        self._most, self._idle, self._clock = most, idle, clock
        self._clusters: dict[Who, Clusters] = {}
        self._used: dict[Who, float] = {}
        self._held: Counter[Who] = Counter()
        self._closing: set[asyncio.Task[None]] = set()
        self._sweeping: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._clusters)

    def of(self, who: Who) -> Clusters:
        """The clusters as a user sees them.

        Raises:
            AskAgain: as many others as there may be are at work. Refused: what is served is no API server.
        """
        if not who:
            return self._origin()
        if who not in self._clusters:
            if len(self._clusters) >= self._most:
                self._make_room()
            user, *groups = who
            self._clusters[who] = self._origin().acting(user, groups)
            self._begin_to_sweep()
        self._used[who] = self._clock()
        return self._clusters[who]

    def all(self) -> list[Clusters]:
        """Those that are open, whosever they are."""
        return list(self._clusters.values())

    @contextlib.contextmanager
    def held(self, who: Who) -> Iterator[None]:
        """Nothing of this user's is closed while the block runs."""
        self._held[who] += 1
        try:
            yield
        finally:
            self._held[who] -= 1
            if not self._held[who]:
                del self._held[who]
            if who in self._used:
                self._used[who] = self._clock()

    def sweep(self) -> None:
        """Close the worlds of those who have been idle for too long."""
        late = self._clock() - self._idle
        for who in [who for who, used in self._used.items() if used < late and who not in self._held]:
            self._let_go(who)

    async def close(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
        for who in tuple(self._clusters):
            self._let_go(who)
        if self._closing:
            await asyncio.wait(self._closing)

    def _make_room(self) -> None:
        free = [who for who in self._clusters if who not in self._held]
        if not free:
            raise AskAgain(f"{self._most} users are being served at present.", todo="Ask again in a minute.")
        self._let_go(min(free, key=self._used.__getitem__))

    def _let_go(self, who: Who) -> None:
        clusters = self._clusters.pop(who)
        del self._used[who]
        task = asyncio.create_task(self._end(who, clusters), name="a user's worlds are closed")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _end(self, who: Who, clusters: Clusters) -> None:
        await clusters.close()
        if who not in self._clusters:
            await self._gone(who)

    def _begin_to_sweep(self) -> None:
        if self._sweeping is None or self._sweeping.done():
            self._sweeping = asyncio.create_task(self._sweep_on(), name="idle users")

    async def _sweep_on(self) -> None:
        while self._clusters:
            await asyncio.sleep(self._idle / 4)
            self.sweep()
