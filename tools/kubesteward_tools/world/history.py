"""What a world was like: a window of versions, kept packed and compared only when somebody asks.

An event costs one entry that shares its bytes with the store. The window ends where it is too old or too large, so that
memory stays flat whatever the cluster does.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kubesteward_tools.world.diff import Difference, differences
from kubesteward_tools.world.store import Content, Event, Key, Object, Store

_DICT_FACTOR = 8
"""A Python dict takes about this many times the bytes of its repr's first level; only unpacked stores have dicts."""

UNRECORDED = frozenset(
    {
        "events",
        "events.events.k8s.io",
        "leases.coordination.k8s.io",
        "endpoints",
        "endpointslices.discovery.k8s.io",
        "componentstatuses",
        "pods.metrics.k8s.io",
        "nodes.metrics.k8s.io",
    }
)
"""What ticks all the time and says nothing that other objects do not say."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a history reaches: seconds, and bytes of packed versions. What is reached first ends it."""

    window: float = 3600.0
    most_bytes: int = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Version:
    """One write, at `at` (epoch seconds); `before` is None for what came, `after` for what went."""

    at: float
    key: Key
    before: Content | None
    after: Content | None


@dataclass(frozen=True, slots=True)
class Change:
    """One write as it is told: what is different, and who wrote it ("" where the object does not say)."""

    at: float
    key: Key
    before: Object | None
    after: Object | None
    differences: tuple[Difference, ...]
    author: str


class History:
    """The window over one store. `now` gives epoch seconds; `settled` tells whether a resource has been listed in
    a namespace, for what the first list brings is no change."""

    def __init__(
        self,
        store: Store,
        now: Callable[[], float],
        settled: Callable[[str, str], bool],
        limits: Limits | None = None,
    ) -> None:
        self._store = store
        self._now = now
        self._settled = settled
        self.limits = limits or Limits()
        self._versions: deque[Version] = deque()
        self._bytes = 0
        self._begins = now()
        store.subscribe(self.hear)

    @property
    def begins(self) -> float:
        """Epoch seconds from which on every write is known."""
        return self._begins

    def hear(self, event: Event) -> None:
        if event.key.resource in UNRECORDED or not self._settled(event.key.resource, event.key.namespace):
            return
        version = Version(self._now(), event.key, *event.contents)
        self._versions.append(version)
        self._bytes += _cost(version)
        self._trim(version.at)

    def _trim(self, now: float) -> None:
        while self._versions and (
            self._bytes > self.limits.most_bytes or self._versions[0].at < now - self.limits.window
        ):
            gone = self._versions.popleft()
            self._bytes -= _cost(gone)
            self._begins = gone.at
        self._begins = max(self._begins, now - self.limits.window)

    def size(self) -> tuple[int, int]:
        """Versions, and the bytes that they are counted with."""
        return len(self._versions), self._bytes

    def versions(self, since: float, until: float) -> Iterator[Version]:
        """The newest first, as they are now: more may come while they are read."""
        for version in reversed(tuple(self._versions)):
            if version.at < since:
                return
            if version.at <= until:
                yield version

    def changes(self, since: float, until: float, keys: Callable[[Key], bool]) -> Iterator[Change]:
        """Writes that changed something, the newest first."""
        for version in self.versions(since, until):
            if keys(version.key) and (change := self._told(version)) is not None:
                yield change

    def _told(self, version: Version) -> Change | None:
        before, after = (self._read(version.key, item) for item in (version.before, version.after))
        found = differences(before, after)
        if is_another(before, after):
            found.insert(0, Difference("metadata.uid", before, after))
        if not found:
            return None
        return Change(version.at, version.key, before, after, tuple(found), self._author(version))

    def _read(self, key: Key, content: Content | None) -> Object | None:
        return None if content is None else self._store.read(key, content)

    def _author(self, version: Version) -> str:
        if version.after is None:
            return ""
        after = self._store.whole(version.key, version.after)
        before = None if version.before is None else self._store.whole(version.key, version.before)
        return author(before, after)

    def state_at(self, key: Key, at: float) -> Object | None:
        """The object as it was at `at`, None if it was not there. Raises ValueError before the window begins."""
        if at < self._begins:
            raise ValueError("the window of history begins later")
        for version in self._versions:
            if version.at > at and version.key == key:
                return self._read(key, version.before)
        return self._store.get(key)


def is_another(before: Object | None, after: Object | None) -> bool:
    """Whether an object took the other one's place and name while nobody looked."""
    old, new = ((item or {}).get("metadata", {}).get("uid") for item in (before, after))
    return bool(old and new and old != new)


def author(before: Object | None, after: Object) -> str:
    """The managers whose entries of managedFields are new or newer, the latest first."""
    old = _managers(before) if before is not None else {}
    newer = {name: time for name, time in _managers(after).items() if old.get(name) != time}
    return ", ".join(sorted(newer, key=lambda name: (newer[name], name), reverse=True)[:2])


def _managers(obj: Object) -> dict[str, str]:
    """Name of each manager and when it wrote last. An entry of a subresource is told apart from the whole's."""
    found: dict[str, str] = {}
    for entry in obj["metadata"].get("managedFields") or ():
        name, time = str(entry.get("manager", "")), str(entry.get("time", ""))
        found[name] = max(found.get(name, ""), time)
    return found


def _cost(version: Version) -> int:
    return 200 + (0 if version.after is None else _size(version.after))


def _size(content: Content) -> int:
    return len(content) if isinstance(content, bytes) else sys.getsizeof(content) * _DICT_FACTOR
