"""Watches what somebody subscribed to, and tells when it is different: once a second at the most, and only then.

One watch serves all who hold the same URI; the last who lets go ends it. What is looked at tells by its store that
something was written; every `TICK` seconds it is looked at all the same, for time passes and clusters come back.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from kubesteward_tools.errors import SteadyError

log = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds between two looks at one URI, and so between two notifications about it."""
TICK = 15.0
"""Seconds after which it is looked at though nothing was written."""
_SHARE = 10.0
"""All looks together take at most one part in so many of the time, so that watching is not all that is done."""
_LONGEST_PAUSE = 60.0
PATIENCE = 5.0
"""Seconds that a subscriber waits for the first look. After that it is told when it is over."""

Tell = Callable[[str], None]
"""Hears a URI. Must neither wait nor raise."""
Listen = Callable[[Callable[[], None]], Callable[[], None]]
"""Calls what it is given on every write, until the function that it returns is called."""


class Sight(Protocol):
    """What a look sees. `mark` stays the same as long as nothing is different."""

    @property
    def mark(self) -> str: ...

    @property
    def listen(self) -> Listen: ...


Look = Callable[[str], Awaitable[Sight]]


class Watches:
    """`look` finds out what a URI shows and raises SteadyErrors, which are a thing to see like any other."""

    def __init__(self, look: Look, *, pause: float = PAUSE, tick: float = TICK) -> None:
        self._look = look
        self._pause, self._tick = pause, tick
        self._watches: dict[str, _Watch] = {}

    def __len__(self) -> int:
        """How many URIs are watched."""
        return len(self._watches)

    async def hold(self, uri: str, tell: Tell, patience: float = PATIENCE) -> Callable[[], None]:
        """Have `tell` told of every difference from now on, until the returned function is called.

        Returns when the first look is over, or after `patience` seconds; then the end of that look is told too. So
        whoever reads after that misses nothing.
        """
        watch = self._watches.get(uri)
        if watch is None:
            watch = self._watches[uri] = _Watch(uri, self._look, self._rest, self._tick)
        token = object()
        watch.tells[token] = tell

        def release() -> None:
            watch.tells.pop(token, None)
            if not watch.tells and self._watches.get(uri) is watch:
                del self._watches[uri]
                watch.end()

        try:
            async with asyncio.timeout(patience):
                await watch.begun.wait()
        except TimeoutError:
            watch.awaited = True
        except BaseException:  # cancelled: whoever gives up holds nothing
            release()
            raise
        return release

    def _rest(self, took: float) -> float:
        """Seconds to pause after a look that took so long."""
        return max(self._pause, min(_LONGEST_PAUSE, _SHARE * took * len(self._watches)))

    def failure(self, uri: str) -> SteadyError | None:
        """Why the last look at a URI saw nothing."""
        watch = self._watches.get(uri)
        return watch.failure if watch else None


class _Watch:
    """`awaited`: somebody did not wait for the first look and wants to hear of it."""

    def __init__(self, uri: str, look: Look, rest: Callable[[float], float], tick: float) -> None:
        self.tells: dict[object, Tell] = {}
        self.begun = asyncio.Event()
        self.awaited = False
        self.failure: SteadyError | None = None
        self._uri, self._look = uri, look
        self._rest, self._tick = rest, tick
        self._written = asyncio.Event()
        self._deaf: Callable[[], None] | None = None
        self._task = asyncio.create_task(self._run(), name=f"watch {uri}")

    def end(self) -> None:
        self._task.cancel()
        self._stop_listening()

    async def _run(self) -> None:
        last = await self._mark()
        self.begun.set()
        if self.awaited:
            self._tell()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._tick):
                    await self._written.wait()
            self._written.clear()
            began = asyncio.get_running_loop().time()
            mark = await self._mark()
            if mark != last:
                last = mark
                self._tell()
            await asyncio.sleep(self._rest(asyncio.get_running_loop().time() - began))

    def _tell(self) -> None:
        for tell in tuple(self.tells.values()):
            tell(self._uri)

    async def _mark(self) -> str:
        try:
            sight = await self._look(self._uri)
        except SteadyError as error:
            self.failure = error
            return f"{error.code} {error}"
        except Exception:  # a fault of ours must not end the watch in silence, nor be told for ever
            log.exception("what %s shows cannot be told", self._uri)
            return "unknown"
        self.failure = None
        if self._deaf is None:
            self._deaf = sight.listen(self._written.set)
        return sight.mark

    def _stop_listening(self) -> None:
        if self._deaf is not None:
            self._deaf()
            self._deaf = None
