"""Which processes are still there to end what they began, also on other hosts that share the store.

In a cluster every new pod is another host: of what the old one left it can only be told that it has fallen silent.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time

from kubesteward.gate import process
from kubesteward.store.store import Store, StoreUnusable

BEAT = 10.0
SILENT = 60.0
"""Seconds after which a process of another host is taken to be gone."""
NEVER_SEEN = 600.0
"""Likewise for one that has never given a sign, from when it last wrote about the action."""
_DAY = 86_400.0


class Presence:
    """`name` is this process's."""

    def __init__(self, store: Store, name: str) -> None:
        self.name = name
        self._store = store
        self._last = 0.0

    def beat(self) -> None:
        """Leave a sign of life, if the last one is old enough. Raises StoreUnusable."""
        now = time.time()
        if abs(now - self._last) < BEAT:
            return
        with self._store.transaction() as db:
            db.execute("INSERT OR REPLACE INTO processes VALUES (?, ?)", (self.name, now))
            db.execute("DELETE FROM processes WHERE seen < ?", (now - _DAY,))
        self._last = now

    def leave(self) -> None:
        """This process ends: others need not wait until it has been silent for long."""
        if self._last:
            with contextlib.suppress(StoreUnusable), self._store.transaction() as db:
                db.execute("UPDATE processes SET seen = seen - ? WHERE name = ?", (SILENT + BEAT, self.name))

    def gone(self, owner: str, wrote: float) -> bool:
        """Whether a process has ended; `wrote` is when it last did something that is known, in epoch seconds.

        Clocks of hosts that share a store are taken to differ by seconds only. Raises StoreUnusable.
        """
        if not process.elsewhere(owner):
            return process.gone(owner)
        try:
            row = self._store.db.execute("SELECT seen FROM processes WHERE name = ?", (owner,)).fetchone()
        except sqlite3.Error as error:
            raise StoreUnusable(f"the store {self._store.path} cannot be read ({error}).") from None
        return time.time() > (float(row["seen"]) + SILENT if row else wrote + NEVER_SEEN)
