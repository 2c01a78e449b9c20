"""Carries out an action that is approved and taken: looks again, snapshots, writes down what it is about to do, does
it, writes down what came of it, and looks whether the cluster goes where the rehearsal said.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from kubesteward.execution.answers import Conflict, OutcomeUnknown
from kubesteward.execution.readback import effect
from kubesteward.execution.snapshot import key_of, take, versions
from kubesteward.execution.verify import DEADLINE, verify
from kubesteward.gate.action import Action, Status
from kubesteward.gate.actions import Actions
from kubesteward.gate.case import Case
from kubesteward.gate.comparison import is_graver, still_covers
from kubesteward.gate.digests import digest_of
from kubesteward.gate.stages import BEFORE_EXECUTION, REHEARSED_AGAIN, walk
from kubesteward.gate.stages.rehearsal import opinion, played
from kubesteward.gate.writers import Who, Writers
from kubesteward_policies.change import ApiCall, Change
from kubesteward_policies.verdict import Decision, Verdict
from kubesteward_tools.errors import AskAgain, Refused, SteadyError
from kubesteward_tools.world.store import Key
from kubesteward_tools.world.world import World

APPROVAL_SECONDS = 600.0
TRIES = 3
"""How often an object may move between the last look and the write before the action is given up."""
CATCH_UP_SECONDS = 5.0
LATER = 1.0
"""Seconds before "it has not taken effect" is believed: a request may still be on its way inside the server."""

log = logging.getLogger(__name__)

FindWorld = Callable[[Change, Who], Awaitable[World]]
MakeCase = Callable[[World, Action], Case]
Pause = Callable[[float], Awaitable[None]]


class Executor:
    """All methods take an action in the status that their first line names and return it in another."""

    def __init__(
        self,
        actions: Actions,
        writers: Writers,
        find_world: FindWorld,
        make_case: MakeCase,
        *,
        verify_seconds: float = DEADLINE,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self._actions = actions
        self._writers = writers
        self._find_world = find_world
        self._make_case = make_case
        self._verify_seconds = verify_seconds
        self._pause = pause
        self._stopping = asyncio.Event()

    async def run(self, action: Action) -> Action:
        """From `executing`. What goes wrong before the first call leaves means that nothing was changed."""
        try:
            return await self._run(await self._world(action), action)
        except SteadyError as error:
            return self._stopped(action.id, error)
        except Exception:  # the outermost handler: whatever it was, the action must not hang
            log.exception("the execution of %s failed", action.id)
            return self._stopped(action.id, Refused("an internal error; the server's log has the details."))

    async def _world(self, action: Action) -> World:
        """Raises Refused when the name stands for another API server by now."""
        world = await self._find_world(action.change, action.who)
        if world.server != action.server:
            raise Refused(f"{world.cluster!r} is another API server than when this was proposed.")
        return world

    def _stopped(self, action_id: str, error: SteadyError) -> Action:
        """Once the intent is written, only the live object can tell what has been done."""
        action = self._actions.get(action_id)
        if action.status != "executing":
            return action
        if not action.intended:
            return self._failed(action, f"nothing was changed: {error}")
        return self._must(action, "unknown", "outcome_unknown", outcome=f"outcome unknown: {error}")

    def recover(self, action: Action) -> Action | None:
        """From `executing`, of a process that is gone."""
        return self._actions.move(action, "unknown", "recovered", outcome="outcome unknown: the server stopped")

    def hurry(self) -> None:
        """What is written is written: stop watching what follows from it."""
        self._stopping.set()

    async def _run(self, world: World, action: Action) -> Action:
        verdicts = await walk(self._make_case(world, action), BEFORE_EXECUTION)
        if verdicts[-1].decision is Decision.DENY:
            return self._blocked(action, verdicts[-1])
        for _ in range(TRIES):
            action = await self._looked_again(world, action)
            if action.status != "executing":
                return action
            action = self._intend(world, action)
            try:
                return await self._carry_out(world, action)
            except Conflict as error:
                action = self._actions.get(action.id)
                if action.done:
                    return self._failed(action, f"{_progress(action)}: {error}")
                action = self._must(action, "executing", "conflict", note={"reason": error.message})
                await _caught_up(world, action)
        return self._failed(action, f"nothing was changed: {action.change.target} moved {TRIES} times meanwhile")

    async def _looked_again(self, world: World, action: Action) -> Action:
        """Rehearse again; back to the person if that is worse. What stands around a target moves too: where the target
        itself has not, only the verdict counts.
        """
        now = versions(world, action.change)
        again = await played(world, action.change)
        judged = await walk(self._make_case(world, action.model_copy(update={"rehearsal": again})), REHEARSED_AGAIN)
        if judged[-1].decision is Decision.DENY:
            return self._blocked(action, judged[-1])
        if now == action.versions and not is_graver(again, action.rehearsal):
            return action
        digest = digest_of(action.change, again, now)
        if still_covers(action.rehearsal, again):
            return self._must(action, "executing", "rehearsed_again", versions=now, rehearsal=again)
        blocked = again.verdict == "blocked"
        at = time.time()
        return self._must(
            action,
            "blocked" if blocked else "pending_approval",
            "rehearsed_again",
            note={"verdict": again.verdict},
            rehearsal=again,
            versions=now,
            digest=digest,
            asked=at,
            expires=at + APPROVAL_SECONDS,
            verdicts=(*action.verdicts, opinion(again)),
            executor="",
            intended=False,
            outcome="nothing was changed: the cluster has moved since the approval, and the rehearsal now differs",
        )

    def _blocked(self, action: Action, verdict: Verdict) -> Action:
        outcome = f"nothing was changed: {verdict.reason}"
        return self._must(action, "blocked", "blocked", outcome=outcome, verdicts=(*action.verdicts, verdict))

    def _intend(self, world: World, action: Action) -> Action:
        """From here on a crash leaves a trace: the record is on the disk before the first byte leaves."""
        snapshot = self._actions.keep_snapshot(action, take(world, action.change))
        note = {
            "approvers": [item.approver for item in action.approvals],
            "rehearsal": action.rehearsal.digest if action.rehearsal else "",
            "snapshot": snapshot,
            "versions": action.versions,
        }
        return self._must(action, "executing", "intent", note=note, intended=True, snapshot=snapshot)

    async def _carry_out(self, world: World, action: Action) -> Action:
        """Raises Conflict when a target has moved."""
        writer, answers = self._writers.get(world), []
        for number, call in enumerate(action.change.calls):
            try:
                answers.append(await writer.apply(call, self._version(world, action, number)))
            except Conflict:
                raise
            except OutcomeUnknown as error:
                action = self._must(action, "unknown", "outcome_unknown", outcome=f"outcome unknown: {error}")
                return await self.look_up(action)
            except SteadyError as error:
                return self._failed(action, f"{_progress(action)}: {error}")
            action = self._must(action, "executing", "applied", note={"call": number}, done=number + 1)
        return await self._verified(world, action, answers)

    def _version(self, world: World, action: Action, number: int) -> str:
        """The precondition of a call; none for the second call to the same object, which the first has moved."""
        call = action.change.calls[number]
        earlier = {item.target for item in action.change.calls[:number]}
        key = key_of(world, call.target)
        return "" if call.target in earlier or key is None else action.versions.get(_name(key), "")

    async def _verified(self, world: World, action: Action, answers: Sequence[Mapping[str, Any]]) -> Action:
        action = self._must(action, "executed", "outcome", outcome="applied")
        watching = asyncio.ensure_future(verify(world, action.change, answers, action.rehearsal, self._verify_seconds))
        stopping = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait({watching, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not watching.done():
            watching.cancel()
            return self._must(action, "executed", "verified", outcome="applied; the server stopped before the end")
        found = watching.result()
        note = {"reached": found.reached, "reason": found.reason, "misses": list(found.misses)}
        return self._must(
            action,
            "executed",
            "verified",
            note=note,
            outcome=f"applied; {found.reason}",
            verified=found.reached,
            misses=found.misses,
        )

    async def look_up(self, action: Action) -> Action:
        """From `unknown`: ask the live object. Stays `unknown` while the server does not answer."""
        try:
            world = await self._world(action)
            calls = action.change.calls
            if not action.intended:
                return self._failed(action, "nothing was changed: it stopped before the first call")
            if action.done == len(calls):
                return await self._verified(world, action, [])
            found, why = await self._effect(world, action, calls[action.done])
        except AskAgain:
            return action
        except SteadyError as error:
            return self._failed(action, f"outcome unknown, and it cannot be looked up: {error}")
        if found == "unclear":
            return self._failed(action, f"outcome unknown: {why}. {_progress(action)}")
        if found == "absent":
            return self._failed(action, f"{_progress(action)}: {why}")
        action = self._must(action, "unknown", "found_applied", note={"reason": why}, done=action.done + 1)
        if action.done < len(calls):
            return self._failed(action, f"{_progress(action)}: it was interrupted")
        return await self._verified(world, action, [])

    async def _effect(self, world: World, action: Action, call: ApiCall) -> tuple[str, str]:
        writer, version = self._writers.get(world), self._version(world, action, action.done)
        found, why = await effect(writer, call, version)
        if found == "absent":
            await self._pause(LATER)
            found, why = await effect(writer, call, version)
        return found, why

    def _failed(self, action: Action, outcome: str) -> Action:
        return self._must(action, "failed", "outcome", note={"outcome": outcome}, outcome=outcome)

    def _must(
        self, action: Action, status: Status, step: str, note: Mapping[str, Any] | None = None, **changes: Any
    ) -> Action:
        """A step that only the executing process takes.

        Raises:
            Refused: somebody else has taken one.
        """
        moved = self._actions.move(action, status, step, note, **changes)
        if moved is None:
            raise Refused(f"action {action.id} was changed by somebody else while it was executed.")
        return moved


def _progress(action: Action) -> str:
    total = len(action.change.calls)
    return f"{action.done} of {total} calls were made" if action.done else "nothing was changed"


def _name(key: Key) -> str:
    return f"{key.resource} {key.namespace}/{key.name}"


async def _caught_up(world: World, action: Action) -> None:
    """Wait until the world has seen that a target moved; in vain if it was not one of those it watches."""
    moved = asyncio.Event()
    stop = world.store.subscribe(lambda _: moved.set())
    try:
        async with asyncio.timeout(CATCH_UP_SECONDS):
            while versions(world, action.change) == action.versions:
                moved.clear()
                await moved.wait()
    except TimeoutError:
        pass
    finally:
        stop()
