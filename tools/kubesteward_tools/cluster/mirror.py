"""List and watch: keeps one resource of one cluster in a store, for as long as it is wanted.

Pages of 500, bookmarks, resumption from the last resourceVersion, a new list on 410, back-off with jitter. A relist
replaces object by object and takes away what is gone at its end: nobody ever sees the store half full.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Set
from typing import TYPE_CHECKING, Any

from kubesteward_tools.cluster.bulk import bulk, settle
from kubesteward_tools.cluster.intake import Intake
from kubesteward_tools.cluster.transport import Gone, ReadTransport, Silent
from kubesteward_tools.errors import AskAgain, AskDifferently, Forbidden, ObjectNotFound, SteadyError
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Key, Store

if TYPE_CHECKING:
    from kubesteward_tools.world.payloads import WatchEvent

PAGE = 500
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0
_WATCH_SECONDS = 290
_POLL_SECONDS = 30.0
_WORTHWHILE = 5.0
_GIVEN_UP = 3
"""Refusals in a row after which a position is given up: a server that was restored may never come to it again."""


def pause(tries: int, jitter: Callable[[], float] = random.random) -> float:
    """Seconds to wait after so many failures in a row: 0.5 to 30, doubling, less up to a half by chance."""
    return float(min(_FIRST_WAIT * 2 ** min(tries - 1, 10), _LONGEST_WAIT)) * (0.5 + jitter() / 2)


class Mirror:
    """One resource, in one namespace or everywhere.

    `confirmed` is when the server last told something, `since` when it first told all of it, both in epoch seconds;
    0.0 means never, and of `since` also that it tells no more.
    """

    def __init__(
        self,
        transport: ReadTransport,
        kind: ResourceType,
        store: Store,
        namespace: str = "",
        *,
        wait: Callable[[int], float] = pause,
    ) -> None:
        self.kind = kind
        self.confirmed = 0.0
        self.since = 0.0
        self.synced = asyncio.Event()
        self.failure: SteadyError | None = None
        self._task: asyncio.Task[None] | None = None
        self._transport = transport
        self._store = store
        self._namespace = namespace
        self._path = kind.path(namespace)
        self._version = ""
        self._listed = False
        self._wait = wait
        self._intake = Intake(kind)
        self._tries = 0

    def begin(self, name: str) -> asyncio.Task[None]:
        """Run in a task of this name."""
        self._task = asyncio.create_task(self.run(), name=name)
        return self._task

    def end(self) -> None:
        """Stop following; what is stored stays."""
        if self._task is not None:
            self._task.cancel()

    async def run(self) -> None:
        """Go on until cancelled. A right that is missing ends it: `failure` says so, and nothing is kept."""
        while True:
            try:
                await self._round()
            except Forbidden as error:
                if self.since:  # else others may see a part of it
                    self.since = 0.0  # what is not seen any more was not deleted
                    self._keep_only(frozenset())
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
            self._keep_only(frozenset())
        if isinstance(error, AskDifferently) or (isinstance(error, AskAgain) and self._tries >= _GIVEN_UP):
            self._listed = False
        self._fail(error)

    def _fail(self, error: SteadyError) -> None:
        self.failure = error
        self.synced.set()

    async def _relist(self) -> None:
        """Take in the pages as they come, then let go of what was in none of them."""
        query, seen = {"limit": str(PAGE)}, set[Key]()
        known = self._store.count(self.kind.resource, self._namespace or None) > 0
        with bulk():
            while True:
                page = await self._transport.page(self._path, query)
                seen.update(self._intake.listed(raw, self._store, known=known) for raw in page.items or ())
                token = page.metadata.get("continue")
                if not token:
                    break
                query = {"limit": str(PAGE), "continue": token}
            self._keep_only(seen)
            settle(len(seen))
        self._version = page.metadata.get("resourceVersion", "")
        self._listed = True
        self._heard()
        self.synced.set()

    def _heard(self) -> None:
        self.confirmed = time.time()
        self.since = self.since or self.confirmed
        self.failure = None

    def _keep_only(self, seen: Set[Key]) -> None:
        for key in [key for key in self._store.keys(self.kind.resource, self._namespace or None) if key not in seen]:
            self._store.delete(key)

    async def _watch(self) -> None:
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": str(_WATCH_SECONDS),
        }
        async for line in self._transport.lines(self._path, query):
            if line:
                self._apply(self._intake.event(line))
            else:
                self._heard()

    def _apply(self, event: WatchEvent) -> None:
        """Raises Gone when the server ends the watch with an ERROR."""
        if event.type == "ERROR":
            raise _told(self._intake.decoded(event.object), self.kind.resource)
        if event.type == "BOOKMARK":
            version = self._intake.head(event.object).metadata.resource_version
            if _is_before(version, self._version):
                raise Gone(f"the {self.kind.resource} are those of an earlier time")
            self._version = version
        else:
            self._version = self._intake.watched(event, self._store) or self._version
        self._tries = 0
        self._heard()


def _is_before(version: str, known: str) -> bool:
    """Versions of one resource can be compared (KEP-5504); a server that goes back was restored from a backup."""
    return version.isdigit() and known.isdigit() and int(version) < int(known)


def _told(status: Any, resource: str) -> SteadyError:
    """What an ERROR event of a watch means. Any of them makes its position worthless."""
    message = str(status.get("message") or "no reason given") if isinstance(status, dict) else "no reason given"
    return Gone(f"the watch of {resource} ended: {message[:300]}")
