"""Takes a change through the stages, waits for a person, and has it executed once.

Who calls: the middleware's handover, for every tier-4 tool. Nothing else in the house leads to the writing client.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kubesteward.audit.actors import CORRELATION, behind
from kubesteward.audit.log import AuditLog
from kubesteward.execution.apply import Writer
from kubesteward.execution.pace import PATIENCE
from kubesteward.execution.snapshot import keys
from kubesteward.execution.verify import DEADLINE
from kubesteward.gate import process
from kubesteward.gate.action import FINAL, Action, Status
from kubesteward.gate.actions import Actions, KeyTaken, new_id
from kubesteward.gate.case import Caller, Case, person, proposer
from kubesteward.gate.courtesy import COURTESY
from kubesteward.gate.credentials import WriteCredentials
from kubesteward.gate.differing import told
from kubesteward.gate.digests import digest_of
from kubesteward.gate.exceptions import Exceptions
from kubesteward.gate.executor import APPROVAL_SECONDS, Executor
from kubesteward.gate.journal import Journal
from kubesteward.gate.lookout import LOOK_EVERY, Lookout
from kubesteward.gate.presence import Presence
from kubesteward.gate.privacy import one_line, without_secrets
from kubesteward.gate.returning import Returning, goes_back
from kubesteward.gate.safety import Pulse, Trouble
from kubesteward.gate.stages import walk
from kubesteward.gate.stages.ladder import low_enough
from kubesteward.gate.stages.limits import TAKES_BACK, within_limits
from kubesteward.gate.switch import braked
from kubesteward.gate.writers import Open, Who, Writers
from kubesteward.settings import Settings
from kubesteward.store.store import Store
from kubesteward_policies.change import Change
from kubesteward_policies.verdict import Decision, Verdict, persons_needed
from kubesteward_tools.cluster.clusters import Clusters
from kubesteward_tools.cluster.people import People
from kubesteward_tools.errors import InvalidArguments, Refused
from kubesteward_tools.tool import Done
from kubesteward_tools.world.world import World

TURN = 0.05
"""Seconds between two looks whether it is an action's turn."""
MOST_PERMISSIONS = 50
"""Of those that a record keeps: a drain asks for one in each namespace."""

__all__ = ["Action", "Caller", "Gate"]


