"""Mappings of mappings that forks share: what makes a fork of a large store cheap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

_Bucket = TypeVar("_Bucket")
_Name = TypeVar("_Name")
_Value = TypeVar("_Value")


class Buckets(Generic[_Bucket, _Name, _Value]):
    """A mapping of mappings whose inner mappings are shared between forks until one of them is written to."""

    __slots__ = ("_inner", "_own")

    def __init__(self, inner: dict[_Bucket, dict[_Name, _Value]] | None = None) -> None:
        self._inner = inner if inner is not None else {}
        self._own: set[_Bucket] | None = None if inner is None else set()

    def fork(self) -> Buckets[_Bucket, _Name, _Value]:
        self._own = set()
        return Buckets(dict(self._inner))

    def bucket(self, bucket: _Bucket) -> dict[_Name, _Value]:
        """For reading only."""
        return self._inner.get(bucket) or {}

    def lasting(self, bucket: _Bucket) -> dict[_Name, _Value] | None:
        """The inner mapping where it will never be written to again, whoever shares it, so that what is worked out of
        it holds as long as it is there; None where it may be.
        """
        if self._own is None or bucket in self._own:
            return None
        return self._inner.get(bucket)

    def set(self, bucket: _Bucket, name: _Name, value: _Value) -> None:
        inner = self._inner.get(bucket) if self._own is None else None  # never forked: nobody shares it
        if inner is None:
            inner = self._writable(bucket)
        inner[name] = value

    def remove(self, bucket: _Bucket, name: _Name) -> None:
        inner = self._writable(bucket)
        inner.pop(name, None)
        if not inner:
            del self._inner[bucket]

    @property
    def inner(self) -> Mapping[_Bucket, dict[_Name, _Value]]:
        """All of it, for reading only: to look up one name takes no call then."""
        return self._inner

    def buckets(self) -> Iterable[_Bucket]:
        return self._inner

    def _writable(self, bucket: _Bucket) -> dict[_Name, _Value]:
        inner = self._inner.get(bucket)
        if inner is None:
            inner = self._inner[bucket] = {}
        elif self._own is not None and bucket not in self._own:
            inner = self._inner[bucket] = dict(inner)
        if self._own is not None:
            self._own.add(bucket)
        return inner
