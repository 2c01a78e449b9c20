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

from kubesteward_tools.cluster.bulk import bulk, settle
from kubesteward_tools.cluster.intake import trimmed
from kubesteward_tools.cluster.transport import Gone, ReadTransport, Silent
from kubesteward_tools.errors import AskAgain, AskDifferently, Forbidden, ObjectNotFound, SteadyError
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Key, Object, Store

PAGE = 500
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0
_WATCH_SECONDS = 290
_POLL_SECONDS = 30.0
_WORTHWHILE = 5.0


def pause(tries: int, jitter: Callable[[], float] = random.random) -> float:
    """Seconds to wait after so many failures in a row: 0.5 to 30, doubling, less up to a half by chance."""
    return float(min(_FIRST_WAIT * 2 ** min(tries - 1, 10), _LONGEST_WAIT)) * (0.5 + jitter() / 2)


class Mirror:
    """One resource. `confirmed` is when the server last told something, in epoch seconds; 0.0 means never."""

    def __init__(
        self,
        transport: ReadTransport,
        kind: ResourceType,
        store: Store,
        wait: Callable[[int], float] = pause,
    ) -> None:
        self.kind = kind
        self.confirmed = 0.0
        self.synced = asyncio.Event()
        self.failure: SteadyError | None = None
        self._transport = transport
        self._store = store
        self._path = kind.path()
        self._version = ""
        self._listed = False
        self._wait = wait
        self._tries = 0

    async def run(self) -> None:
        """Go on until cancelled. A right that is missing ends it: `failure` says so, and nothing is kept."""
        while True:
            try:
                await self._round()
            except Forbidden as error:
                self._replace({})
                self._fail(error)
                return
            except (Gone, Silent):
                pass
            except SteadyError as error:
                self._refused(error)
            except Exception as error:  # noqa: BLE001 - whatever one server says, its other kinds and we go on
                self._listed = False
                self._fail(AskAgain(f"an answer about {self.kind.resource} makes no sense ({type(error).__name__})."))
            await asyncio.sleep(self._wait(self._tries) if self._tries else 0)

    async def _round(self) -> None:
        """A list if one is due, then a watch to its end: a try, unless that took long or told something."""
        self._tries += 1
        try:
            if not self._listed:
                await self._relist()
            began = asyncio.get_running_loop().time()
            try:
                await self._follow()
            finally:
                if asyncio.get_running_loop().time() - began > _WORTHWHILE:
                    self._tries = 0
        except Gone:
            self._listed = False
            raise

    async def _follow(self) -> None:
        if "watch" in self.kind.verbs:
            await self._watch()
        else:
            await asyncio.sleep(_POLL_SECONDS)
            self._listed = False

    def _refused(self, error: SteadyError) -> None:
        if isinstance(error, ObjectNotFound):  # the kind itself has gone, as with its CustomResourceDefinition
            self._replace({})
        if isinstance(error, AskDifferently):
            self._listed = False
        self._fail(error)

    def _fail(self, error: SteadyError) -> None:
        self.failure = error
        self.synced.set()

    async def _relist(self) -> None:
        found: dict[Key, Object] = {}
        query = {"limit": str(PAGE)}
        with bulk():
            while True:
                page = await self._transport.get(self._path, query)
                found.update(self._stored(item) for item in page.get("items") or ())
                token = page["metadata"].get("continue")
                if not token:
                    break
                query = {"limit": str(PAGE), "continue": token}
            self._replace(found)
            settle(len(found))
        self._version = page["metadata"].get("resourceVersion", "")
        self._listed = True
        self._heard()
        self.synced.set()

    def _heard(self) -> None:
        self.confirmed = time.time()
        self.failure = None

    def _replace(self, found: dict[Key, Object]) -> None:
        """Make the store hold just these, by its differences and without letting anybody look in between."""
        before = dict(self._store.items(self.kind.resource))
        for key in before.keys() - found.keys():
            self._store.delete(key)
        for key, obj in found.items():
            old = before.get(key)
            if old is None or not _version(obj) or _version(old) != _version(obj):  # computed kinds have no version
                self._store.put(key, obj)

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
        decode = msgspec.json.Decoder().decode
        async for line in self._transport.lines(self._path, query):
            if line:
                self._apply(decode(line))
            else:
                self._heard()

    def _apply(self, event: dict[str, Any]) -> None:
        kind, obj = event["type"], event["object"]
        if kind == "ERROR":
            raise _told(obj, self.kind.resource)
        if kind == "BOOKMARK":
            self._version = obj["metadata"]["resourceVersion"]
        else:
            key, new = self._stored(obj)
            if kind == "DELETED":
                self._store.delete(key, new)
            else:
                self._store.put(key, new)
            self._version = _version(new) or self._version
        self._tries = 0
        self._heard()


def _version(obj: Object) -> str:
    return str(obj["metadata"].get("resourceVersion", ""))


def _told(status: Any, resource: str) -> SteadyError:
    """What an ERROR event of a watch means. Any of them makes its position worthless."""
    message = str(status.get("message") or "no reason given") if isinstance(status, dict) else "no reason given"
    return Gone(f"the watch of {resource} ended: {message[:300]}")
