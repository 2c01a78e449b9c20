"""Time as it is passed in: whoever drives the twin sets `now`, nobody below reads a clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache


@dataclass(slots=True)
class Clock:
    """`now` is in seconds since the epoch; it is virtual in a rehearsal and real in the embedded cluster."""

    now: float

    @property
    def timestamp(self) -> str:
        return timestamp(self.now)


def timestamp(seconds: float) -> str:
    """metav1.Time: RFC 3339 in UTC, whole seconds."""
    return _written(int(seconds))


@lru_cache(maxsize=256)
def _written(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_timestamp(seconds: float) -> str:
    """metav1.MicroTime: RFC 3339 in UTC with six decimals."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_timestamp(text: str) -> float:
    """Seconds since the epoch.

    Raises:
        ValueError: not RFC 3339.
    """
    return datetime.fromisoformat(text).timestamp()
