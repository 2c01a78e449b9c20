"""Finds out what became of a change whose execution was cut off: an answer that was lost, or a process that died."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from kubesteward.execution.apply import Writing
from kubesteward.execution.readback import effect
from kubesteward.gate.action import Action
from kubesteward.gate.course import Course, expected_version
from kubesteward.gate.journal import Journal
from kubesteward.gate.writers import Writers
from kubesteward_policies.change import ApiCall
from kubesteward_tools.errors import AskAgain, SteadyError
from kubesteward_tools.world.world import World

LATER = 1.0
"""Seconds before "it has not taken effect" is believed: a request may still be on its way inside the server."""

Pause = Callable[[float], Awaitable[None]]
FindWorld = Callable[[Action], Awaitable[World]]


class Aftermath:
    """`find_world` raises Refused where the cluster's name stands for another API server by now."""

    def __init__(
        self, journal: Journal, writers: Writers, course: Course, find_world: FindWorld, pause: Pause = asyncio.sleep
    ) -> None:
        self._journal = journal
        self._writers = writers
        self._course = course
        self._find_world = find_world
        self._pause = pause

    def recover(self, action: Action, heir: str) -> Action | None:
        """From `executing`, of a process that is gone, into the care of another one; None when that has changed."""
        note = {"of": action.executor, "intended": action.intended, "made": action.done}
        outcome = "outcome unknown: the server stopped"
        return self._journal.actions.move(action, "unknown", "recovered", note, outcome=outcome, executor=heir)

    def inherit(self, action: Action, heir: str) -> Action | None:
        """From `unknown`, of a process that died while it looked it up."""
        note = {"of": action.executor, "made": action.done}
        return self._journal.actions.move(action, "unknown", "recovered", note, executor=heir)

    async def look_up(self, action: Action) -> Action:
        """From `unknown`: ask the live object. Stays `unknown` while the server does not answer."""
        if not action.intended:
            return self._journal.failed(action, "it stopped before the first call")
        try:
            world, calls = await self._find_world(action), action.change.calls
            if action.done == len(calls):
                return await self._watched(world, action)
            found, why = await self._effect(world, action, calls[action.done])
            if found == "applied":
                left = await _left(self._writers.get(world), calls[action.done])
        except AskAgain:
            return action
        except SteadyError as error:
            return self._journal.unclear(action, f"it cannot be looked up: {error}")
        if found == "unclear":
            return self._journal.unclear(action, why)
        if found == "absent":
            return self._journal.failed(action, why)
        action = self._journal.applied(world, action, action.done, left, "unknown", "found_applied", reason=why)
        if action.done < len(calls):
            return self._journal.failed(action, "it was interrupted")
        return await self._watched(world, action)

    async def watch(self, action: Action) -> Action:
        """From `executed`, of a process that died before it could say what followed."""
        try:
            return await self._watched(await self._find_world(action), action)
        except SteadyError:
            return action

    async def _watched(self, world: World, action: Action) -> Action:
        return await self._course.verified(world, action, action.change, [], action.rehearsal)

    async def _effect(self, world: World, action: Action, call: ApiCall) -> tuple[str, str]:
        writer, version = self._writers.get(world), expected_version(world, action, action.done)
        uid = self._journal.uid(action, call.target)
        found, why = await effect(writer, call, version, uid)
        if found == "absent":
            await self._pause(LATER)
            found, why = await effect(writer, call, version, uid)
        return found, why


async def _left(writer: Writing, call: ApiCall) -> dict[str, object] | None:
    """The object as the call left it, None where it went."""
    if call.verb == "create" and not call.evicts:
        return await writer.read(f"{call.path.rstrip('/')}/{call.target.name}")
    return None if call.verb == "delete" or call.evicts else await writer.read(call.path)
