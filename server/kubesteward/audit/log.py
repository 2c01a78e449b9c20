"""Appending: inside one transaction, so that two processes write one chain and never a fork."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Mapping
from typing import Any

from kubesteward.audit.chain import GENESIS, link
from kubesteward.audit.verify import Verification, check, verify
from kubesteward.store.store import Store


class AuditLog:
    """The log of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._trusted: tuple[int, str] | None = None

    async def intact(self) -> Verification:
        """The verdict on the log: on all of it the first time, then on what has come since.

        What is older than this process's last look is not looked at again; `kubesteward audit verify` does.
        """
        if self._trusted is None:
            found = await asyncio.to_thread(verify, self._store.path.parent)
        else:
            try:
                found = check(self._store.db, *self._trusted)
            except sqlite3.DatabaseError as error:
                found = Verification(False, 0, broken=0, reason=f"the log cannot be read: {error}")
        self._trusted = (found.records, found.head) if found.ok else None
        return found

    def append(self, record: Mapping[str, Any]) -> int:
        """Write one record, durably and without secrets, and return its number (from 1).

        Raises:
            StoreUnusable: it could not be written; whatever it was to precede must not happen.
            ValueError: the record is not JSON.
        """
        from kubesteward_tools.text.redact import redact_object

        kept = redact_object(dict(record))
        with self._store.transaction() as db:
            row = db.execute("SELECT seq, hash FROM audit_head WHERE id = 1").fetchone()
            seq, previous = (row["seq"] + 1, row["hash"]) if row else (1, GENESIS)
            text, mark = link(previous, {**kept, "seq": seq, "at": round(time.time(), 6)})
            db.execute("INSERT INTO audit VALUES (?, ?, ?, ?)", (seq, text, previous, mark))
            db.execute(
                "INSERT INTO audit_head VALUES (1, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash",
                (seq, mark),
            )
        return int(seq)
