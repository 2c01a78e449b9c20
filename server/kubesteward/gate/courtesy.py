"""Lets those who read go first: judging a change takes the same interpreter, and nobody waits for it so impatiently.

The interpreter runs one thread at a time and is one for the process, so this is too. On the event loop proposals take
turns, one stage of one proposal at a time; beside it one rehearsal runs at a time and stops every few milliseconds
while somebody reads. Both go on after a while whatever else happens: nobody is starved.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from weakref import WeakKeyDictionary

YIELDING = 0.02
"""Seconds that one turn waits for readers to be done."""
SLICE = 0.002
"""Seconds that a rehearsal runs on between two waits, and about as long the pieces on the event loop."""
PATIENCE = 3.0
"""Seconds that one rehearsal waits in all."""


class _Turns:
    """What belongs to one event loop."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.rehearsal = asyncio.Lock()
        self.until = 0.0
        self.quiet = asyncio.Event()
        self.quiet.set()


class Courtesy:
    def __init__(self) -> None:
        self._readers = 0
        self._quiet = threading.Event()
        self._quiet.set()
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _Turns] = WeakKeyDictionary()

    def _turns(self) -> _Turns:
        return self._loops.setdefault(asyncio.get_running_loop(), _Turns())

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Somebody waits for an answer out of what is known already."""
        turns = self._turns()
        self._readers += 1
        self._quiet.clear()
        turns.quiet.clear()
        try:
            yield
        finally:
            self._readers -= 1
            if not self._readers:
                self._quiet.set()
                turns.quiet.set()

    async def turn(self) -> None:
        """To be awaited before each piece of work on the event loop that takes a millisecond or more."""
        turns = self._turns()
        async with turns.turn:
            await asyncio.sleep(0)  # what came meanwhile is begun before
            if turns.quiet.is_set() or time.monotonic() < turns.until:
                return
            try:
                async with asyncio.timeout(YIELDING):
                    await turns.quiet.wait()
            except TimeoutError:
                turns.until = time.monotonic() + SLICE

    @asynccontextmanager
    async def rehearsing(self) -> AsyncIterator[Callable[[], None]]:
        """One at a time; what is given is to be called again and again by the thread that rehearses."""
        async with self._turns().rehearsal:
            yield self._pauses()

    def _pauses(self) -> Callable[[], None]:
        until, waited = time.monotonic() + SLICE, 0.0

        def pause() -> None:
            nonlocal until, waited
            now = time.monotonic()
            if now < until:
                return
            if not self._quiet.is_set() and waited < PATIENCE:
                self._quiet.wait(YIELDING)
                waited += time.monotonic() - now
            until = time.monotonic() + SLICE

        return pause


COURTESY = Courtesy()
