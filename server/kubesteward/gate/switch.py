"""The emergency stop: one row in the store closes tier 4 for every server on it, at once, until somebody resumes.

Asked when a call comes in, by the gate's stages, when somebody approves, and before each call to a cluster. Whoever
reaches the store's file may throw it; no tool does.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kubesteward.audit.actors import actor
from kubesteward.audit.log import AuditLog
from kubesteward.execution.apply import Writing
from kubesteward.store.store import Store, StoreUnusable
from kubesteward_policies.change import ApiCall
from kubesteward_tools.errors import Refused

LONGEST_REASON = 300
REMEDY = "Reading goes on. Do not retry: a person ends it with `kubesteward resume`."


class EmergencyStop(Refused):
    """Somebody has stopped all changes."""

    code = "STOPPED"


@dataclass(frozen=True, slots=True)
class Stopped:
    """Who stopped all changes, when (epoch seconds), and why."""

    by: str
    at: float
    reason: str

    @property
    def sentence(self) -> str:
        from kubesteward_tools.twin.clock import timestamp

        why = f": {self.reason}" if self.reason else ""
        return f"{self.by} stopped all changes at {timestamp(self.at)}{why}"

    def refusal(self) -> EmergencyStop:
        return EmergencyStop(f"{self.sentence}.", todo=REMEDY)


class Switch:
    """Of one store; every process on it has its own."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def engaged(self) -> Stopped | None:
        """Raises StoreUnusable: nobody knows."""
        try:
            row = self._store.db.execute("SELECT principal, at, reason FROM stopped WHERE id = 1").fetchone()
        except sqlite3.Error as error:
            raise StoreUnusable(f"the store {self._store.path} cannot be read ({error}).") from None
        return Stopped(row["principal"], row["at"], row["reason"]) if row else None

    def check(self) -> None:
        """Raises EmergencyStop when it is engaged, StoreUnusable."""
        if found := self.engaged():
            raise found.refusal()

    def stop(self, audit: AuditLog, by: str, reason: str) -> Stopped:
        """The first one who stops is kept; later reasons are in the audit log. Raises StoreUnusable."""
        from kubesteward.gate.privacy import one_line
        from kubesteward_tools.text.redact import redact

        said = redact(one_line(reason))[:LONGEST_REASON]
        with self._store.transaction() as db:
            db.execute("INSERT OR IGNORE INTO stopped VALUES (1, ?, ?, ?)", (by, time.time(), said))
            audit.append({"type": "stopped", "principal": by, "actor": actor("human", by), "reason": said})
            found = self.engaged()
        assert found is not None  # noqa: S101 - it was written in this transaction
        return found

    def resume(self, audit: AuditLog, by: str) -> Stopped | None:
        """What was ended by it, None if changes were not stopped. Raises StoreUnusable."""
        with self._store.transaction() as db:
            found = self.engaged()
            db.execute("DELETE FROM stopped")
            record = {"type": "resumed", "principal": by, "actor": actor("human", by)}
            audit.append({**record, "was_stopped": found is not None})
        return found


class Braked:
    """A writing client that asks the switch before each call: nobody who executes can forget to."""

    def __init__(self, writer: Writing, switch: Switch) -> None:
        self._writer = writer
        self._switch = switch

    async def dry_run(self, call: ApiCall) -> dict[str, Any]:
        self._switch.check()
        return await self._writer.dry_run(call)

    async def apply(self, call: ApiCall, resource_version: str = "") -> dict[str, Any]:
        """Raises EmergencyStop before anything is sent, else as the writer does."""
        self._switch.check()
        return await self._writer.apply(call, resource_version)

    async def read(self, path: str) -> dict[str, Any] | None:
        return await self._writer.read(path)

    async def close(self) -> None:
        await self._writer.close()


def braked(open_writer: Callable[..., Writing], switch: Switch) -> Callable[..., Writing]:
    """The same way to open writers, each with the brake on."""
    return lambda *given, **named: Braked(open_writer(*given, **named), switch)
