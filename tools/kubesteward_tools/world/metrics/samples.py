"""All own samples of one cluster: a ring for each metric of each container, node and namespace, within a bound.

With the default bounds that is at most about 260 MB, and 3 MB for a cluster of 1,000 containers.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

from kubesteward_tools.world.metrics.ring import Ring
from kubesteward_tools.world.store import Key

CAPACITY = 120
"""Samples a series: an hour at one each half minute."""

MOST = 150_000
"""Series: cpu and memory of 75,000 containers."""

SILENCE = 300.0
"""Seconds without a sample after which a series makes room for a new one."""


class Series(NamedTuple):
    """`container` is "" for nodes and namespaces."""

    metric: str
    key: Key
    container: str = ""


Points = list[tuple[float, float]]
"""(epoch seconds, value), the oldest first."""


class Samples:
    """When there are too many series, new ones wait until old ones have fallen silent: none lose their history."""

    def __init__(self, capacity: int = CAPACITY, most: int = MOST) -> None:
        self._capacity = capacity
        self._most = most
        # In the order in which they were added to. A plain dict would be slow to find its first entry here.
        self._rings: OrderedDict[Series, Ring] = OrderedDict()
        self._containers: dict[tuple[str, Key], tuple[str, ...]] = {}

    def __len__(self) -> int:
        return len(self._rings)

    def add(self, series: Series, at: float, value: float) -> bool:
        """Whether it was news."""
        ring = self._rings.get(series)
        if ring is not None:
            self._rings.move_to_end(series)
            return ring.add(at, value)
        if len(self._rings) >= self._most:
            self.drop_before(at - SILENCE)
        if len(self._rings) >= self._most:
            return False
        ring = self._rings[series] = Ring(self._capacity)
        of = series.metric, series.key
        self._containers[of] = (*self._containers.get(of, ()), series.container)
        return ring.add(at, value)

    def drop_before(self, at: float) -> None:
        """Forget the series that have not been added to since: their pods are gone."""
        while self._rings and self._rings[first := next(iter(self._rings))].latest < at:
            del self._rings[first]
            of = first.metric, first.key
            left = tuple(name for name in self._containers.pop(of) if name != first.container)
            if left:
                self._containers[of] = left

    def points(self, metric: str, key: Key, since: float = 0.0) -> Points:
        """Of an object: the sum of its containers at each moment at which all that had begun were measured."""
        rings = [self._rings[Series(metric, key, name)] for name in self._containers.get((metric, key), ())]
        if len(rings) == 1:
            return [point for point in rings[0] if point[0] >= since]
        sums: dict[float, tuple[float, int]] = {}
        for ring in rings:
            for at, value in ring:
                if at >= since:
                    total, count = sums.get(at, (0.0, 0))
                    sums[at] = total + value, count + 1
        return [(at, total) for at, (total, count) in sorted(sums.items()) if count == _begun(rings, at)]

    def means(self, since: float, fewest: int) -> Iterator[tuple[str, Key, float]]:
        """Metric, object and its mean use, where all its containers have `fewest` samples or more from `since` on.

        May be asked in another thread than the one that adds.
        """
        rings = self._rings
        for (metric, key), names in list(self._containers.items()):
            total, enough = 0.0, True
            for name in names:
                ring = rings.get(Series(metric, key, name))
                mean, count = ring.mean(since) if ring is not None else (0.0, 0)
                total += mean
                enough &= count >= fewest
            if enough:
                yield metric, key, total

    def highest(self, metric: str, key: Key, many: int) -> float:
        """The highest mean of so many samples in a row, 0.0 where there are fewer; of several containers the sum of
        theirs. May be asked in another thread, too.
        """
        found = (self._rings.get(Series(metric, key, name)) for name in self._containers.get((metric, key), ()))
        return sum(ring.highest(many) for ring in found if ring is not None)

    def rings(self, metric: str, resource: str, namespace: str = "") -> Iterator[tuple[Series, Ring]]:
        """Every series of the objects of a resource; more may be added meanwhile."""
        for series, ring in list(self._rings.items()):
            key = series.key
            if series.metric == metric and key.resource == resource and namespace in {"", key.namespace}:
                yield series, ring

    def of_containers(self, metric: str, key: Key, since: float = 0.0) -> dict[str, Points]:
        """Of an object, by container."""
        names = self._containers.get((metric, key), ())
        rings = {name: self._rings[Series(metric, key, name)] for name in names}
        return {name: [point for point in ring if point[0] >= since] for name, ring in rings.items()}

    def keys(self, metric: str, resource: str, namespace: str = "") -> Iterator[Key]:
        """The objects that have samples."""
        for found, key in self._containers:
            if found == metric and key.resource == resource and namespace in {"", key.namespace}:
                yield key


def _begun(rings: list[Ring], at: float) -> int:
    """How many containers had been measured by then and still are."""
    spans = [(next(iter(ring))[0], ring.latest) for ring in rings]
    return sum(first <= at <= last for first, last in spans)
