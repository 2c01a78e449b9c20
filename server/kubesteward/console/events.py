"""Server-sent events (HTML Living Standard, 9.2): that something has changed, and how long there is to decide.

No text of anybody goes through here: only states, digests and times. The page works without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from kubesteward.console.access import Clock
from kubesteward.console.shown import span
from kubesteward.gate.actions import Actions
from kubesteward.store.store import StoreUnusable
from kubesteward_policies.digest import digest

EVERY = 1.0
LONGEST = 900
"""Rounds of one stream; the browser opens the next by itself, and has to show its cookie again."""
STREAMS = 16
"""At one time."""

Pause = Callable[[float], Awaitable[bool]]


async def stream(actions: Actions, clock: Clock, pause: Pause) -> AsyncIterator[str]:
    """One event each second in which there is something new: a countdown that runs is something new. `pause` says
    whether it is over.
    """
    before = ""
    for _ in range(LONGEST):
        try:
            now = json.dumps(state(actions, clock()))
        except StoreUnusable:
            now = json.dumps({"stamp": "", "left": {}, "digests": {}})
        if now != before:
            yield f"data: {now}\n\n"
        before = now
        if await pause(EVERY):
            return


def until(ending: asyncio.Event) -> Pause:
    """Pauses that end early, and say so, when the page is about to end: streams never end by themselves."""

    async def pause(seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ending.wait(), seconds)
        return ending.is_set()

    return pause


def state(actions: Actions, now: float) -> dict[str, Any]:
    """`stamp` differs whenever a record does; `left` and `digests` are of what waits for a decision, by id."""
    rows = actions.stamps()
    waiting = [(name, expires, mark) for name, status, expires, mark, _ in rows if status == "pending_approval"]
    return {
        "stamp": digest([list(map(str, row)) for row in rows]),
        "left": {name: span(expires - now) for name, expires, _ in waiting},
        "digests": {name: mark for name, _, mark in waiting},
    }
