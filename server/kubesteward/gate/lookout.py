"""Watches the store while actions are open: approvals come from other processes, time runs out, and what became of an
interrupted change has to be looked up until it is known.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextvars import Context

from kubesteward.gate.action import Action, Status
from kubesteward.gate.actions import Actions
from kubesteward.gate.executor import Executor
from kubesteward.gate.presence import Presence
from kubesteward.store.store import StoreUnusable
from kubesteward_tools.errors import SteadyError

LOOK_EVERY = 0.3
_LONGEST = 60.0
_MOVING: tuple[Status, ...] = ("approved", "executing", "unknown")

log = logging.getLogger(__name__)

Deal = Callable[[Action], Awaitable[object]]


class Lookout:
    """`mine` tells which actions are this process's to end. Runs only while there are such, or while it is `busy`."""

    def __init__(  # noqa: PLR0917 - what it looks at, and to whom it hands it
        self,
        actions: Actions,
        presence: Presence,
        mine: Callable[[Action], bool],
        busy: Callable[[], bool],
        executor: Executor,
        execute: Deal,
        every: float = LOOK_EVERY,
    ) -> None:
        self._actions = actions
        self._presence = presence
        self._mine = mine
        self._executing = busy
        self._execute = execute
        self._executor = executor
        self._every = every
        self._task: asyncio.Task[None] | None = None
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._tried: dict[str, tuple[int, float]] = {}
        self._waiting: dict[str, tuple[str, Action]] = {}

    def wake(self) -> None:
        """There may be something to watch."""
        if self._task is None or self._task.done():
            # in a context of its own: what it does later has nothing to do with the call that woke it
            self._task = asyncio.create_task(self._run(), name="the gate's lookout", context=Context())

    async def close(self) -> None:
        tasks = [task for task in (self._task, *self._busy.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        unwatched = True
        while True:
            try:
                found = [action for action in self._open() if self._mine(action)]
                for action in found:
                    self._see_to(action)
                if unwatched:
                    self._watch_the_unwatched()
                    unwatched = False
                if not found and not self._busy and not self._executing():
                    return
                self._presence.beat()
            except StoreUnusable as error:
                log.warning("%s", error)
            await asyncio.sleep(self._every)

    def _watch_the_unwatched(self) -> None:
        """Of a process that died between the last call and the word on what came of it."""
        for action in self._actions.unwatched():
            if action.id not in self._busy and self._mine(action):
                self._begin(action, self._executor.watch)

    def _open(self) -> list[Action]:
        """What waits for a person is read again only when it has changed: there may be very many."""
        waiting = self._actions.open_ids("pending_approval")
        known, self._waiting = self._waiting, {}
        for action_id, mark in waiting:
            kept = known.get(action_id)
            if kept is None or kept[0] != mark:
                kept = mark, self._actions.get(action_id)
            self._waiting[action_id] = kept
        return [*(action for _, action in self._waiting.values()), *self._actions.with_status(*_MOVING)]

    def _see_to(self, action: Action) -> None:
        if action.id in self._busy:
            return
        if action.status == "executing":
            self._executor.recover(action, self._presence.name)
        elif action.status == "unknown":
            if action.executor != self._presence.name:
                self._executor.inherit(action, self._presence.name)
            elif self._due(action.id):
                self._begin(action, self._executor.look_up)
        elif time.time() > action.expires:
            self._actions.expire(action)
        elif action.status == "approved":
            self._begin(action, self._execute)

    def _due(self, action_id: str) -> bool:
        """A server that does not answer is asked at longer and longer intervals."""
        tries, after = self._tried.get(action_id, (0, 0.0))
        if time.monotonic() < after:
            return False
        self._tried[action_id] = tries + 1, time.monotonic() + min(self._every * 2**tries, _LONGEST)
        return True

    def _begin(self, action: Action, deal: Deal) -> None:
        async def run() -> None:
            try:
                await deal(action)
            except SteadyError as error:
                log.warning("action %s: %s", action.id, error)
            finally:
                del self._busy[action.id]

        self._busy[action.id] = asyncio.create_task(run(), name=f"action {action.id}")
