"""Exceptions from the operator's own rules, granted on a terminal: for one change, once, until a moment.

Each step is a record of the audit log: granted, used, expired. An exception opens no door by itself: the change has to
be proposed again, and then a person has to agree to it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from kubesteward.audit.log import AuditLog
from kubesteward.gate.action import Action
from kubesteward.gate.privacy import one_line
from kubesteward.store.store import Store
from kubesteward_policies.exceptions import fault, mark
from kubesteward_policies.persons import Person, same
from kubesteward_tools.errors import InvalidArguments, Refused

MINUTES = 60.0


class ExceptionUsed(Refused):
    """Another action was quicker to make use of it."""

    code = "APPROVAL_INVALID"


@dataclass(frozen=True, slots=True)
class Granted:
    """`change` is the mark of the change it is for. Times in epoch seconds; `ended` when it was used or ran out."""

    id: str
    rule: str
    change: str
    action: str
    grantor: str
    account: str
    justification: str
    granted: float
    expires: float
    used_by: str = ""
    ended: float | None = None


class Exceptions:
    """The table of one store."""

    def __init__(self, store: Store, audit: AuditLog) -> None:
        self._store = store
        self._audit = audit

    def grant(
        self, action: Action, rule: str, grantor: Person, justification: str, minutes: float = MINUTES
    ) -> Granted:
        """Except the change of a blocked action from one rule that denied it.

        Raises:
            InvalidArguments: the rule did not deny it, or is none that can be excepted from.
            Refused: it is the requester's own, lasts too long, or has no reason.
        """
        from kubesteward_tools.text.redact import redact

        denying = action.denied_by
        if action.status != "blocked" or rule not in denying:
            there = f"It was denied by {', '.join(denying)}." if denying else "Only guardrails can be excepted from."
            raise InvalidArguments(f"the guardrail {rule!r} does not block action {action.id}.", todo=there)
        if why := fault(justification, minutes, grantor, Person(action.principal, action.account)):
            raise Refused(f"{why}.", todo="Nothing was granted.")
        now = time.time()
        made = Granted(
            f"exc-{secrets.token_hex(4)}",
            rule,
            mark(action.change, action.server),
            action.id,
            grantor.principal,
            grantor.account,
            redact(one_line(justification))[:500],
            now,
            now + minutes * 60.0,
        )
        with self._store.transaction() as db:
            db.execute("INSERT INTO exceptions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", tuple(asdict(made).values()))
            self._note("granted", made)
        return made

    def find(self, rule: str, change: str, requester: Person, action_id: str = "") -> Granted | None:
        """The one that holds for a change that `requester` proposes; a used one only for the action that used it."""
        self.sweep()
        query = "SELECT * FROM exceptions WHERE change = ? AND rule = ? AND expires > ? AND used_by IN ('', ?)"
        rows = self._store.db.execute(query, (change, rule, time.time(), action_id))
        found = (Granted(*row) for row in rows.fetchall())
        return next((item for item in found if not same(Person(item.grantor, item.account), requester)), None)

    def use(self, ids: Iterable[str], action_id: str) -> None:
        """To be called in the transaction that adds the action.

        Raises:
            ExceptionUsed: somebody else's action has used one of them.
        """
        for exception_id in dict.fromkeys(ids):
            found = self._store.db.execute("SELECT * FROM exceptions WHERE id = ?", (exception_id,)).fetchone()
            if found is None or found["used_by"]:
                raise ExceptionUsed(
                    f"the exception {exception_id} was used by another action.", todo="Ask for a new one."
                )
            self._store.db.execute(
                "UPDATE exceptions SET used_by = ?, ended = ? WHERE id = ?", (action_id, time.time(), exception_id)
            )
            self._note("used", Granted(*found), used_by=action_id)

    def sweep(self) -> None:
        """Write down which have run out unused."""
        query, now = "SELECT * FROM exceptions WHERE ended IS NULL AND expires <= ?", time.time()
        if not self._store.db.execute(query, (now,)).fetchall():
            return
        with self._store.transaction() as db:
            for row in db.execute(query, (now,)).fetchall():
                db.execute("UPDATE exceptions SET ended = ? WHERE id = ?", (now, row["id"]))
                self._note("expired", Granted(*row))

    def newest(self, limit: int = 50) -> list[Granted]:
        rows = self._store.db.execute("SELECT * FROM exceptions ORDER BY granted DESC LIMIT ?", (limit,))
        return [Granted(*row) for row in rows.fetchall()]

    def _note(self, step: str, granted: Granted, **more: str) -> None:
        told = {key: value for key, value in asdict(granted).items() if key not in {"id", "used_by", "ended"}}
        self._audit.append({"type": f"exception_{step}", "exception": granted.id, **told, **more})
