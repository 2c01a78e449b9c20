"""Re-derives the whole chain and names the first record that does not fit. Reads only; needs no running server."""

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
    """`broken` is the number of the first record that does not fit, None when all do."""

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
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    db.row_factory = sqlite3.Row
    try:
        return check(db)
    except sqlite3.DatabaseError as error:
        return Verification(False, 0, broken=0, reason=f"the file cannot be read as a database: {error}")
    finally:
        db.close()


def check(db: sqlite3.Connection) -> Verification:
    previous, count = GENESIS, 0
    for row in db.execute("SELECT seq, record, previous, hash FROM audit ORDER BY seq"):
        count += 1
        if why := _wrong(row, count, previous):
            return Verification(False, count, broken=count, reason=f"record {count}: {why}")
        previous = row["hash"]
    head = db.execute("SELECT seq, hash FROM audit_head WHERE id = 1").fetchone()
    expected = (head["seq"], head["hash"]) if head else (0, GENESIS)
    if expected != (count, previous):
        why = f"the log ends at record {count}, but {expected[0]} were written"
        return Verification(False, count, broken=count + 1, reason=why)
    return Verification(True, count, previous)


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
