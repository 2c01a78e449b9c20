"""What is usual at this hour of the week: count, mean and spread of each workload's, node's and namespace's samples.

Welford's method, and Chan's for joining what several processes saw. Only what was learnt since the last saving is held
here; the rest stays in the server's store, behind a small protocol, and survives restarts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

HOURS = 168
_HOUR = 3600
_MONDAY = 4 * 24 * _HOUR
"""1970-01-05 was the first Monday."""

MOST = 50_000
"""Buckets held until they are saved; new ones wait beyond. Only where the store cannot be written do so many come."""


@dataclass(frozen=True, slots=True)
class Moments:
    """`m2` is the sum of the squared distances from the mean."""

    count: int = 0
    mean: float = 0.0
    m2: float = 0.0

    def plus(self, value: float) -> Moments:
        """With one more sample."""
        count = self.count + 1
        away = value - self.mean
        mean = self.mean + away / count
        return Moments(count, mean, self.m2 + away * (value - mean))

    def joined(self, other: Moments) -> Moments:
        """As if both had seen the samples of both."""
        count = self.count + other.count
        if not count:
            return self
        away = other.mean - self.mean
        mean = self.mean + away * other.count / count
        return Moments(count, mean, self.m2 + other.m2 + away**2 * self.count * other.count / count)

    def without(self, other: Moments) -> Moments:
        """As if the samples of `other`, which are among these, had not been seen."""
        count = self.count - other.count
        if count <= 0:
            return Moments()
        mean = (self.count * self.mean - other.count * other.mean) / count
        m2 = self.m2 - other.m2 - (other.mean - mean) ** 2 * count * other.count / self.count
        return Moments(count, mean, max(0.0, m2))

    @property
    def deviation(self) -> float:
        """The sample standard deviation, 0.0 for fewer than two samples."""
        return math.sqrt(self.m2 / (self.count - 1)) if self.count > 1 else 0.0


class Bucket(NamedTuple):
    """`subject` is `Node/name`, `Namespace/name` or `namespace/Kind/name` of what owns the pods."""

    metric: str
    subject: str
    hour: int


class BaselineStore(Protocol):
    """Where baselines outlive the process. Both may raise SteadyErrors."""

    def join(self, cluster: str, learnt: Mapping[Bucket, Moments]) -> None:
        """Add to what is kept, all or nothing."""
        ...

    def kept(self, cluster: str, metric: str, subject: str) -> Mapping[int, Moments]:
        """By hour of the week, 0 to 167."""
        ...

    def kept_of(self, cluster: str, metric: str, hour: int) -> Mapping[str, Moments]:
        """Of one hour of the week, by subject."""
        ...


class Baselines:
    """Of one cluster. Without a store they last as long as the process."""

    def __init__(self, cluster: str, store: BaselineStore | None = None) -> None:
        self._cluster = cluster
        self._store = store
        self._learnt: dict[Bucket, Moments] = {}
        self._recent: dict[int, dict[Bucket, Moments]] = {}  # of the hour that is running and the one before

    def learn(self, metric: str, values: Iterable[tuple[str, float]], at: float) -> None:
        """The value of each subject at epoch seconds `at`."""
        hour = hour_of_week(at)
        running = int(at // _HOUR)
        if running not in self._recent:
            self._recent = {old: seen for old, seen in self._recent.items() if old == running - 1} | {running: {}}
        for subject, value in values:
            bucket = Bucket(metric, subject, hour)
            if bucket not in self._learnt and len(self._learnt) >= MOST:
                continue
            for seen in (self._learnt, self._recent[running]):
                seen[bucket] = seen.get(bucket, Moments()).plus(value)

    def usual(self, metric: str, subject: str, at: float) -> Moments:
        """What was seen of the subject in that hour of the week; a count of 0 means never."""
        hour = hour_of_week(at)
        kept = self._store.kept(self._cluster, metric, subject).get(hour) if self._store else None
        return (kept or Moments()).joined(self._learnt.get(Bucket(metric, subject, hour), Moments()))

    def earlier(self, metric: str, at: float) -> dict[str, Moments]:
        """By subject, what was seen in that hour of the week before the hour of `at`, the running one or the one before
        it: what is strange now must not have made itself usual. What other processes see in it is in it all the same.
        May raise SteadyErrors.
        """
        hour = hour_of_week(at)
        found = dict(self._store.kept_of(self._cluster, metric, hour)) if self._store else {}
        for bucket, seen in self._learnt.items():
            if (bucket.metric, bucket.hour) == (metric, hour):
                found[bucket.subject] = found.get(bucket.subject, Moments()).joined(seen)
        for bucket, seen in self._recent.get(int(at // _HOUR), {}).items():
            if (bucket.metric, bucket.hour) == (metric, hour) and bucket.subject in found:
                found[bucket.subject] = found[bucket.subject].without(seen)
        return found

    def save(self) -> None:
        """Hand over what was learnt. What cannot be saved is kept for the next time."""
        if self._store is not None and self._learnt:
            self._store.join(self._cluster, self._learnt)
            self._learnt = {}


def hour_of_week(at: float) -> int:
    """0 is Monday from midnight to one in UTC, 167 the last hour of Sunday."""
    return int((at - _MONDAY) // _HOUR) % HOURS
