"""The table of actions. Every step from one status to the next is one conditional UPDATE in one transaction with its
audit record: it happens once and is written down, or it does not happen.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from kubesteward.audit.actors import SYSTEM, Kind, actor
from kubesteward.audit.log import AuditLog
from kubesteward.execution.exec import KIND
from kubesteward.gate.action import STEPS, Action, Approval, Status
from kubesteward.gate.automatic import Automatic
from kubesteward.gate.switch import REMEDY, Switch
from kubesteward.store.store import Store, StoreUnusable
from kubesteward_policies.digest import digest as digest_of
from kubesteward_policies.verdict import Decision
from kubesteward_tools.errors import ObjectNotFound, Refused

CLI = "cli"
"""The operator's own terminal: who reaches the store's file there may decide for everybody."""

PAGE = "page"
"""The approvals page: its sessions begin on that terminal, or with a token that was given out for deciding."""

_GIVEN = ("approver", "channel", "approved", "digest", "at", "latency")

OPERATORS = frozenset({CLI, PAGE})


_NOT_ALONE = frozenset({"pending_approval", "blocked", "expired"})
"""After these an action has not run alone, or has not run."""
_TRIES = 5


class ApprovalRefused(Refused):
    """The approval does not fit: it was used, came too late, or is for something or somebody else."""

    code = "APPROVAL_INVALID"


class KeyTaken(Exception):
    """The principal's idempotency key belongs to another action already."""


def new_id() -> str:
    return f"act-{secrets.token_hex(4)}"


