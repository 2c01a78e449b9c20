"""The Merkle tree over the records (RFC 6962): pure, so that it can be held against other implementations.

`Frontier` is what an append needs: O(log n) hashes. `Tree` is what proofs need: all of them.
What checks proofs stands in `standalone`, because it travels with the evidence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from kubesteward.audit.standalone import node_hash

EMPTY_ROOT = hashlib.sha256().digest()
_BYTES = 32


@dataclass(frozen=True, slots=True)
class Frontier:
    """The roots of the perfect subtrees that a tree of `size` leaves is made of, the largest first."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def add(self, leaf: bytes) -> Frontier:
        """With one more leaf, given as its hash."""
        peaks = list(self.peaks)
        bits = self.size
        while bits & 1:
            leaf = node_hash(peaks.pop(), leaf)
            bits >>= 1
        return Frontier(self.size + 1, (*peaks, leaf))

    def root(self) -> bytes:
        if not self.peaks:
            return EMPTY_ROOT
        *left, found = self.peaks
        for peak in reversed(left):
            found = node_hash(peak, found)
        return found

    def text(self) -> str:
        return b"".join(self.peaks).hex()

    @classmethod
    def parse(cls, size: int, text: str) -> Frontier:
        """Raises ValueError: `text` is not that of a tree of this size."""
        data = bytes.fromhex(text)
        if len(data) != size.bit_count() * _BYTES:
            raise ValueError(f"this is not the frontier of a tree of {size} leaves")
        return cls(size, tuple(data[at : at + _BYTES] for at in range(0, len(data), _BYTES)))


class Tree:
    """A tree over leaf hashes with all its inner nodes; each question after that costs O(log² n)."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.size = len(leaves)
        self._levels = [list(leaves)]
        while len(below := self._levels[-1]) > 1:
            pairs = zip(below[::2], below[1::2], strict=False)  # an odd last node has no parent at this level
            self._levels.append([node_hash(left, right) for left, right in pairs])

    def root(self, size: int | None = None) -> bytes:
        """Of the first `size` leaves, of all by default."""
        size = self.size if size is None else size
        return self._hash(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """RFC 6962, 2.1.1: the path from leaf `index` (from 0) to the root of the first `size`."""
        start, end, path = 0, self._within(size), []
        if not 0 <= index < end:
            raise IndexError(f"there is no leaf {index} among {end}")
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(self._hash(middle, end))
                end = middle
            else:
                path.append(self._hash(start, middle))
                start = middle
        return path[::-1]

    def consistency(self, first: int, size: int | None = None) -> list[bytes]:
        """RFC 6962, 2.1.2: that the tree of the first `size` leaves begins with the tree of the first `first`."""
        start, end, path = 0, self._within(size), []
        if not 0 < first <= end:
            raise IndexError(f"there is no tree of {first} in one of {end}")
        while first != end:
            middle = start + _split(end - start)
            if first <= middle:
                path.append(self._hash(middle, end))
                end = middle
            else:
                path.append(self._hash(start, middle))
                start = middle
        return [*([self._hash(start, end)] if start else []), *path[::-1]]

    def _within(self, size: int | None) -> int:
        size = self.size if size is None else size
        if not 0 <= size <= self.size:
            raise IndexError(f"this tree has {self.size} leaves, not {size}")
        return size

    def _hash(self, start: int, end: int) -> bytes:
        width = end - start
        if not width & (width - 1):
            level = width.bit_length() - 1
            return self._levels[level][start >> level]
        middle = start + _split(width)
        return node_hash(self._hash(start, middle), self._hash(middle, end))


def _split(width: int) -> int:
    """The largest power of two below `width`."""
    return 1 << (width - 1).bit_length() - 1
