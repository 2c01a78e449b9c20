"""Where a Change leaves the tools for the gate, and what the caller is told on the way.

The tool has written nothing. The gate judges the change; if a person has to agree and the client can ask one, the
question is put here, and the answer goes back to the gate, which alone decides whether it still fits.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kubesteward.gate.courtesy import COURTESY
from kubesteward.middleware.call import Answered, Call, Question, Reply
from kubesteward.middleware.outcome import reply_about
from kubesteward_tools.errors import Refused

if TYPE_CHECKING:
    from kubesteward.app import App
    from kubesteward.gate.gate import Action
    from kubesteward_policies.change import ApiCall, Change

CHANNEL = "elicitation"
OPEN_QUESTIONS = 1000
LONGEST_QUESTION = 4000
"""Characters of a form. Nobody can agree to what they are not shown: what is longer is approved in a terminal."""


class ApprovalInvalid(Refused):
    code = "APPROVAL_INVALID"


class Handover:
    """Keeps the tokens of open questions; each is good for one answer by the principal it was made for."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._open: dict[str, tuple[str, str, str]] = {}

    async def propose(self, call: Call, change: Change, terms: Mapping[str, Any]) -> Reply:
        """`terms` are the gate's own arguments: justification, dry_run, idempotency_key."""
        dry_run = terms["dry_run"]
        action = await self._app.gate.propose(
            change,
            call.caller,
            dry_run=not call.caller.can_be_asked if dry_run is None else dry_run,
            justification=terms["justification"],
            idempotency_key=terms["idempotency_key"],
        )
        await COURTESY.turn()
        if action.status == "approved":
            return reply_about(await self._execute(action.id))
        question = question_about(action)
        if not _can_be_asked_here(action, call) or len(question) > LONGEST_QUESTION:
            return reply_about(action)
        if call.ask is None:
            return Reply("", question=Question(question, self._mint(call, action)))
        return await self._decide(call, action.id, action.digest, await call.ask(question))

    async def resume(self, call: Call, answered: Answered) -> Reply:
        """A call that comes back with the answer to the question it ended with.

        Raises:
            ApprovalInvalid: the token was used, is not known, or is another principal's.
        """
        action_id, digest = self._burn(call, answered.token)
        return await self._decide(call, action_id, digest, answered)

    async def _decide(self, call: Call, action_id: str, digest: str, answered: Answered) -> Reply:
        action = await self._app.gate.action(action_id)
        if answered.action == "cancel":
            return reply_about(action)
        if action.status != "pending_approval":  # another call with the same key was answered first
            return reply_about(await self._app.gate.action(action_id, self._app.settings.approval_wait))
        agreed = answered.action == "accept" and answered.approve
        action = await self._app.gate.decide(
            action_id,
            approve=agreed,
            approver=call.caller.principal,
            channel=CHANNEL,
            digest=digest,
            comment=answered.comment,
        )
        return reply_about(await self._execute(action_id) if action.status == "approved" else action)

    async def _execute(self, action_id: str) -> Action:
        """In a task of its own: a client that gives up, or that must not wait any longer, stops nothing half-way."""
        task = self._app.background(self._app.gate.execute(action_id))
        done, _ = await asyncio.wait({task}, timeout=self._app.settings.approval_wait)
        return task.result() if done else await self._app.gate.action(action_id)

    def _mint(self, call: Call, action: Action) -> str:
        while len(self._open) >= OPEN_QUESTIONS:
            del self._open[next(iter(self._open))]
        token = secrets.token_urlsafe(16)
        self._open[token] = (action.id, action.digest, call.caller.principal)
        return token

    def _burn(self, call: Call, token: str) -> tuple[str, str]:
        action_id, digest, principal = self._open.pop(token, ("", "", ""))
        if not action_id or principal != call.caller.principal:
            todo = f"Nothing was executed by this call. Call {call.name} again, without an answer, to be asked anew."
            raise ApprovalInvalid("This approval was already used, has expired, or is somebody else's.", todo=todo)
        return action_id, digest


def _can_be_asked_here(action: Action, call: Call) -> bool:
    """Whether the client shows forms, and a yes that is given in one would count."""
    if action.status != "pending_approval" or not call.caller.can_be_asked:
        return False
    return not action.objection(call.caller.principal, CHANNEL)


def question_about(action: Action) -> str:
    """From the change alone, without a word out of the cluster: who wrote an annotation must not write this form.

    Of the rehearsal there are its verdict and the names of the rules that spoke, which are our own words.
    """
    from kubesteward_tools.text.fence import clean
    from kubesteward_tools.text.redact import redact

    change = action.change
    calls = [f"{call.verb.upper()} {call.path} {_asked(call)}{_body(call.body)}".rstrip() for call in change.calls]
    lines = [change.summary, f"Cluster: {change.cluster}", *calls, *_rehearsed(action)]
    if action.required > 1:
        lines.append("Two persons have to agree: a yes here is the first, and somebody else gives the second.")
    lines.append(f"Action {action.id}, digest {action.digest[:16]}")
    text = "\n".join(lines)
    return redact(clean(text, cap=len(text)))


def _rehearsed(action: Action) -> list[str]:
    if action.rehearsal is None:
        return []
    rules = ", ".join(sorted({item.rule for item in action.rehearsal.findings}))
    return [f"Rehearsal: {action.rehearsal.verdict}" + (f" ({rules})" if rules else "")]


def _asked(call: ApiCall) -> str:
    """What of the query decides about the effect."""
    shown = [(name, value) for name, value in call.query if name not in {"fieldManager", "fieldValidation"}]
    return f"{json.dumps(shown)} " if shown else ""


def _body(body: Any) -> str:
    return "" if body is None else json.dumps(body, sort_keys=True)
