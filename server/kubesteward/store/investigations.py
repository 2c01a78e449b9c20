"""Investigations in the store: their state after each step, results too large to be shown, and the tape of each."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from typing import Any

from kubesteward.store.store import Store, StoreUnusable

KEPT = 30 * 86400.0
"""Seconds for which investigations that are over are kept."""


class Investigations:
    """Bodies are JSON that only the reasoning understands. Raises StoreUnusable where nothing can be written."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    def save(self, body: Mapping[str, Any], owner: str) -> None:
        """In place of what there was of it; `owner` is the process that works on it, "" for none."""
        now = self._clock()
        row = (body["id"], body["principal"], body["status"], owner, body["created"], now, json.dumps(body))
        with self._store.transaction() as db:
            db.execute(
                "INSERT INTO investigations (id, principal, status, owner, created, updated, body, wish)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, '') ON CONFLICT (id) DO UPDATE SET status = excluded.status,"
                " owner = excluded.owner, updated = excluded.updated, body = excluded.body",
                row,
            )

    def begin(self, body: Mapping[str, Any], owner: str) -> None:
        """Save a new one, and forget those that have been over for long."""
        old = "SELECT id FROM investigations WHERE updated < ? AND status IN ('done', 'failed', 'cancelled')"
        with self._store.transaction() as db:
            gone = [row["id"] for row in db.execute(old, (self._clock() - KEPT,))]
            for table in ("investigations", "investigation_results", "investigation_tapes"):
                column = "id" if table == "investigations" else "investigation"
                db.executemany(f"DELETE FROM {table} WHERE {column} = ?", [(name,) for name in gone])  # noqa: S608 - names of ours
            self.save(body, owner)

    def load(self, name: str, principal: str | None = None) -> dict[str, Any] | None:
        """Of one principal, or anybody's where None is named."""
        query = "SELECT body FROM investigations WHERE id = ? AND (? IS NULL OR principal = ?)"
        row = self._one(query, (name, principal, principal))
        return dict(json.loads(row["body"])) if row else None

    def all(self, principal: str | None = None, most: int = 100) -> list[dict[str, Any]]:
        """The newest first."""
        query = "SELECT body FROM investigations WHERE (? IS NULL OR principal = ?) ORDER BY created DESC, id LIMIT ?"
        return [json.loads(row["body"]) for row in self._store.db.execute(query, (principal, principal, most))]

    def take(self, name: str, owner: str, free: Callable[[str], bool]) -> bool:
        """Become the one who works on it, if nobody does: `free` says so of its owner."""
        with self._store.transaction() as db:
            row = db.execute("SELECT owner FROM investigations WHERE id = ?", (name,)).fetchone()
            if row is None or (row["owner"] and not free(row["owner"])):
                return False
            db.execute("UPDATE investigations SET owner = ? WHERE id = ?", (owner, name))
            return True

    def unfinished(self, free: Callable[[str], bool]) -> list[str]:
        """Those that run by their state, but nobody works on."""
        query = "SELECT id, owner FROM investigations WHERE status = 'running' ORDER BY created"
        return [row["id"] for row in self._store.db.execute(query) if not row["owner"] or free(row["owner"])]

    def wish(self, name: str, what: str) -> None:
        """Whoever works on it reads this after each step: "pause", "cancel", or "" for neither."""
        with self._store.transaction() as db:
            db.execute("UPDATE investigations SET wish = ? WHERE id = ?", (what, name))

    def wished(self, name: str) -> str:
        row = self._one("SELECT wish FROM investigations WHERE id = ?", (name,))
        return str(row["wish"]) if row else ""

    def spill(self, name: str, text: str) -> int:
        """Keep a result that is too large to be shown; its number."""
        with self._store.transaction() as db:
            query = "SELECT COALESCE(MAX(number), 0) + 1 FROM investigation_results WHERE investigation = ?"
            number = int(db.execute(query, (name,)).fetchone()[0])
            db.execute("INSERT INTO investigation_results VALUES (?, ?, ?)", (name, number, text))
        return number

    def result(self, name: str, number: int) -> str | None:
        query = "SELECT body FROM investigation_results WHERE investigation = ? AND number = ?"
        row = self._one(query, (name, number))
        return str(row["body"]) if row else None

    def record(self, name: str, kind: str, digest: str, body: Mapping[str, Any]) -> None:
        """Put something on the tape; what was asked with the same words before is replaced."""
        with self._store.transaction() as db:
            db.execute(
                "DELETE FROM investigation_tapes WHERE investigation = ? AND kind = ? AND digest = ?",
                (name, kind, digest),
            )
            row = (name, kind, digest, json.dumps(body))
            db.execute("INSERT INTO investigation_tapes (investigation, kind, digest, body) VALUES (?, ?, ?, ?)", row)

    def tape(self, name: str) -> list[tuple[str, str, dict[str, Any]]]:
        """Kind, digest and body of all that was recorded, in its order."""
        query = "SELECT kind, digest, body FROM investigation_tapes WHERE investigation = ? ORDER BY number"
        rows = self._store.db.execute(query, (name,))
        return [(row["kind"], row["digest"], json.loads(row["body"])) for row in rows]

    def _one(self, query: str, values: tuple[Any, ...]) -> sqlite3.Row | None:
        try:
            found: sqlite3.Row | None = self._store.db.execute(query, values).fetchone()
        except sqlite3.Error as error:
            raise StoreUnusable(f"the store {self._store.path} cannot be read ({error}).") from None
        return found
