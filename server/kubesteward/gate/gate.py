"""Takes a change through the stages, waits for a person, executes it once, and looks at what came of it.

Who calls: the middleware's handover, for every tier-4 tool. Nothing else in the house leads to the writing client.
"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import replace
from typing import Any

from kubesteward.audit.log import AuditLog
from kubesteward.execution.apply import OutcomeUnknown, Writer
from kubesteward.execution.snapshot import take, versions
from kubesteward.execution.verify import settle
from kubesteward.gate.action import FINAL, Action
from kubesteward.gate.actions import Actions, new_id
from kubesteward.gate.case import Caller, Case
from kubesteward.gate.stages import STAGES
from kubesteward.settings import Settings
from kubesteward.store.store import Store
from kubesteward_policies.change import Change
from kubesteward_policies.digest import digest
from kubesteward_policies.verdict import Decision, Verdict
from kubesteward_tools.cluster.clusters import Clusters
from kubesteward_tools.errors import InvalidArguments, Refused, SteadyError
from kubesteward_tools.twin.rehearsal import Rehearsal
from kubesteward_tools.twin.rehearse import rehearse
from kubesteward_tools.world.world import World

__all__ = ["Action", "Caller", "Gate"]

APPROVAL_SECONDS = 600.0
_LOOK_EVERY = 0.3


class Gate:
    def __init__(self, clusters: Clusters, store: Store, audit: AuditLog, settings: Settings) -> None:
        self._clusters = clusters
        self._store = store
        self._audit = audit
        self._settings = settings
        self._waiting: set[asyncio.Task[None]] = set()
        self.actions = Actions(store)
        self._recover()

    async def close(self) -> None:
        """Stop waiting for decisions; what is pending stays pending in the store."""
        for task in tuple(self._waiting):
            task.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)

    async def propose(
        self, change: Change, caller: Caller, *, dry_run: bool, justification: str = "", idempotency_key: str = ""
    ) -> Action:
        """Judge a change. The same idempotency key brings the same action back and judges nothing anew.

        Raises:
            InvalidArguments: the key was used for another change. SteadyError: the cluster does not answer.
        """
        known = self.actions.by_key(caller.principal, idempotency_key)
        if known is not None:
            if known.change.digest != change.digest:
                raise InvalidArguments(
                    f"the idempotency_key was used for another change ({known.id}).", todo="Use a new one."
                )
            return known
        case = await self._case(change, caller, dry_run=dry_run)
        verdicts = await self._walk(case)
        now = time.time()
        action = Action(
            id=new_id(),
            status=_status(verdicts, dry_run=dry_run),
            principal=caller.principal,
            client=caller.client,
            change=change,
            justification=justification,
            idempotency_key=idempotency_key,
            created=now,
            expires=now + APPROVAL_SECONDS,
            verdicts=tuple(verdicts),
            rehearsal=case.rehearsal,
            versions=case.versions,
            digest=_digest(change, case.rehearsal, case.versions),
        )
        self._note("proposed", action, verdicts=[_kept(item) for item in verdicts])
        self.actions.add(action)
        if action.status == "pending_approval":
            self._wait_for_decision(action)
        return action

    async def _case(self, change: Change, caller: Caller, *, dry_run: bool) -> Case:
        world = await self._clusters.world(change.cluster or None)
        await world.ensure_for_rehearsal()
        return Case(change, caller, dry_run, self._settings, self._store, self._audit, world)

    async def _walk(self, case: Case) -> list[Verdict]:
        verdicts = []
        for stage in STAGES:
            started = time.perf_counter()
            verdict = await stage(case)
            verdicts.append(replace(verdict, took_ms=round((time.perf_counter() - started) * 1000, 1)))
            if verdict.decision is Decision.DENY:
                break
        return verdicts

    async def decide(
        self, action_id: str, *, approve: bool, approver: str, channel: str, digest: str, comment: str = ""
    ) -> Action:
        """A person's answer. Raises ApprovalRefused when it does not fit, ObjectNotFound for an unknown action."""
        action = self.actions.decide(
            action_id, approve=approve, approver=approver, channel=channel, digest=digest, comment=comment
        )
        self._note("decided", action, approved=approve, approver=approver, channel=channel)
        return action

    async def action(self, action_id: str, wait: float = 0.0) -> Action:
        """The record as it is, or as it becomes within `wait` seconds if it is not final."""
        end = time.monotonic() + wait
        while True:
            found = self.actions.get(action_id)
            if found.status in FINAL or time.monotonic() >= end:
                return found
            await asyncio.sleep(_LOOK_EVERY)

    async def execute(self, action_id: str) -> Action:
        """Execute an approved action, once: of many callers one does, the others get the record as it is.

        Raises:
            Refused: it was never approved.
        """
        action = self.actions.get(action_id)
        if action.status != "approved":
            if action.status in {"executing", "executed", "failed"}:
                return action
            raise Refused(f"action {action_id} is {action.status}, not approved: nothing was executed.")
        mine = self.actions.move(action, "executing", executor=os.getpid())
        if mine is None:
            return self.actions.get(action_id)
        return await asyncio.shield(self._perform(mine))

    async def _perform(self, action: Action) -> Action:
        try:
            world = await self._clusters.world(action.change.cluster or None)
            await world.ensure_for_rehearsal()
            if changed := self._moved(world, action):
                return changed
            taken = tuple(dict(item) for item in take(world, action.change))
            action = self._must(action, "executing", snapshot=taken, versions=versions(world, action.change))
            self._note("intent", action, snapshot=digest(list(taken)))
            await self._apply(world, action)
        except SteadyError as error:
            unknown = isinstance(error, OutcomeUnknown)
            outcome = f"{'outcome unknown' if unknown else 'nothing was changed'}: {error}"
            self._note("outcome", action, outcome=outcome)
            return self._must(action, "failed", outcome=outcome)
        self._note("outcome", action, outcome="applied")
        verified, why = await settle(world, action.change)
        self._note("verified", action, verified=verified, reason=why)
        return self._must(action, "executed", outcome=f"applied; {why}", verified=verified)

    def _moved(self, world: World, action: Action) -> Action | None:
        """If a target has changed since the rehearsal, rehearse again; back to the person if that says otherwise."""
        now = versions(world, action.change)
        if now == action.versions:
            return None
        again = rehearse(world.store, action.change.calls, now=time.time(), unseen=world.forbidden)
        if action.rehearsal and (again.verdict, again.findings) == (
            action.rehearsal.verdict,
            action.rehearsal.findings,
        ):
            return None
        status = "blocked" if again.verdict == "blocked" else "pending_approval"
        changed = self._must(
            action,
            status,
            rehearsal=again,
            versions=now,
            digest=_digest(action.change, again, now),
            expires=time.time() + APPROVAL_SECONDS,
            outcome="the cluster has changed since the approval, and so has the rehearsal",
        )
        self._note("rehearsed_again", changed, verdict=again.verdict)
        if status == "pending_approval":
            self._wait_for_decision(changed)
        return changed

    async def _apply(self, world: World, action: Action) -> None:
        if world.connection is None:
            raise Refused("a bundle cannot be changed.")
        writer, seen = Writer(world.connection), set[Any]()
        for call in action.change.calls:
            version = ""
            if call.target not in seen and call.verb != "create":
                version = next(iter(versions(world, replace(action.change, calls=(call,))).values()), "")
            seen.add(call.target)
            await writer.apply(call, version)

    def _must(self, action: Action, status: str, **changes: Any) -> Action:
        """A step that only the executing process takes."""
        moved = self.actions.move(action, status, **changes)
        if moved is None:
            raise Refused(f"action {action.id} was changed by somebody else while it was executed.")
        return moved

    def _wait_for_decision(self, action: Action) -> None:
        """Notice an approval that another process writes, and execute it here."""
        task = asyncio.create_task(self._watch(action.id), name=f"approval of {action.id}")
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def _watch(self, action_id: str) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            action = self.actions.get(action_id)
            if action.status == "approved" and action.approvals[-1].channel == "cli":
                await self.execute(action_id)
                return
            if action.status != "pending_approval":
                return
            if time.time() > action.expires:
                self.actions.move(action, "expired", outcome="no decision came in time")
                self._note("expired", action)
                return

    def _recover(self) -> None:
        """Executions that died with their process: what they did is not known, and that is said."""
        for action in self.actions.with_status("executing"):
            if not _alive(action.executor):
                outcome = "the server stopped in the middle: look at the object before anything else is tried"
                self._note("recovered", action, outcome=outcome)
                self.actions.move(action, "failed", outcome=outcome)

    def _note(self, step: str, action: Action, **more: Any) -> None:
        self._audit.append(
            {
                "type": f"action_{step}",
                "action": action.id,
                "status": action.status,
                "principal": action.principal,
                "tool": action.change.tool,
                "cluster": action.change.cluster,
                "target": str(action.change.target),
                "change": action.change.digest,
                "digest": action.digest,
                **more,
            }
        )


def _status(verdicts: list[Verdict], *, dry_run: bool) -> Any:
    if verdicts[-1].decision is Decision.DENY:
        return "blocked"
    return "previewed" if dry_run else "pending_approval"


def _digest(change: Change, rehearsal: Rehearsal | None, found: dict[str, str]) -> str:
    return digest({"change": change, "rehearsal": rehearsal.digest if rehearsal else "", "versions": found})


def _kept(verdict: Verdict) -> dict[str, Any]:
    return {"stage": verdict.stage, "decision": verdict.decision.value, "rule_id": verdict.rule_id}


def _alive(process: int) -> bool:
    if process <= 0:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