class Overtaken(Exception):
    """What was to run alone may not any more, by a verdict that was made while it was written down."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict


class Gate:
    """One for a process. Its parts share one store with other processes' gates and with the command line."""

    def __init__(
        self,
        clusters: Clusters,
        store: Store,
        audit: AuditLog,
        settings: Settings,
        *,
        open_writer: Open = Writer,
        verify_seconds: float = DEADLINE,
        pace_seconds: float = PATIENCE,
        people: People | None = None,
    ) -> None:
        self.actions = Actions(store, audit)
        self._name = process.name()
        self._clusters = clusters
        self._people = People(lambda: clusters) if people is None else people
        self._store = store
        self._audit = audit
        self._settings = settings
        self._pulse = Pulse(store, audit)
        credentials = WriteCredentials(settings, clusters.current)
        self._writers = Writers(braked(open_writer, self._pulse.switch), credentials)
        self.journal = Journal(self.actions, store)
        self._executor = Executor(
            self.journal,
            self._writers,
            self._world,
            self._recheck,
            verify_seconds=verify_seconds,
            pace_seconds=pace_seconds,
        )
        self._returning = Returning(self, self._world)
        self._running: dict[str, asyncio.Task[Action]] = {}
        self._presence = Presence(store, self._name)
        self._lookout = Lookout(
            self.actions,
            self._presence,
            self._mine,
            lambda: bool(self._running),
            self._executor,
            lambda action: self.execute(action.id),
        )

    def begin(self) -> None:
        """Take up what earlier processes left: open approvals, and executions that died in the middle.

        Every method calls it; a server calls it at its start so that approvals are noticed before the first proposal.
        """
        self._lookout.wake()

    def hurry(self) -> None:
        """The server is about to end: finish what is being written and watch nothing any longer."""
        self._executor.hurry()

    async def forget(self, who: Who) -> None:
        """Close what was opened on behalf of a user who has left."""
        await self._writers.forget(who)

    async def close(self) -> None:
        """Bring what is being executed to its end; what is pending stays pending in the store."""
        self.hurry()
        await self._lookout.close()
        if self._running:
            await asyncio.wait(tuple(self._running.values()))
        self._presence.leave()
        await self._writers.close()

    async def propose(
        self,
        change: Change,
        caller: Caller,
        *,
        dry_run: bool,
        justification: str = "",
        idempotency_key: str = "",
        alone: bool = False,
    ) -> Action:
        """Judge a change. A key that led to an action which may be executed brings that action back, and no other.

        `alone` is the gate's own: it takes back what ran alone.

        Raises:
            InvalidArguments: the key was used for another change. SteadyError: the cluster does not answer.
        """
        self.begin()
        change = replace(change, summary=one_line(change.summary))
        if not dry_run and (known := self._known(change, caller, idempotency_key)):
            return known
        world = await self._world(change, caller.who)
        case = self._case(world, change, caller, justification, dry_run=dry_run)
        case.alone = alone
        await walk(case)
        await COURTESY.turn()
        try:
            action = self._entered(case, idempotency_key)
        except KeyTaken:
            if known := self._known(change, caller, idempotency_key):
                return known
            raise
        self._lookout.wake()
        return action

    def _entered(self, case: Case, key: str) -> Action:
        """Judged and written down. Raises KeyTaken."""
        action = self._proposed(case, key)
        note = {
            "verdicts": [_noted(item) for item in case.verdicts],
            "permissions": case.permissions[:MOST_PERMISSIONS],
            "justification": case.justification,
        }
        try:
            self.actions.add(action, lambda: self._check(case, action), required=action.required, **note)
        except Overtaken as error:  # another action has taken the last of a limit since the stage looked
            case.verdicts.append(error.verdict)
            return self._entered(case, key)
        return action

    def _check(self, case: Case, action: Action) -> None:
        """In the transaction that adds the action. Raises Overtaken."""
        if action.status == "pending_approval":
            Exceptions(self._store, self._audit).use(case.exceptions, action.id)
        if action.status != "approved":
            return
        for verdict in (within_limits(case), *((low_enough(case),) if case.restarts else ())):
            if verdict.decision is not Decision.ALLOW:
                raise Overtaken(verdict)

    def _known(self, change: Change, caller: Caller, key: str) -> Action | None:
        known = self.actions.by_key(caller.principal, key)
        if known is not None and known.change.digest != change.digest:
            why = f"the idempotency_key was used for another change ({known.id})."
            raise InvalidArguments(why, todo="Use a new key for a new change.")
        return known

    async def _world(self, change: Change, who: Who = ()) -> World:
        """As `who` sees it. Raises Refused where nobody is named and this server acts for callers alone."""
        if self._settings.impersonate and not who:
            raise Refused("this server acts for callers alone, and the change is nobody's.", todo="Propose it anew.")
        world = await self._people.of(who).world(change.cluster or None)
        space = change.target.namespace
        await world.ensure_for_rehearsal(space)
        await world.ensure(*(key.resource for key in keys(world, change)), namespace=space)
        await self._writers.prepare(world)
        return world

    def _case(self, world: World, change: Change, caller: Caller, justification: str, *, dry_run: bool) -> Case:
        writer = self._writers.find(world)
        case = Case(
            change,
            dry_run,
            self._settings,
            self._store,
            self._audit,
            world,
            writer,
            caller,
            self._pulse,
            justification.strip(),
        )
        case.reviewer = self._writers.reviewer(world)
        return case

    def _recheck(self, world: World, action: Action) -> Case:
        case = self._case(world, action.change, proposer(action), action.justification, dry_run=False)
        case.rehearsal, case.action = action.rehearsal, action.id
        case.alone = action.automatic and any(item.rule_id == TAKES_BACK for item in action.verdicts)
        return case

    def _proposed(self, case: Case, key: str) -> Action:
        from kubesteward_tools.text.redact import redact

        now, caller, status = time.time(), case.caller, _status(case.verdicts, dry_run=case.dry_run)
        final = status in FINAL
        change = without_secrets(case.change) if final else case.change  # its digest too: guesses could be checked
        return Action(
            id=new_id(),
            status=status,
            principal=caller.principal,
            client=caller.client,
            channel=caller.channel,
            change=change,
            justification=redact(case.justification),
            idempotency_key="" if final else key,
            server=case.world.server,
            home=self._name,
            kubernetes_user=caller.user,
            kubernetes_groups=caller.groups,
            created=now,
            asked=now,
            expires=now + APPROVAL_SECONDS,
            verdicts=tuple(case.verdicts),
            rehearsal=case.rehearsal,
            diff=told(case.world, change, case.answers),
            versions=case.versions,
            digest=digest_of(change, case.rehearsal, case.versions),
            required=0 if status == "approved" else max(1, persons_needed(case.verdicts)),
            account=person(caller).account,
            pods=case.pods,
            restarts=case.restarts,
            reverts=change.reverts,
            correlation=CORRELATION.get(),
            session=caller.session,
            actor=behind(caller.channel, can_be_asked=caller.can_be_asked),
        )

    async def decide(self, action_id: str, **answer: Any) -> Action:
        """A person's answer, as `Actions.decide` takes it, from a page or a form: with the digest of what was shown.

        Raises:
            ApprovalRefused: it does not fit. ObjectNotFound: no such action.
        """
        self.begin()
        return self.actions.decide(action_id, **answer)

    async def action(self, action_id: str, wait: float = 0.0) -> Action:
        """The record as it is, or as it becomes within `wait` seconds if it is not final."""
        self.begin()
        end = time.monotonic() + wait
        while True:
            found = self.actions.get(action_id)
            left = end - time.monotonic()
            if _over(found) or left <= 0:
                return found
            await asyncio.sleep(min(LOOK_EVERY, left))

    async def safe_mode(self, cluster: str = "", who: Who = ()) -> tuple[Trouble, ...]:
        """Why nothing is changed at present, on one cluster as `who` sees it or on any; empty if all is well."""
        clusters = self._people.of(who)
        connected = {info.name for info in clusters.describe() if info.state == "connected"}
        world = await clusters.world(cluster) if cluster in connected else None
        return await self._pulse.troubles(world)

    async def execute(self, action_id: str) -> Action:
        """Execute an approved action, once: of many callers one does, the others wait for it or get the record.

        A caller that goes away stops nothing.

        Raises:
            Refused: it was never approved, or the approval has expired.
        """
        self.begin()
        if action_id not in self._running:
            action = self.actions.get(action_id)
            if action.status in {"executing", "unknown", "executed", "failed"}:
                return action
            if action.status != "approved":
                raise Refused(f"action {action_id} is {action.status}, not approved: nothing was executed.")
            self._start(action)
        return await asyncio.shield(self._running[action_id])

    def _start(self, action: Action) -> None:
        task = asyncio.create_task(self._perform(action), name=f"execution of {action.id}")
        self._running[action.id] = task
        task.add_done_callback(lambda _: self._running.pop(action.id, None))

    async def _perform(self, action: Action) -> Action:
        try:
            taken = await self._taken(action)
            if taken is None:
                return self.actions.get(action.id)
            with self._people.held(action.who):
                found = await self._executor.run(taken)
                return await self._returning.after(found) if goes_back(found) else found
        finally:
            self._lookout.wake()

    async def _taken(self, action: Action) -> Action | None:
        """From `approved`, when no other change to the same API server is between its last look and its last call: two
        that are safe alone need not be safe together. None when somebody else has taken it, or this server ends.

        Raises:
            Refused: the approval has expired.
        """
        while not self._executor.ending:
            if time.time() > action.expires:
                if self.actions.expire(action) is None:
                    return None
                raise Refused(f"the approval of {action.id} has expired.", todo="Propose the change again.")
            if self._has_its_turn(action):  # those that wait only read, and leave the store to those that write
                with self._store.transaction():
                    if self._has_its_turn(action):
                        return self.actions.move(action, "executing", "taken", executor=self._name)
            await asyncio.sleep(TURN)
        return None

    def _has_its_turn(self, action: Action) -> bool:
        return not any(in_the_way(item, action) for item in self.actions.with_status("executing"))

    def done(self, action: Action) -> Done:
        """What it has done, for taking it back. Raises AskAgain when it is not over yet."""
        return self.journal.done(action)

    def _mine(self, action: Action) -> bool:
        """Whether this process is to see to an action: its own, and those of dead processes whose cluster it knows."""
        owner = action.executor or action.home
        known = not action.change.cluster or action.change.cluster in self._clusters.names()
        return (
            known
            and action.id not in self._running
            and (owner == self._name or self._presence.gone(owner, action.asked))
        )


def _status(verdicts: Sequence[Verdict], *, dry_run: bool) -> Status:
    if verdicts[-1].decision is Decision.DENY:
        return "blocked"
    if dry_run:
        return "previewed"
    return "pending_approval" if persons_needed(verdicts) else "approved"


def _over(action: Action) -> bool:
    """An executed action is still being watched until it says whether it has come to its end."""
    return action.status in FINAL and (action.status != "executed" or action.verified is not None)


def _noted(verdict: Verdict) -> dict[str, Any]:
    return {**verdict.as_json(), "remediation": ""}


def in_the_way(other: Action, action: Action) -> bool:
    """Evictions take minutes, and each asks the budgets anew: once the first is made nobody waits for the others."""
    evicting = other.done > 0 and any(call.evicts for call in other.change.calls)
    return other.server == action.server and other.id != action.id and not evicting