class Actions:
    """Usable without a running server: the command line approves through the same rows."""

    def __init__(self, store: Store, audit: AuditLog | None = None) -> None:
        self._store = store
        self._audit = audit or AuditLog(store)
        self._automatic = Automatic(store)

    def add(self, action: Action, check: Callable[[], object] = lambda: None, **note: Any) -> None:
        """Write a new action down, and count it where it runs alone. `check` may look at the counts in the same
        transaction and write more; what it raises undoes all.

        Raises:
            KeyTaken: its idempotency key is another action's. StoreUnusable: it cannot be written.
        """
        columns = (
            action.id,
            action.status,
            action.principal,
            action.idempotency_key,
            action.change.digest,
            action.digest,
            action.created,
            action.expires,
            action.model_dump_json(),
        )
        try:
            with self._store.transaction() as db:
                db.execute("INSERT INTO actions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", columns)
                check()
                if action.automatic and action.status == "approved":
                    self._automatic.enter(action)
                self._note("proposed", action, note)
        except sqlite3.IntegrityError:
            raise KeyTaken from None

    def get(self, action_id: str) -> Action:
        """Raises ObjectNotFound."""
        found = self._select("WHERE id = ?", action_id)
        if not found:
            raise ObjectNotFound(f"there is no action {action_id!r}.", todo="`kubesteward actions` lists them.")
        return found[0]

    def by_key(self, principal: str, key: str) -> Action | None:
        found = self._select("WHERE principal = ? AND idempotency = ?", principal, key) if key else []
        return found[0] if found else None

    def newest(self, limit: int = 50, principal: str | None = None) -> Sequence[Action]:
        """The newest first, of everybody or of one principal."""
        if principal is None:
            return self._select("ORDER BY created DESC LIMIT ?", limit)
        return self._select("WHERE principal = ? ORDER BY created DESC LIMIT ?", principal, limit)

    def stamps(self, limit: int = 50) -> list[tuple[str, str, float, str, int]]:
        """Id, status, expiry, digest and size of the newest records: cheap to ask for, different after a change.

        Raises:
            StoreUnusable: the store cannot be read.
        """
        query = "SELECT id, status, expires, digest, length(body) FROM actions ORDER BY created DESC LIMIT ?"
        try:
            return [tuple(row) for row in self._store.db.execute(query, (limit,))]
        except sqlite3.Error as error:
            raise StoreUnusable(f"the store {self._store.path} cannot be read ({error}).") from None

    def open_ids(self, *statuses: Status) -> list[tuple[str, str]]:
        """Ids of the actions in these statuses, the oldest first, each with a mark that is another after any step.

        Raises:
            StoreUnusable: the store cannot be read.
        """
        marks = ", ".join("?" * len(statuses))
        columns = "id, status, expires, digest, length(body)"
        query = f"SELECT {columns} FROM actions WHERE status IN ({marks}) ORDER BY created"  # noqa: S608 - fixed texts
        try:
            return [(row[0], str(tuple(row)[1:])) for row in self._store.db.execute(query, statuses)]
        except sqlite3.Error as error:
            raise StoreUnusable(f"the store {self._store.path} cannot be read ({error}).") from None

    def with_status(self, *statuses: Status) -> Sequence[Action]:
        """The oldest first."""
        marks = ", ".join("?" * len(statuses))
        return self._select(f"WHERE status IN ({marks}) ORDER BY created", *statuses)

    def unwatched(self) -> Sequence[Action]:
        """Those executed of which nobody has said what followed, neither that the server ended before the end."""
        return self._select(
            "WHERE status = 'executed' AND json_extract(body, '$.verified') IS NULL"
            " AND json_extract(body, '$.outcome') = 'applied' ORDER BY created"
        )

    def _select(self, where: str, *values: Any) -> list[Action]:
        try:
            rows = self._store.db.execute(f"SELECT body FROM actions {where}", values).fetchall()  # noqa: S608 - fixed texts
        except sqlite3.Error as error:
            raise StoreUnusable(f"the store {self._store.path} cannot be read ({error}).") from None
        try:
            return [Action.model_validate_json(row["body"]) for row in rows]
        except ValidationError:
            why = f"the store {self._store.path} holds an action that is not what was written."
            raise StoreUnusable(why, todo="Look at it with `kubesteward audit verify`.") from None

    def move(
        self, action: Action, status: Status, step: str, note: Mapping[str, Any] | None = None, **changes: Any
    ) -> Action | None:
        """From what `action` is to another status; None when somebody else has moved it first.

        Raises:
            ValueError: no such step exists. StoreUnusable: it cannot be written.
        """
        if status not in STEPS[action.status]:
            raise ValueError(f"{action.status} does not lead to {status}")
        new = action.model_copy(update={"status": status, **changes})
        with self._store.transaction() as db:
            if self.get(action.id).model_dump_json() != action.model_dump_json():
                return None
            db.execute(
                "UPDATE actions SET status = ?, digest = ?, expires = ?, body = ? WHERE id = ?",
                (new.status, new.digest, new.expires, new.model_dump_json(), action.id),
            )
            if status in _NOT_ALONE:
                self._automatic.forget(action.id)
            self._note(step, new, note or {})
        return new

    def keep_snapshot(self, action: Action, objects: Iterable[Mapping[str, Any]]) -> str:
        """The digest under which the objects are kept."""
        taken = [dict(item) for item in objects]
        mark = digest_of(taken)
        with self._store.transaction() as db:
            row = (action.id, time.time(), mark, json.dumps(taken))
            db.execute("INSERT OR IGNORE INTO snapshots VALUES (?, ?, ?, ?)", row)
        return mark

    def snapshot(self, action: Action) -> list[dict[str, Any]]:
        """The objects as they were before the action, or [] if it never came to that."""
        query = "SELECT objects FROM snapshots WHERE action = ? AND digest = ?"
        row = self._store.db.execute(query, (action.id, action.snapshot)).fetchone()
        return list(json.loads(row["objects"])) if row else []

    def keep_transcript(self, action: Action, number: int, answer: Mapping[str, Any]) -> dict[str, Any]:
        """Keep what a command printed, redacted as it came; what the audit log says of it. {} for any other answer."""
        if answer.get("kind") != KIND:
            return {}
        mark = digest_of(dict(answer))
        with self._store.transaction() as db:
            row = (action.id, number, time.time(), mark, json.dumps(answer))
            db.execute("INSERT OR IGNORE INTO transcripts VALUES (?, ?, ?, ?, ?)", row)
        return {"transcript": mark, **{name: answer[name] for name in ("exit_code", "ended", "error", "seconds")}}

    def transcripts(self, action_id: str) -> list[dict[str, Any]]:
        """What the action's commands printed, with the digest that the audit log names, in the order of its calls."""
        query = "SELECT digest, body FROM transcripts WHERE action = ? ORDER BY number"
        rows = self._store.db.execute(query, (action_id,)).fetchall()
        return [{**json.loads(row["body"]), "digest": row["digest"]} for row in rows]

    def approve(self, action_id: str, approver: str, comment: str = "", digest: str = "") -> Action:
        """The operator's yes, from a terminal. Raises as `decide`."""
        return self.decide(action_id, approve=True, approver=approver, channel=CLI, digest=digest, comment=comment)

    def reject(self, action_id: str, approver: str, comment: str = "") -> Action:
        """The operator's no. Raises as `decide`."""
        return self.decide(action_id, approve=False, approver=approver, channel=CLI, comment=comment)

    def decide(
        self,
        action_id: str,
        *,
        approve: bool,
        approver: str,
        channel: str,
        digest: str = "",
        comment: str = "",
        account: str = "",
    ) -> Action:
        """Write a person's decision; `digest` (where given) must be that of the action as it is now. One no rejects it;
        where two persons have to agree, it goes on waiting after the first yes. `account` is the operating system's.

        Raises:
            ObjectNotFound: no such action.
            ApprovalRefused: it is not waiting, has expired, is another one by now, or is not the approver's to decide.
        """
        from kubesteward_tools.text.redact import redact

        if approve and (stopped := Switch(self._store).engaged()):
            raise ApprovalRefused(f"{stopped.sentence}; {action_id} stays as it is.", todo=REMEDY)
        for _ in range(_TRIES):  # somebody else may decide at the same moment, and what holds then is looked at anew
            action = self.get(action_id)
            self._check(action, approver, channel, digest)
            if approve and (why := action.objection(approver, channel, account)):
                raise ApprovalRefused(f"action {action_id} waits for somebody else: {why}.")
            now = time.time()
            made = Approval(
                approver=approver,
                channel=channel,
                approved=approve,
                digest=action.digest,
                at=now,
                latency=round(now - action.asked, 3),
                comment=redact(comment)[:500],
                account=account,
            )
            if (moved := self._decided(action, made)) is not None:
                return moved
        raise ApprovalRefused(f"action {action_id} was decided by somebody else just now.")

    def _check(self, action: Action, approver: str, channel: str, digest: str) -> None:
        if channel not in OPERATORS and approver != action.principal:
            raise ApprovalRefused(f"action {action.id} is not {approver!r}'s to decide.")
        if action.status != "pending_approval":
            raise ApprovalRefused(f"action {action.id} is {action.status}: there is nothing to decide.")
        if time.time() > action.expires:
            self.expire(action)
            raise ApprovalRefused(f"action {action.id} has expired.", todo="Propose the change again.")
        if (digest and digest != action.digest) or (channel != CLI and not digest):
            raise ApprovalRefused(f"action {action.id} is not what was shown any more.", todo="Look at it again.")

    def _decided(self, action: Action, made: Approval) -> Action | None:
        enough = len(action.agreed) + 1 >= action.required
        status: Status = "rejected" if not made.approved else "approved" if enough else "pending_approval"
        note = {**made.model_dump(), "required": action.required}
        with self._store.transaction():
            moved = self.move(action, status, "decided", note, approvals=(*action.approvals, made))
            if moved is not None and moved.status == "approved":
                self._automatic.agreed(moved, made.at)
        return moved

    def expire(self, action: Action) -> Action | None:
        """To be called when the time of a decision, or of an approval that was not used, has run out."""
        used = "was approved but not executed" if action.status == "approved" else "was not decided"
        return self.move(action, "expired", "expired", outcome=f"nothing was changed: it {used} in time")

    def _note(self, step: str, action: Action, more: Mapping[str, Any]) -> None:
        self._audit.append(
            {
                "type": f"action_{step}",
                "action": action.id,
                "status": action.status,
                "principal": action.principal,
                "client": action.client,
                "actor": _actor(step, action),
                "correlation": action.correlation,
                "session": action.session,
                "tool": action.change.tool,
                "cluster": action.change.cluster,
                "server": action.server,
                "target": str(action.change.target),
                "change": action.change.digest,
                "digest": action.digest,
                "digests": _digests(action),
                "rules": sorted({item.rule_id for item in action.verdicts if item.decision != Decision.ALLOW}),
                "approvals": [{name: getattr(item, name) for name in _GIVEN} for item in action.approvals],
                **more,
            }
        )


def _actor(step: str, action: Action) -> dict[str, Any]:
    """Who took the step: who proposed, who decided, and else this program on behalf of them."""
    if step == "decided":
        made = action.approvals[-1]
        return actor("human", made.approver, channel=made.channel)
    user = getattr(action, "kubernetes_user", "")
    if step == "proposed":
        kind: Kind = "service" if action.actor == "service" else "agent"
        return actor(kind, action.principal, client=action.client, kubernetes_user=user, channel=action.channel)
    return actor("system", SYSTEM, kubernetes_user=user)


def _digests(action: Action) -> dict[str, str]:
    """Of what the judgement rested on, as far as there was something."""
    rehearsal = action.rehearsal.digest if action.rehearsal else ""
    found = {"rehearsal": rehearsal, "versions": digest_of(action.versions), "snapshot": action.snapshot}
    return {name: text for name, text in found.items() if text}
