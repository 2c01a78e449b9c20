"""Appending: inside one transaction, so that two processes write one chain and one tree, and never a fork."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from kubesteward.audit.anchor import Anchor
from kubesteward.audit.chain import GENESIS, link
from kubesteward.audit.checkpoint import Signer, public_key
from kubesteward.audit.standalone import leaf_hash
from kubesteward.audit.tree import Frontier
from kubesteward.audit.verify import Place, Verification, check, verify
from kubesteward.audit.webhook import Webhook
from kubesteward.store.store import Store, StoreUnusable

log = logging.getLogger(__name__)

KEEP_EVERY = 256
"""Of every so many checkpoints one is kept for good, so that a rewritten stretch can be told from the rest."""


class AuditLog:
    """The log of one store. `anchor` is a file, `webhook` an address for copies of the checkpoints; `hear` is told of
    every record that this process has written, once it stands.
    """

    def __init__(
        self,
        store: Store,
        anchor: Path | None = None,
        webhook: Webhook | None = None,
        hear: Callable[[Mapping[str, Any]], object] | None = None,
    ) -> None:
        self._store = store
        self._signer = Signer(store.path.parent)
        self._anchor = Anchor(anchor) if anchor else None
        self._webhook = webhook
        self._hear = hear
        self._unanchored = ""
        self._trusted: Place | None = None

    async def intact(self) -> Verification:
        """The verdict on the log: on all of it the first time, then on what has come since.

        What is older than this process's last look is not looked at again; `kubesteward audit verify` does.
        """
        if self._trusted is None:
            anchor = self._anchor.path if self._anchor else None
            found = await asyncio.to_thread(verify, self._store.path.parent, anchor)
        else:
            try:
                found = check(self._store.db, self._trusted, key=public_key(self._store.path.parent))
            except sqlite3.DatabaseError as error:
                found = Verification(False, 0, broken=0, reason=f"the log cannot be read: {error}")
        self._trusted = found.place if found.ok else None
        if found.ok and not self._copy(self._unanchored):
            why = "its checkpoints cannot be copied to the anchor"
            return Verification(False, found.records, found.head, found.records, why, "anchor")
        return found

    @property
    def unsent(self) -> float:
        """Seconds for which the webhook has not taken what it was sent."""
        return self._webhook.failing if self._webhook is not None else 0.0

    def append(self, record: Mapping[str, Any]) -> int:
        """Write one record, durably and without secrets, and return its number (from 1).

        Raises:
            StoreUnusable: it could not be written; whatever it was to precede must not happen.
            ValueError: the record is not JSON.
        """
        from kubesteward_tools.text.redact import redact_object

        kept = redact_object(dict(record))
        with self._store.transaction() as db:
            row = db.execute("SELECT seq, hash, frontier FROM audit_head WHERE id = 1").fetchone()
            before, previous, grown = row or (0, GENESIS, "")
            seq = before + 1
            text, mark = link(previous, {**kept, "seq": seq, "at": round(time.time(), 6)})
            frontier = _frontier(before, grown).add(leaf_hash(text.encode()))
            note = self._signer.sign(seq, frontier.root())
            db.execute("INSERT INTO audit VALUES (?, ?, ?, ?)", (seq, text, previous, mark))
            db.execute(
                "INSERT INTO audit_head (id, seq, hash, frontier) VALUES (1, ?, ?, ?) ON CONFLICT (id)"
                " DO UPDATE SET seq = excluded.seq, hash = excluded.hash, frontier = excluded.frontier",
                (seq, mark, frontier.text()),
            )
            db.execute("DELETE FROM audit_checkpoints WHERE size = ? AND size % ? <> 0", (before, KEEP_EVERY))
            db.execute("INSERT INTO audit_checkpoints VALUES (?, ?)", (seq, note))
            self._store.after("anchor", partial(self._copy, note))
            if self._hear is not None:
                self._store.after(f"record {seq}", partial(self._hear, kept))
        return seq

    def _copy(self, note: str) -> bool:
        """Only what stands is copied: a checkpoint of what was taken back would make a sound log look cut."""
        if self._webhook is not None and note:
            self._webhook.add(note)
        if self._anchor is None or not note:
            return True
        try:
            self._anchor.add(note)
        except OSError as error:
            log.warning("a checkpoint of the audit log is not in its anchor: %s", error.strerror)
            self._unanchored = note
            return False
        self._unanchored = ""
        return True


def _frontier(size: int, text: str) -> Frontier:
    try:
        return Frontier.parse(size, text)
    except ValueError:
        todo = "`kubesteward audit verify` says what is wrong with it."
        raise StoreUnusable("the audit log is damaged and nothing is added to it.", todo=todo) from None
