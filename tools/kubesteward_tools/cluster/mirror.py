"""List and watch: keeps one resource of one cluster in a store, for as long as it is wanted.

Pages of 500, bookmarks, resumption from the last resourceVersion, a new list on 410, back-off with jitter. A relist
applies differences, so that nobody ever sees the store half full.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any

from kubesteward_tools.cluster.intake import trimmed
from kubesteward_tools.cluster.transport import Gone, ReadTransport
from kubesteward_tools.errors import Forbidden, SteadyError
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Key, Object, Store

PAGE = 500
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0
_WATCH_SECONDS = 290


class Mirror:
    """One resource. `confirmed` is when the server last told something, in epoch seconds; 0.0 means never."""

    def __init__(self, transport: ReadTransport, kind: ResourceType, store: Store, namespace: str = "") -> None:
        self.kind = kind
        self.confirmed = 0.0
        self.synced = asyncio.Event()
        self.failure: SteadyError | None = None
        self._transport = transport
        self._store = store
        self._path = kind.path(namespace)
        self._version = ""

    async def run(self) -> None:
        """Go on until cancelled. A right that is missing ends it: `failure` says so."""
        waits = 0
        while True:
            try:
                if not self._version:
                    await self._relist()
                waits = 0
                await self._watch()
            except Gone:
                self._version = ""
            except Forbidden as error:
                self._fail(error)
                return
            except SteadyError as error:
                self._fail(error)
                waits += 1
                await asyncio.sleep(_pause(waits))

    def _fail(self, error: SteadyError) -> None:
        self.failure = error
        self.synced.set()

    async def _relist(self) -> None:
        items: list[Object] = []
        query = {"limit": str(PAGE)}
        while True:
            page = await self._transport.get(self._path, query)
            items += page.get("items") or []
            token = page["metadata"].get("continue")
            if not token:
                break
            query = {"limit": str(PAGE), "continue": token}
        self._replace(items)
        self._version = page["metadata"].get("resourceVersion", "")
        self._heard()
        self.synced.set()

    def _heard(self) -> None:
        self.confirmed = time.time()
        self.failure = None

    def _replace(self, items: list[Object]) -> None:
        """Make the store hold just these, by its differences."""
        gone = {key for key, _ in self._store.items(self.kind.resource)}
        for item in items:
            key, obj = self._stored(item)
            gone.discard(key)
            old = self._store.get(key)
            if old is None or old["metadata"].get("resourceVersion") != obj["metadata"].get("resourceVersion"):
                self._store.put(key, obj)
        for key in gone:
            self._store.delete(key)

    def _stored(self, item: Object) -> tuple[Key, Object]:
        obj = trimmed(item, self.kind.kind, self.kind.api_version)
        metadata = obj["metadata"]
        return Key(self.kind.resource, metadata.get("namespace", ""), metadata["name"]), obj

    async def _watch(self) -> None:
        import msgspec

        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": str(_WATCH_SECONDS),
        }
        async for line in self._transport.lines(self._path, query):
            if line:
                self._apply(msgspec.json.decode(line))

    def _apply(self, event: dict[str, Any]) -> None:
        kind, obj = event["type"], event["object"]
        if kind == "ERROR":
            if obj.get("code") == 410:
                raise Gone(str(obj.get("message")))
            self._version = ""
            return
        self._version = obj["metadata"].get("resourceVersion") or self._version
        self._heard()
        if kind == "BOOKMARK":
            return
        key, new = self._stored(obj)
        if kind == "DELETED":
            self._store.delete(key)
        else:
            self._store.put(key, new)


def _pause(tries: int, jitter: Callable[[], float] = random.random) -> float:
    return float(min(_FIRST_WAIT * 2**tries, _LONGEST_WAIT)) * (0.5 + jitter() / 2)
