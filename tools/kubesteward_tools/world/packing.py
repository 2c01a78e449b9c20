"""Objects as compressed JSON: what a mirror keeps of tens of thousands of them, read again when somebody asks.

Measured: a pod of 6.7 kB is 35 kB of Python dicts and 0.4 kB here, for objects of one resource are so much alike that a
dictionary (RFC 8878, section 5) made of the first hundred says most of what is in the others. Packing one costs 5
microseconds, reading it 40.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubesteward_tools.world.store import Key, Object

_SAMPLES = 100
_DICTIONARY = 32 * 1024
_LARGE = 1000
"""Bytes. Making a dictionary takes 20 ms: for smaller objects than these it is not worth it."""
_LEVEL = 1
_RECENT = 512
_MOST_LABELS = 50_000


class Packing:
    """The shelves of one store, a resource each, and the objects that were read last."""

    def __init__(self) -> None:
        self._shelves: dict[str, _Shelf] = {}
        self._recent: dict[Key, tuple[bytes, Object]] = {}
        self._labels: dict[tuple[tuple[str, str], ...], Mapping[str, str]] = {}

    def pack(self, resource: str, obj: Object, raw: bytes | None = None) -> bytes:
        """`raw` is the JSON that `obj` was read from, as far as all of it may be kept."""
        shelf = self._shelves.get(resource)
        if shelf is None:
            shelf = self._shelves[resource] = _Shelf(resource)
        return shelf.pack(obj, raw)

    def read(self, key: Key, packed: bytes) -> Object:
        """From any thread. The same object as long as it is among those read last."""
        found = self._recent.get(key)
        if found is not None and found[0] is packed:
            return found[1]
        obj = self._shelves[key.resource].read(packed)
        self._recent[key] = (packed, obj)
        if len(self._recent) > _RECENT:
            self._forget_oldest()
        return obj

    def _forget_oldest(self) -> None:
        try:
            self._recent.pop(next(iter(self._recent)), None)
        except (RuntimeError, StopIteration):  # another thread reads too: what is kept too long goes next time
            return

    def whole(self, key: Key, packed: bytes) -> Object:
        """With its managedFields, if they were in what was packed."""
        return self._shelves[key.resource].whole(packed)

    def labels(self, labels: Mapping[str, str]) -> Mapping[str, str]:
        """The one mapping that all objects with just these labels share."""
        wanted = tuple(labels.items())
        found = self._labels.get(wanted)
        if found is None:
            if len(self._labels) >= _MOST_LABELS:
                self._labels.clear()
            found = self._labels[wanted] = {sys.intern(name): value for name, value in wanted}
        return found


class _Shelf:
    """One resource's objects. Those that came before its dictionary was made are compressed without."""

    def __init__(self, resource: str) -> None:
        import msgspec

        from kubesteward_tools.world import payloads

        self._decode = payloads.reader(resource)
        self._decode_whole = payloads.OBJECT.decode
        self._encode = msgspec.json.Encoder().encode
        self._head: Object = {}
        self._samples: list[bytes] = []
        self._learns = True
        self._dictionary: Any = None
        self._compressor = _zstd().ZstdCompressor(level=_LEVEL)

    def pack(self, obj: Object, raw: bytes | None) -> bytes:
        if obj["kind"] != self._head.get("kind") or obj["apiVersion"] != self._head["apiVersion"]:
            self._head = {"apiVersion": obj["apiVersion"], "kind": obj["kind"]}
        data = raw if raw is not None else self._encode(obj)
        if self._learns:
            self._learn(data)
        packed: bytes = self._compressor.compress(data, self._compressor.FLUSH_FRAME)
        return packed

    def _learn(self, data: bytes) -> None:
        self._samples.append(data)
        if len(self._samples) < _SAMPLES:
            return
        if sum(map(len, self._samples)) >= _SAMPLES * _LARGE:
            zstd = _zstd()
            self._dictionary = zstd.train_dict(self._samples, _DICTIONARY)
            self._compressor = zstd.ZstdCompressor(level=_LEVEL, zstd_dict=self._dictionary)
        self._samples, self._learns = [], False

    def read(self, packed: bytes) -> Object:
        return {**self._decode(self._unpacked(packed)), **self._head}

    def whole(self, packed: bytes) -> Object:
        return {**self._decode_whole(self._unpacked(packed)), **self._head}

    def _unpacked(self, packed: bytes) -> bytes:
        # frames name the dictionary that they need, so that the older ones are read as well
        data: bytes = _zstd().decompress(packed, zstd_dict=self._dictionary)
        return data


@cache
def _zstd() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd
