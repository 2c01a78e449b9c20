"""Sets of ports by protocol: what one end may say to the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Ranges = tuple[tuple[int, int], ...]

PROTOCOLS = ("SCTP", "TCP", "UDP")
"""Those a NetworkPolicy knows, sorted. What becomes of others (ICMP) each network plugin decides."""

_EVERY: Ranges = ((1, 65535),)


@dataclass(frozen=True, slots=True)
class Connections:
    """The ports of each of `PROTOCOLS`, as sorted ranges that do not touch; both ends of a range belong to it."""

    ranges: tuple[Ranges, Ranges, Ranges] = ((), (), ())

    @classmethod
    def of(cls, protocol: str, low: int = 1, high: int = 65535) -> Connections:
        """One range of one protocol; nothing for a protocol that policies do not know, or where `high` is below."""
        one = _merged([(low, high)])
        found = [one if item == protocol else () for item in PROTOCOLS]
        return cls((found[0], found[1], found[2]))

    def __bool__(self) -> bool:
        return any(self.ranges)

    def __or__(self, other: Connections) -> Connections:
        if self == other or not other:
            return self
        return self._zip([_merged([*one, *two]) for one, two in zip(self.ranges, other.ranges, strict=True)])

    def __and__(self, other: Connections) -> Connections:
        if other in {self, ALL}:
            return self
        return self._zip([_common(one, two) for one, two in zip(self.ranges, other.ranges, strict=True)])

    def __sub__(self, other: Connections) -> Connections:
        rest = [_common(one, _others(two)) for one, two in zip(self.ranges, other.ranges, strict=True)]
        return self._zip(rest)

    def allows(self, port: int, protocol: str = "TCP") -> bool:
        if protocol not in PROTOCOLS:
            return self == ALL
        return any(low <= port <= high for low, high in self.ranges[PROTOCOLS.index(protocol)])

    def __str__(self) -> str:
        """`All Connections`, `No Connections`, or as in `TCP 80,443-445,UDP 53`."""
        if self == ALL:
            return "All Connections"
        parts = [f"{name} {_words(ranges)}" for name, ranges in zip(PROTOCOLS, self.ranges, strict=True) if ranges]
        return ",".join(parts) or "No Connections"

    @classmethod
    def _zip(cls, found: list[Ranges]) -> Connections:
        return cls((found[0], found[1], found[2]))


ALL = Connections((_EVERY, _EVERY, _EVERY))
NONE = Connections()


def _merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    found: list[tuple[int, int]] = []
    for low, high in sorted(item for item in ranges if item[0] <= item[1]):
        if found and low <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], high)
        else:
            found.append((low, high))
    return tuple(found)


def _common(one: Ranges, two: Ranges) -> Ranges:
    return _merged((max(a, c), min(b, d)) for a, b in one for c, d in two)


def _others(ranges: Ranges) -> Ranges:
    """What is not in them."""
    found, low = [], 1
    for start, end in ranges:
        found.append((low, start - 1))
        low = end + 1
    return _merged([*found, (low, 65535)])


def _words(ranges: Ranges) -> str:
    if ranges == _EVERY:
        return "1-65535"
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges)
