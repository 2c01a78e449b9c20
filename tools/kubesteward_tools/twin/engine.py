"""The control plane in motion: a queue of things to look at again, and timers, over one `Api`.

A write to the store is an event; an event makes controllers look again at keys of theirs. Nothing runs by itself: who
drives the engine decides how far time goes, in real time (`advance`) or from timer to timer (`settle`).
"""

from __future__ import annotations

import copy
import heapq
import itertools
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Protocol

from kubesteward_tools.twin.api import Api
from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.world.store import Event

_TOO_MANY_STEPS = 200_000
_TOO_OFTEN = 50
"""Looks at one thing in one moment of virtual time, with no write from outside between them. Those that come to rest
need a handful, whatever their size."""
_SOON, _RETRY_AFTER = 0.1, 1.0
_QUICK_TRIES = 3
"""After a refusal a controller is soon back: what others have yet to do, such as freeing a quota, is done by then."""


class Pause(Exception):
    """Raised by a controller that cannot go on yet: the same key is the first that it looks at again later."""


class Controller(Protocol):
    """Decides what an event concerns, and brings one of those things closer to what is wanted."""

    def watches(self, event: Event) -> Iterable[Hashable]:
        """The keys to look at again."""
        ...

    def reconcile(self, key: Hashable) -> None: ...


class Engine:
    """Runs controllers over an Api. `controllers` are made by functions of (api, engine)."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.controllers: list[Controller] = []
        self._queue: dict[tuple[int, Hashable], None] = {}
        self._timers: list[tuple[float, int, int, Hashable, bool]] = []
        self._sequence = itertools.count()
        self._pending_foreground = 0
        self._rounds: dict[tuple[int, Hashable], int] = {}
        self._refused: dict[tuple[int, Hashable], int] = {}
        self.between: Callable[[], None] | None = None
        """Called after each look, for whoever shares the interpreter with others."""
        self.given_up: dict[tuple[int, Hashable], None] = {}
        """What a controller looked at again and again without coming to rest: it is left alone from then on."""
        self._stop = api.store.subscribe(self._hear)

    def use(self, controllers: Sequence[Controller]) -> None:
        self.controllers.extend(controllers)

    def fork(self) -> Engine:
        """Another engine over a fork of the store, where this one is, with all that its controllers remember."""
        store = self.api.store.fork()
        twin = copy.deepcopy(self, {id(self.api.store): store, id(self._stop): None})
        twin._stop = store.subscribe(twin._hear)
        return twin

    def close(self) -> None:
        """Hear no more of the store."""
        self._stop()

    def after(self, seconds: float, controller: Controller, key: Hashable, *, idle: bool = False) -> None:
        """Look at `key` again in `seconds`. An idle timer (a back-off, a deadline) does not keep `settle` waiting."""
        due = self.api.clock.now + max(seconds, 0.0)
        number = self.controllers.index(controller)
        heapq.heappush(self._timers, (due, next(self._sequence), number, key, idle))
        self._pending_foreground += not idle

    def next_due(self) -> float | None:
        """When there is something to do: now, at the next timer, or never."""
        if self._queue:
            return self.api.clock.now
        return self._timers[0][0] if self._timers else None

    def advance(self, until: float) -> None:
        """Do all that is due, moving the clock from timer to timer up to `until`."""
        self._rounds.clear()  # whoever drives may have written since: a drain of many pods does, in one moment
        self._drain()
        while self._timers and self._timers[0][0] <= until:
            self._fire()
            self._drain()
        self.api.clock.now = max(self.api.clock.now, until)

    def settle(self, limit: float = 3600.0) -> bool:
        """Let virtual time run until nothing but idle timers is left; False when `limit` seconds were not enough."""
        end = self.api.clock.now + limit
        self._rounds.clear()
        self._drain()
        while self._pending_foreground:
            if self._timers[0][0] > end:
                return False
            self._fire()
            self._drain()
        return True

    def _fire(self) -> None:
        """All that is due at the next moment: what a thousand pods do at once is looked at once."""
        moment = self._timers[0][0]
        if moment > self.api.clock.now:
            self.api.clock.now = moment
            self._rounds.clear()
        while self._timers and self._timers[0][0] == moment:
            _, _, number, key, idle = heapq.heappop(self._timers)
            self._pending_foreground -= not idle
            self._queue[(number, key)] = None

    def _drain(self) -> None:
        for _ in range(_TOO_MANY_STEPS):
            if not self._queue:
                return
            number, key = next(iter(self._queue))
            del self._queue[(number, key)]
            if self._is_restless(number, key):
                continue
            if self.between is not None:
                self.between()
            try:
                self.controllers[number].reconcile(key)
                self._refused.pop((number, key), None)
            except ApiError:
                self._try_again(number, key)
            except Pause:
                self._queue = {(number, key): None, **self._queue}
                raise
        raise RuntimeError("the control plane does not come to rest: two controllers undo each other's work")

    def _try_again(self, number: int, key: Hashable) -> None:
        """Wait for a few quick tries, and for no more."""
        tries = self._refused[number, key] = self._refused.get((number, key), 0) + 1
        quick = tries <= _QUICK_TRIES
        self.after(_SOON if quick else _RETRY_AFTER, self.controllers[number], key, idle=not quick)

    def _is_restless(self, number: int, key: Hashable) -> bool:
        """Whether it was looked at too often in one moment: a controller that creates and never has enough."""
        item = number, key
        rounds = self._rounds[item] = self._rounds.get(item, 0) + 1
        if rounds > _TOO_OFTEN:
            self.given_up[item] = None
        return item in self.given_up

    def _hear(self, event: Event) -> None:
        if event.key.resource == "events" and event.type != "DELETED":
            return  # half of all writes, and nobody's concern
        for number, controller in enumerate(self.controllers):
            for key in controller.watches(event):
                self._queue[(number, key)] = None
