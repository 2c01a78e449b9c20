"""The watch cache: what happened, in order, for as long as it is remembered. Who asks for more is answered 410."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.world.store import Event, Object, Store

HISTORY = 5000


class WatchCache:
    """Remembers at least the last `history` events of a store and wakes those who wait for more."""

    def __init__(self, store: Store, history: int = HISTORY) -> None:
        self._history = history
        self._events: list[tuple[int, Event]] = []
        self._dropped = 0
        self._forgotten = store.revision
        self._store = store
        self._news = asyncio.Event()
        self.closed = False
        self._stop = store.subscribe(self._hear)

    def close(self) -> None:
        """End every `follow`; once is enough."""
        if self.closed:
            return
        self._stop()
        self.closed = True
        self._news.set()

    def _hear(self, event: Event) -> None:
        self._events.append((self._store.revision, event))
        if len(self._events) > 2 * self._history:
            gone = len(self._events) - self._history
            self._forgotten = self._events[gone - 1][0]
            self._dropped += gone
            del self._events[:gone]
        self._news.set()
        self._news = asyncio.Event()

    async def news(self, seconds: float) -> None:
        """Wait for the next event, `close`, or so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()

    def check(self, revision: int) -> None:
        """Raises ApiError 410 when events after `revision` may be forgotten already."""
        if revision < self._forgotten:
            raise _expired(revision, self._forgotten)

    async def follow(
        self, resource: str, namespace: str, revision: int, keep: Callable[[Object], bool]
    ) -> AsyncIterator[tuple[str, Object]]:
        """Events after `revision` as (type, object) until `close`; objects that leave the selection count as DELETED.

        Raises:
            ApiError: 410 when the reader was so slow that events which it has not seen are forgotten.
        """
        at = self._position(revision)
        while not self.closed:
            news = self._news
            while at < self._dropped + len(self._events):
                if at < self._dropped:
                    raise _expired(revision, self._forgotten)
                revision, event = self._events[at - self._dropped]
                at += 1
                if event.key.resource == resource and namespace in {"", event.key.namespace}:
                    seen = _seen(event, keep)
                    if seen:
                        yield seen, event.obj
            await news.wait()

    def _position(self, revision: int) -> int:
        """The number, counted from the first event ever, of the first event after `revision`."""
        self.check(revision)
        later = sum(1 for at, _ in self._events if at > revision)
        return self._dropped + len(self._events) - later


def _expired(revision: int, oldest: int) -> ApiError:
    return ApiError(410, "Expired", f"too old resource version: {revision} ({oldest})")


def _seen(event: Event, keep: Callable[[Object], bool]) -> str:
    """The event type as a watcher with a selector sees it, "" when it does not."""
    before = event.old is not None and keep(event.old)
    after = event.type != "DELETED" and keep(event.obj)
    if after:
        return "MODIFIED" if before else "ADDED"
    return "DELETED" if before else ""
