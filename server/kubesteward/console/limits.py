"""How often something may be done: guesses at links and tokens, decisions, requests at all."""

from __future__ import annotations

from collections import deque


class Limit:
    """At most `count` times within any `seconds`. One for everybody: behind a proxy all have one address."""

    def __init__(self, count: int, seconds: float) -> None:
        self._count = count
        self._seconds = seconds
        self._times: deque[float] = deque()

    def wait(self, now: float) -> float:
        """0.0 when it may be done, which is then counted; else the seconds until it may."""
        while self._times and self._times[0] <= now - self._seconds:
            self._times.popleft()
        if len(self._times) >= self._count:
            return self._times[0] + self._seconds - now
        self._times.append(now)
        return 0.0
