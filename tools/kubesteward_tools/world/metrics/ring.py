"""The newest samples of one series, in two columns of eight bytes a sample together; older ones make room."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

_SECONDS: Final = "I"
_VALUE: Final = "f"
"""Single precision: a sample of 16 GiB is right to 1 KiB, and 30,000 pods cost half."""


class Ring:
    """At most `capacity` samples. Times are whole epoch seconds and only go forward."""

    __slots__ = ("_capacity", "_next", "_times", "_values")

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError("a ring holds at least one sample")
        self._capacity = capacity
        self._next = 0
        self._times: array[int] = array(_SECONDS)
        self._values: array[float] = array(_VALUE)

    def __len__(self) -> int:
        return len(self._times)

    def __iter__(self) -> Iterator[tuple[float, float]]:
        """(epoch seconds, value), the oldest first."""
        for at in (*range(self._next, len(self)), *range(self._next)):
            yield float(self._times[at]), self._values[at]

    @property
    def latest(self) -> float:
        """Epoch seconds of the newest sample, 0.0 before the first."""
        return float(self._times[self._next - 1]) if self._times else 0.0

    def mean(self, since: float) -> tuple[float, int]:
        """Of the samples from `since` on, and how many those are. Reads these alone."""
        times, values, end = self._times, self._values, self._next or len(self._times)
        first = bisect_left(times, since, 0, end)
        total, count = sum(values[first:end]), end - first
        if not first and end < len(times):  # older ones stand behind the newest
            first = bisect_left(times, since, end)
            total, count = total + sum(values[first:]), count + len(times) - first
        return (total / count if count else 0.0), count

    def highest(self, many: int) -> float:
        """The highest mean of `many` samples in a row; 0.0 where there are fewer."""
        sums = list(accumulate(self.columns()[1], initial=0.0))
        return max((end - begin for begin, end in zip(sums, sums[many:], strict=False)), default=0.0) / many

    def columns(self) -> tuple[array[int], array[float]]:
        """Epoch seconds and values, the oldest first; copies."""
        at = self._next
        return self._times[at:] + self._times[:at], self._values[at:] + self._values[:at]

    def add(self, at: float, value: float) -> bool:
        """Whether it was news: a sample that is no newer than the last one is known already."""
        if int(at) <= self.latest:
            return False
        if len(self) < self._capacity:
            self._times.append(int(at))
            self._values.append(value)
        else:
            self._times[self._next] = int(at)
            self._values[self._next] = value
            self._next = (self._next + 1) % self._capacity
        return True
