"""The watch cache: what happened, in order, for as long as it is remembered. Older positions are answered 410 Gone."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.world.store import Event, Object, Store

HISTORY = 5000


class WatchCache:
    """Remembers the last `HISTORY` events of a store and wakes those who wait for more."""

    def __init__(self, store: Store) -> None:
        self._events: deque[tuple[int, Event]] = deque(maxlen=HISTORY)
        self._oldest = store.revision
        self._store = store
        self._news = asyncio.Event()
        self._stop = store.subscribe(self._hear)

    def close(self) -> None:
        self._stop()
        self._news.set()

    def _hear(self, event: Event) -> None:
        if len(self._events) == HISTORY:
            self._oldest = self._events[0][0]
        self._events.append((self._store.revision, event))
        self._news.set()
        self._news = asyncio.Event()

    def check(self, revision: int) -> None:
        """Raises ApiError 410 when events after `revision` may be forgotten already."""
        if revision < self._oldest:
            message = f"too old resource version: {revision} ({self._oldest})"
            raise ApiError(410, "Expired", message)

    async def follow(
        self, resource: str, namespace: str, revision: int, keep: Callable[[Object], bool]
    ) -> AsyncIterator[tuple[str, Object]]:
        """Events after `revision` as (type, object), for ever; objects that leave the selection count as DELETED."""
        while True:
            news = self._news
            for at, event in list(self._events):
                if at <= revision or event.key.resource != resource:
                    continue
                if (not namespace or event.key.namespace == namespace) and (seen := _seen(event, keep)):
                    yield seen, event.obj
            revision = max(revision, self._events[-1][0] if self._events else 0)
            await news.wait()


def _seen(event: Event, keep: Callable[[Object], bool]) -> str:
    """The event type as a watcher with a selector sees it, "" when it does not."""
    before = event.old is not None and keep(event.old)
    after = event.type != "DELETED" and keep(event.obj)
    if after:
        return "MODIFIED" if before else "ADDED"
    return "DELETED" if before else ""
