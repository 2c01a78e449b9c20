"""Re-derives the chain and names the first record that does not fit. Reads only; needs no running server."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubesteward.audit.chain import GENESIS, hash_of
from kubesteward.store.store import FILE
from kubesteward_policies.digest import canonical_json


@dataclass(frozen=True, slots=True)
class Verification:
    """`broken` is the number of the first record that does not fit, None when all do; `records` counts good ones."""

    ok: bool
    records: int
    head: str = ""
    broken: int | None = None
    reason: str = ""


def verify(state_dir: Path) -> Verification:
    """The verdict on the log in a state folder.

    Raises:
        FileNotFoundError: there is no store in that folder.
    """
    path = Path(state_dir) / FILE
    if not path.exists():
        raise FileNotFoundError(f"there is no audit log in {state_dir}; --state-dir names another folder")
    try:
        db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as error:
        return _unreadable(error)
    db.row_factory = sqlite3.Row
    try:
        return check(db)
    except sqlite3.DatabaseError as error:
        return _unreadable(error)
    finally:
        db.close()


def _unreadable(error: sqlite3.Error) -> Verification:
    return Verification(False, 0, broken=0, reason=f"the file cannot be read as a database: {error}")


def check(db: sqlite3.Connection, after: int = 0, previous: str = GENESIS) -> Verification:
    """The verdict on the records after number `after`, whose hash is `previous`."""
    number = after
    # One statement sees one state of the file, so that a record appended meanwhile is not taken for a broken end.
    rows = db.execute(
        "SELECT a.seq, a.record, a.previous, a.hash, h.seq AS last, h.hash AS head"
        " FROM audit_head h LEFT JOIN audit a ON a.seq > ? ORDER BY a.seq",
        (after,),
    ).fetchall()
    if not rows:
        lost = db.execute("SELECT count(*) FROM audit").fetchone()[0]
        why = "the log's end is not recorded any more"
        return Verification(False, 0, broken=1, reason=why) if lost or after else Verification(True, 0, GENESIS)
    for row in rows:
        if row["seq"] is None:
            break
        if why := _wrong(row, number + 1, previous):
            return Verification(False, number, previous, number + 1, f"record {number + 1}: {why}")
        number, previous = number + 1, row["hash"]
    expected = rows[0]["last"], rows[0]["head"]
    if expected != (number, previous):
        why = f"the log ends at record {number}, but {expected[0]} were written"
        return Verification(False, number, previous, number + 1, why)
    return Verification(True, number, previous)


def _wrong(row: Any, number: int, previous: str) -> str:
    if row["seq"] != number:
        return f"it is missing (the next one is {row['seq']})"
    if row["previous"] != previous:
        return "it does not continue the record before it"
    if hash_of(previous, row["record"]) != row["hash"]:
        return "its content does not fit its hash"
    try:
        record = json.loads(row["record"])
        same = record.get("seq") == number and canonical_json(record).decode() == row["record"]
    except (ValueError, AttributeError):
        same = False
    return "" if same else "its content is not what was written"
