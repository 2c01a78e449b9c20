"""The table of actions. Every step from one status to the next is one conditional UPDATE: it happens once, or not."""

from __future__ import annotations

import secrets
import time
from typing import Any

from kubesteward.gate.action import Action, Approval
from kubesteward.store.store import Store
from kubesteward_tools.errors import ObjectNotFound, Refused


class ApprovalRefused(Refused):
    """The approval does not fit: it was used, came too late, or is for something else."""

    code = "APPROVAL_INVALID"


def new_id() -> str:
    return f"act-{secrets.token_hex(4)}"


class Actions:
    """Usable without a running server: the command line approves through the same rows."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, action: Action) -> None:
        with self._store.transaction() as db:
            db.execute(
                "INSERT INTO actions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    action.id,
                    action.status,
                    action.principal,
                    action.idempotency_key,
                    action.change.digest,
                    action.digest,
                    action.created,
                    action.expires,
                    action.model_dump_json(),
                ),
            )

    def get(self, action_id: str) -> Action:
        """Raises ObjectNotFound."""
        row = self._store.db.execute("SELECT * FROM actions WHERE id = ?", (action_id,)).fetchone()
        if row is None:
            raise ObjectNotFound(f"there is no action {action_id!r}.", todo="`kubesteward actions` lists them.")
        return _action(row)

    def by_key(self, principal: str, key: str) -> Action | None:
        if not key:
            return None
        query = "SELECT * FROM actions WHERE principal = ? AND idempotency = ?"
        row = self._store.db.execute(query, (principal, key)).fetchone()
        return _action(row) if row else None

    def newest(self, limit: int = 50) -> list[Action]:
        """The newest first."""
        rows = self._store.db.execute("SELECT * FROM actions ORDER BY created DESC LIMIT ?", (limit,))
        return [_action(row) for row in rows]

    def with_status(self, status: str) -> list[Action]:
        rows = self._store.db.execute("SELECT * FROM actions WHERE status = ? ORDER BY created", (status,)).fetchall()
        return [_action(row) for row in rows]

    def move(self, action: Action, status: str, **changes: Any) -> Action | None:
        """From the status that `action` has to another; None when somebody else has moved it first."""
        new = action.model_copy(update={"status": status, **changes})
        with self._store.transaction() as db:
            moved = db.execute(
                "UPDATE actions SET status = ?, digest = ?, expires = ?, body = ?"
                " WHERE id = ? AND status = ? AND digest = ?",
                (new.status, new.digest, new.expires, new.model_dump_json(), action.id, action.status, action.digest),
            )
            return new if moved.rowcount == 1 else None

    def decide(
        self, action_id: str, *, approve: bool, approver: str, channel: str, digest: str = "", comment: str = ""
    ) -> Action:
        """Write a person's decision; `digest` (where given) must be that of the action as it is now.

        Raises:
            ObjectNotFound: no such action. ApprovalRefused: it is not waiting, has expired, or is another one by now.
        """
        action, now = self.get(action_id), time.time()
        if action.status != "pending_approval":
            raise ApprovalRefused(f"action {action_id} is {action.status}: there is nothing to decide.")
        if now > action.expires:
            self.move(action, "expired", outcome="no decision came in time")
            raise ApprovalRefused(f"action {action_id} has expired.", todo="Propose the change again.")
        if digest and digest != action.digest:
            raise ApprovalRefused(f"action {action_id} is not what was shown any more.", todo="Look at it again.")
        made = Approval(
            approver=approver,
            channel=channel,
            approved=approve,
            at=now,
            latency=round(now - action.created, 3),
            comment=comment,
        )
        moved = self.move(action, "approved" if approve else "rejected", approvals=(*action.approvals, made))
        if moved is None:
            raise ApprovalRefused(f"action {action_id} was decided by somebody else just now.")
        return moved


def _action(row: Any) -> Action:
    return Action.model_validate_json(row["body"])
