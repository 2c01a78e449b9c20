"""Token buckets: how often somebody may do something. After a minute's rest it is a minute's worth at once."""

from __future__ import annotations

import time
from collections.abc import Callable

MOST = 10_000
"""Keys that are kept in mind. A full bucket is like none, so those go first."""


class Buckets:
    """One bucket a key, of `per_minute` tokens that come back evenly; 0 means that nothing is limited."""

    def __init__(self, per_minute: float, *, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = max(1.0, per_minute) if per_minute else 0.0
        self._pace = per_minute / 60.0
        self._most = most
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}
        """Tokens and when they were counted."""

    def take(self, key: str) -> float:
        """0.0 if there was a token, which is gone now; else the seconds until there is one."""
        wait = self.wait(key)
        if not wait and self._size:
            self._left[key] = self._now(key) - 1.0, self._clock()
            if len(self._left) > self._most:
                self._forget()
        return wait

    def wait(self, key: str) -> float:
        """Seconds until there is a token, 0.0 if there is one."""
        left = self._now(key)
        return 0.0 if not self._size or left >= 1.0 else (1.0 - left) / self._pace

    def _now(self, key: str) -> float:
        left, at = self._left.get(key, (self._size, 0.0))
        return min(self._size, left + (self._clock() - at) * self._pace)

    def _forget(self) -> None:
        """Those that are full again; then the ones that were used longest ago."""
        for key in [key for key in self._left if self._now(key) >= self._size]:
            del self._left[key]
        oldest = sorted(self._left, key=lambda key: self._left[key][1])
        for key in oldest[: max(0, len(self._left) - self._most // 2)]:
            del self._left[key]
