"""The calls of an approved action on their way: step by step, each verified before the next one begins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from kubesteward.execution.answers import Conflict, OutcomeUnknown
from kubesteward.execution.pace import PATIENCE, Pace
from kubesteward.execution.snapshot import key_of, versions
from kubesteward.execution.verify import DEADLINE, Verified, verify
from kubesteward.gate.action import Action
from kubesteward.gate.case import Case
from kubesteward.gate.comparison import is_graver
from kubesteward.gate.journal import Journal, offering
from kubesteward.gate.stages import BEFORE_EXECUTION, walk
from kubesteward.gate.stages.rehearsal import played
from kubesteward.gate.writers import Writers
from kubesteward.store.store import StoreUnusable
from kubesteward_policies.change import Change, Step
from kubesteward_policies.verdict import Decision, persons_needed
from kubesteward_tools.errors import Refused, SteadyError
from kubesteward_tools.twin.rehearsal import Rehearsal
from kubesteward_tools.world.store import Key
from kubesteward_tools.world.world import World

TRIES = 3
"""How often an object may move between the last look and the write before the action is given up."""
CATCH_UP_SECONDS = 5.0
APPLIED = "applied"
"""The outcome as long as nobody knows what has followed."""

MakeCase = Callable[[World, Action], Case]
Answers = list[Mapping[str, Any]]


class Course:
    """`stopping` is set when the server is about to end."""

    def __init__(  # noqa: PLR0917 - what writes, what writes down, and how long it waits
        self,
        journal: Journal,
        writers: Writers,
        make_case: MakeCase,
        stopping: asyncio.Event,
        verify_seconds: float = DEADLINE,
        pace_seconds: float = PATIENCE,
    ) -> None:
        self._journal = journal
        self._writers = writers
        self._make_case = make_case
        self._stopping = stopping
        self._verify_seconds = verify_seconds
        self._pace_seconds = pace_seconds

    async def run(self, world: World, action: Action) -> Action:
        """From `executing` with the intent written to `executed`, `failed` or `unknown`.

        Raises:
            Conflict: a target has moved, and nothing has been changed yet.
        """
        pace = Pace(world, action.change, self._stopping, self._pace_seconds)
        for step in action.change.in_steps():
            try:
                action, rehearsal, answers = await self._taken(world, action, step, pace)
            except StoreUnusable:  # what was made may not be written down: whoever comes next looks it up
                raise
            except SteadyError as error:
                return self._stopped(self._journal.actions.get(action.id), error)
            if action.done == len(action.change.calls):
                break
            found = await self._watched(world, _part(action.change, step), answers, rehearsal)
            if found is None or not found.reached:
                why = found.reason if found else "the server was stopped"
                unreached = {"verified": False} if found else {}
                head = f"step {step.number + 1} has not come to its end"
                return self._journal.failed(action, f"{head}: {why}", **unreached)
            action = self._journal.must(action, "executing", "step_verified", note={"step": step.number + 1})
        return await self.verified(world, action, _part(action.change, step), answers, rehearsal)

    def _stopped(self, action: Action, error: SteadyError) -> Action:
        if isinstance(error, OutcomeUnknown):
            return self._journal.must(action, "unknown", "outcome_unknown", outcome=f"outcome unknown: {error}")
        if isinstance(error, Conflict) and not action.done:
            raise error
        if action.status != "executing":
            return action
        return self._journal.failed(action, str(error))

    async def _taken(
        self, world: World, action: Action, step: Step, pace: Pace
    ) -> tuple[Action, Rehearsal | None, Answers]:
        """One step. Raises Conflict when a target moves in the middle or all the time, SteadyError when it may not be
        begun or the server refuses.
        """
        rehearsal = action.rehearsal
        for left in reversed(range(TRIES)):
            if action.change.steps:
                action, rehearsal = await self._looked_at(world, action, step)
            try:
                action, answers = await self._made(world, action, step, pace)
            except Conflict:
                action = self._journal.actions.get(action.id)
                if not (left and step.number and action.done == step.first):
                    raise
                await caught_up(world, action, _part(action.change, step))
            else:
                return action, rehearsal, answers
        raise AssertionError("the last try returns or raises")

    async def _looked_at(self, world: World, action: Action, step: Step) -> tuple[Action, Rehearsal]:
        """A step on the cluster as the ones before it have left it: whether it may be begun, and what is expected.

        Raises:
            Refused: it may not be begun.
        """
        part, head = _part(action.change, step), f"step {step.number + 1} was not begun"
        if step.number:
            verdicts = await walk(self._make_case(world, action), BEFORE_EXECUTION)
            if verdicts[-1].decision is Decision.DENY:
                raise Refused(f"{head}: {verdicts[-1].reason}", todo=verdicts[-1].remediation)
            if persons_needed(verdicts) > len(action.agreed):
                raise Refused(f"{head}: more persons have to agree by now than have agreed")
        found = await played(world, part)
        if found.verdict == "blocked" or (step.number and is_graver(found, action.rehearsal)):
            reasons = [item.message for item in found.findings if item.severity != "info"] or found.assumptions
            raise Refused(f"{head}: rehearsed on the cluster as it is now it is {found.verdict} ({'; '.join(reasons)})")
        note = {"step": step.number + 1, "verdict": found.verdict, "rehearsal": found.digest}
        now = {**action.versions, **versions(world, part)} if step.number else action.versions
        return self._journal.must(action, "executing", "step", note=note, versions=now), found

    async def _made(self, world: World, action: Action, step: Step, pace: Pace) -> tuple[Action, Answers]:
        writer, answers = self._writers.get(world), Answers()
        for number, call in enumerate(step.calls, step.first):
            if call.evicts:
                answer = await pace.evict(writer, call)
            else:
                answer = await writer.apply(call, expected_version(world, action, number))
            answers.append(answer)
            action = self._journal.applied(world, action, number, answer, "executing", "applied")
        return action, answers

    async def verified(
        self, world: World, action: Action, part: Change, answers: Answers, rehearsal: Rehearsal | None
    ) -> Action:
        """All calls are made: watch the last step to its end. `part` is that step as a change of its own."""
        if action.status != "executed":
            action = self._journal.executed(action, APPLIED)
        found = await self._watched(world, part, answers, rehearsal)
        if found is None:
            return self._journal.must(
                action, "executed", "verified", outcome=f"{APPLIED}; the server stopped before the end"
            )
        said = f"{APPLIED}; {found.reason}"
        return self._journal.must(
            action,
            "executed",
            "verified",
            note={"reached": found.reached, "reason": found.reason, "misses": list(found.misses)},
            outcome=said if found.reached else offering(action, said),
            verified=found.reached,
            misses=found.misses,
        )

    async def _watched(
        self, world: World, part: Change, answers: Answers, rehearsal: Rehearsal | None
    ) -> Verified | None:
        """None when the server ends first."""
        watching = asyncio.ensure_future(verify(world, part, answers, rehearsal, self._verify_seconds))
        stopping = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait({watching, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if watching.done():
            return watching.result()
        watching.cancel()
        return None


def _part(change: Change, step: Step) -> Change:
    return replace(change, calls=step.calls, steps=()) if change.steps else change


def expected_version(world: World, action: Action, number: int) -> str:
    """The precondition of a call; none for the second call to one object in a step, which the first has moved."""
    call = action.change.calls[number]
    step = next(item for item in action.change.in_steps() if number < item.first + len(item.calls))
    earlier = {item.target for item in action.change.calls[step.first : number]}
    key = key_of(world, call.target)
    return "" if call.target in earlier or key is None else action.versions.get(_name(key), "")


def _name(key: Key) -> str:
    return f"{key.resource} {key.namespace}/{key.name}"


async def caught_up(world: World, action: Action, change: Change) -> None:
    """Wait until the world has seen that a target moved; in vain if it was not one of those it watches."""
    moved = asyncio.Event()
    stop = world.store.subscribe(lambda _: moved.set())
    try:
        async with asyncio.timeout(CATCH_UP_SECONDS):
            while versions(world, change).items() <= action.versions.items():
                moved.clear()
                await moved.wait()
    except TimeoutError:
        pass
    finally:
        stop()
