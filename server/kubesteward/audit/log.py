"""Appending: inside one transaction, so that two processes write one chain and never a fork."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from kubesteward.audit.chain import GENESIS, hash_of, link
from kubesteward.store.store import Store


class AuditLog:
    def __init__(self, store: Store) -> None:
        self._store = store

    def intact(self) -> bool:
        """Whether the log ends where it is said to end; `verify` re-derives all of it."""
        db = self._store.db
        last = db.execute("SELECT seq, record, previous, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
        head = db.execute("SELECT seq, hash FROM audit_head WHERE id = 1").fetchone()
        if last is None or head is None:
            return last is None and head is None
        return (last["seq"], last["hash"]) == (head["seq"], head["hash"]) and hash_of(
            last["previous"], last["record"]
        ) == last["hash"]

    def append(self, record: Mapping[str, Any]) -> int:
        """Write one record, durably, and return its number (from 1).

        Raises:
            StoreUnusable: it could not be written; whatever it was to precede must not happen.
            ValueError: the record is not JSON.
        """
        with self._store.transaction() as db:
            row = db.execute("SELECT seq, hash FROM audit_head WHERE id = 1").fetchone()
            seq, previous = (row["seq"] + 1, row["hash"]) if row else (1, GENESIS)
            text, mark = link(previous, {"seq": seq, "at": round(time.time(), 6), **record})
            db.execute("INSERT INTO audit VALUES (?, ?, ?, ?)", (seq, text, previous, mark))
            db.execute(
                "INSERT INTO audit_head VALUES (1, ?, ?) ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash",
                (seq, mark),
            )
        return seq
