"""An end to rehearsals that would take minutes: a manifest of a few lines can ask for thousands of pods every minute.

Rehearsals run one at a time or in a few threads, so that one without an end would be in everybody's way.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from kubesteward_tools.errors import AskDifferently

LONGEST = 30.0
"""Seconds of its own thread's time: what it waits for others is not counted."""


class TooLong(AskDifferently):
    """The change is too large to be played."""

    code = "REHEARSAL_TOO_LONG"


def within(between: Callable[[], None] | None = None) -> Callable[[], None]:
    """What a rehearsal is to call again and again, beside `between`; it raises TooLong when the time is over. The time
    begins with the first call, which is made by the thread that rehearses.
    """
    end: float | None = None

    def look() -> None:
        nonlocal end
        now = time.thread_time()
        end = now + LONGEST if end is None else end
        if now > end:
            raise TooLong(f"the rehearsal takes longer than {LONGEST:g} s.", todo="Change less at a time.")
        if between is not None:
            between()

    return look
