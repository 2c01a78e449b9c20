"""Asks a provider again after what may pass. The SDKs would do it silently; here every wait is seen and has an end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from math import isfinite
from random import Random

from kubesteward.reasoning.brains.base import BrainOffline, Event, Lost, Usage, Waiting
from kubesteward.reasoning.brains.trouble import Trouble

Events = AsyncGenerator[Event, None]
Attempt = Callable[[], Events]
LATER = "Try again later, or choose another brain."
_TICK = 1.0
_LATER = 0.1
"""Nobody comes back before the time that was asked for, and not all at that time."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Attempts in all; the first wait, the longest one by own choice, and all waits together, in seconds."""

    attempts: int = 5
    first: float = 1.0
    longest: float = 30.0
    whole: float = 180.0

    def wait(self, attempt: int, after: float | None, chance: float) -> float:
        """Before the attempt after `attempt`; `chance` is of [0, 1)."""
        if after:
            return after * (1 + _LATER * chance)
        return min(self.longest, self.first * 2.0 ** (attempt - 1)) * (0.5 + chance / 2)


async def _sleep(seconds: float) -> None:
    import anyio

    await anyio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Retry:
    """`sleep` and `random` are handed in where time must not pass."""

    patience: Patience = Patience()
    sleep: Callable[[float], Awaitable[None]] = _sleep
    random: Random = Random()  # noqa: RUF009, S311 - one generator for all is meant; it only spreads requests

    async def stream(self, attempt: Attempt) -> Events:
        """The events of the first attempt that ends well, with what happened before.

        Raises:
            BrainOffline: none did; with the last reason. Others: as the attempt raised them.
        """
        waited, number = 0.0, 1
        while True:
            found: Trouble | None = None
            try:
                async with aclosing(attempt()) as events:
                    async for event in events:
                        yield event
                    return
            except Trouble as trouble:
                found = trouble
            if found.usage != Usage():
                yield Lost(found.usage)
            seconds = self.patience.wait(number, found.after, self.random.random())
            if number >= self.patience.attempts or waited + seconds > self.patience.whole:
                raise BrainOffline(_given_up(found, number), _todo(found))
            async with aclosing(self._wait(seconds, found.reason, number + 1)) as ticks:
                async for event in ticks:
                    yield event
            waited, number = waited + seconds, number + 1

    async def _wait(self, seconds: float, reason: str, attempt: int) -> Events:
        left = seconds
        while left > 0:
            yield Waiting(round(left, 1), reason, attempt)
            step = min(_TICK, left)
            await self.sleep(step)
            left -= step


def _given_up(found: Trouble, attempts: int) -> str:
    return f"{found.reason}, {attempts} times" if attempts > 1 else found.reason


def _todo(found: Trouble) -> str:
    if found.todo:
        return found.todo
    return f"Try again in {found.after:.0f} s." if found.after else LATER


def after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that an answer asks to wait: a number or a date against `now` (epoch seconds) in Retry-After (RFC 9110,
    10.2.3), or more exactly in `retry-after-ms`, as providers add it.
    """
    exact = _seconds(headers.get("retry-after-ms") or "", now)
    return _seconds(headers.get("retry-after") or "", now) if exact is None else exact / 1000


def _seconds(text: str, now: float) -> float | None:
    if not text.strip():
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now
        except (ValueError, OverflowError):
            return None
    return max(0.0, seconds) if isfinite(seconds) else None
