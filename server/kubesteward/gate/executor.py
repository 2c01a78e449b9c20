"""Carries out an action that is approved and taken: looks again, snapshots, writes down what it is about to do, does
it, writes down what came of it, and looks whether the cluster goes where the rehearsal said.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from kubesteward.execution.answers import Conflict
from kubesteward.execution.pace import PATIENCE
from kubesteward.execution.snapshot import take, versions
from kubesteward.execution.verify import DEADLINE
from kubesteward.gate.action import Action
from kubesteward.gate.aftermath import Aftermath, Pause
from kubesteward.gate.comparison import is_graver, still_covers
from kubesteward.gate.course import TRIES, Course, MakeCase, caught_up
from kubesteward.gate.differing import told
from kubesteward.gate.digests import digest_of
from kubesteward.gate.journal import Journal
from kubesteward.gate.stages import BEFORE_EXECUTION, REHEARSED_AGAIN, walk
from kubesteward.gate.stages.dry_run import dry_run
from kubesteward.gate.stages.rehearsal import opinion, played
from kubesteward.gate.writers import Who, Writers
from kubesteward_policies.change import Change
from kubesteward_policies.verdict import Decision, Verdict, persons_needed
from kubesteward_tools.errors import Refused, SteadyError
from kubesteward_tools.world.world import World

APPROVAL_SECONDS = 600.0

log = logging.getLogger(__name__)

FindWorld = Callable[[Change, Who], Awaitable[World]]


class Executor:
    """All methods take an action in the status that their first line names and return it in another."""

    def __init__(
        self,
        journal: Journal,
        writers: Writers,
        find_world: FindWorld,
        make_case: MakeCase,
        *,
        verify_seconds: float = DEADLINE,
        pace_seconds: float = PATIENCE,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self._journal = journal
        self._actions = journal.actions
        self._find_world = find_world
        self._make_case = make_case
        self._stopping = asyncio.Event()
        self._course = Course(journal, writers, make_case, self._stopping, verify_seconds, pace_seconds)
        self._aftermath = Aftermath(journal, writers, self._course, self._world, pause)

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
            return self._journal.failed(action, str(error))
        return self._journal.must(action, "unknown", "outcome_unknown", outcome=f"outcome unknown: {error}")

    def recover(self, action: Action, heir: str) -> Action | None:
        """From `executing`, of a process that is gone; `heir` is the process that sees to it from now on."""
        return self._aftermath.recover(action, heir)

    def inherit(self, action: Action, heir: str) -> Action | None:
        """From `unknown`, of a process that is gone."""
        return self._aftermath.inherit(action, heir)

    async def look_up(self, action: Action) -> Action:
        """From `unknown`. Stays there while the server does not answer."""
        return await self._aftermath.look_up(action)

    async def watch(self, action: Action) -> Action:
        """From `executed`, of a process that died before it knew what followed."""
        return await self._aftermath.watch(action)

    def hurry(self) -> None:
        """What is written is written: stop watching what follows from it."""
        self._stopping.set()

    async def _run(self, world: World, action: Action) -> Action:
        verdicts = await walk(self._make_case(world, action), BEFORE_EXECUTION)
        if verdicts[-1].decision is Decision.DENY:
            return self._blocked(action, verdicts[-1])
        if persons_needed(verdicts) > len(action.agreed):
            return self._asked_again(action, verdicts)
        for _ in range(TRIES):
            action = await self._looked_again(world, action)
            if action.status != "executing":
                return action
            action = self._intend(world, action)
            try:
                action = await self._course.run(world, action)
            except Conflict as error:
                note = {"reason": error.message}
                action = self._journal.must(self._actions.get(action.id), "executing", "conflict", note=note)
                await caught_up(world, action, action.change)
            else:
                return await self.look_up(action) if action.status == "unknown" else action
        return self._journal.failed(action, f"{action.change.target} moved {TRIES} times meanwhile")

    async def _looked_again(self, world: World, action: Action) -> Action:
        """Rehearse again; back to the person if that is worse. What stands around a target moves too: where the target
        itself has not, only the verdict counts.
        """
        now = versions(world, action.change)
        again = await played(world, action.change)
        judged = await walk(self._make_case(world, action.model_copy(update={"rehearsal": again})), REHEARSED_AGAIN)
        if judged[-1].decision is Decision.DENY:
            return self._blocked(action, judged[-1])
        if persons_needed(judged) > len(action.agreed):
            return self._asked_again(action, judged, rehearsal=again, versions=now)
        if now == action.versions and not is_graver(again, action.rehearsal):
            return action
        case = self._make_case(world, action)
        server = await walk(case, (dry_run,))
        if server[-1].decision is Decision.DENY:
            return self._blocked(action, server[-1])
        moved: dict[str, Any] = {"versions": now, "rehearsal": again, "diff": told(world, action.change, case.answers)}
        if still_covers(action.rehearsal, again):
            return self._journal.must(action, "executing", "rehearsed_again", **moved)
        found = opinion(again)
        if found.decision is Decision.DENY:
            return self._blocked(action, found, **moved)
        why = "the cluster has moved since the approval, and the rehearsal now differs"
        return self._asked_again(action, [found], why, **moved)

    def _asked_again(self, action: Action, verdicts: Sequence[Verdict], why: str = "", **moved: Any) -> Action:
        """Back to people: what was agreed to is not what it is now, or needs more of them than have agreed."""
        asking, at = [item for item in verdicts if item.decision is not Decision.ALLOW], time.time()
        now = action.model_copy(update=moved)
        return self._journal.must(
            action,
            "pending_approval",
            "asked_again",
            note={"reason": why or asking[-1].reason, "rehearsal": now.rehearsal.digest if now.rehearsal else ""},
            digest=digest_of(now.change, now.rehearsal, now.versions),
            required=max(1, action.required, persons_needed(verdicts)),
            heard=len(action.approvals),
            asked=at,
            expires=at + APPROVAL_SECONDS,
            verdicts=(*action.verdicts, *asking),
            executor="",
            intended=False,
            outcome=f"nothing was changed: {why or asking[-1].reason}",
            **moved,
        )

    def _blocked(self, action: Action, verdict: Verdict, **moved: Any) -> Action:
        outcome, verdicts = f"nothing was changed: {verdict.reason}", (*action.verdicts, verdict)
        return self._journal.must(action, "blocked", "blocked", outcome=outcome, verdicts=verdicts, **moved)

    def _intend(self, world: World, action: Action) -> Action:
        """From here on a crash leaves a trace: the record is on the disk before the first byte leaves."""
        snapshot = self._actions.keep_snapshot(action, take(world, action.change))
        note = {
            "approvers": [item.approver for item in action.approvals],
            "rehearsal": action.rehearsal.digest if action.rehearsal else "",
            "snapshot": snapshot,
            "versions": action.versions,
        }
        return self._journal.must(action, "executing", "intent", note=note, intended=True, snapshot=snapshot)
