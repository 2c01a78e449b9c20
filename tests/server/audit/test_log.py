"""What happened, in a chain that shows when somebody has been at it."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubesteward.audit.log import AuditLog
from kubesteward.audit.verify import Verification, check, verify
from kubesteward.store.store import FILE, Store

RECORDS = 8
Tamper = Callable[[sqlite3.Connection, int], object]


def _log(folder: Path, records: int = RECORDS) -> Store:
    store = Store.open(folder)
    log = AuditLog(store)
    for number in range(records):
        log.append({"type": "test", "number": number, "text": f"täxt {number}"})
    return store


def test_an_empty_log_is_intact(tmp_path: Path) -> None:
    Store.open(tmp_path).close()

    assert verify(tmp_path).ok
    assert verify(tmp_path).records == 0


def test_records_are_numbered_and_kept_in_canonical_json(tmp_path: Path) -> None:
    store = _log(tmp_path)
    rows = store.db.execute("SELECT seq, record FROM audit ORDER BY seq").fetchall()

    assert [row["seq"] for row in rows] == list(range(1, RECORDS + 1))
    assert list(json.loads(rows[0]["record"])) == ["at", "number", "seq", "text", "type"]
    assert verify(tmp_path).records == RECORDS


def test_a_caller_cannot_choose_number_or_time(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    AuditLog(store).append({"seq": 77, "at": 0.0})
    record = json.loads(store.db.execute("SELECT record FROM audit").fetchone()[0])

    assert record["seq"] == 1
    assert record["at"] > 0


def test_secrets_do_not_enter(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    AuditLog(store).append(
        {"arguments": {"password": "hunter2-correct"}, "reason": "token=ghp_0123456789abcdefghijABCDEFGHIJ012345"}
    )
    store.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert b"hunter2" not in kept
    assert b"ghp_" not in kept


def test_a_record_that_is_not_json_is_refused_and_leaves_the_log_as_it_was(tmp_path: Path) -> None:
    store = _log(tmp_path, 1)
    with pytest.raises(ValueError, match="cannot be part of a digest"):
        AuditLog(store).append({"set": {1, 2}})

    assert verify(tmp_path).records == 1


def _byte(db: sqlite3.Connection, seq: int) -> None:
    db.execute("UPDATE audit SET record = replace(record, '\"test\"', '\"tEst\"') WHERE seq = ?", (seq,))


def _space(db: sqlite3.Connection, seq: int) -> None:
    db.execute("UPDATE audit SET record = record || ' ' WHERE seq = ?", (seq,))


def _delete(db: sqlite3.Connection, seq: int) -> None:
    db.execute("DELETE FROM audit WHERE seq = ?", (seq,))


def _cut(db: sqlite3.Connection, seq: int) -> None:
    db.execute("DELETE FROM audit WHERE seq >= ?", (seq,))


def _hash(db: sqlite3.Connection, seq: int) -> None:
    db.execute("UPDATE audit SET hash = ? WHERE seq = ?", ("f" * 64, seq))


def _previous(db: sqlite3.Connection, seq: int) -> None:
    db.execute("UPDATE audit SET previous = ? WHERE seq = ?", ("f" * 64, seq))


def _swap(db: sqlite3.Connection, seq: int) -> None:
    """With its neighbour, from which on nothing fits."""
    other = seq % RECORDS + 1
    low, high = sorted((seq, other))
    for start, end in ((low, -1), (high, low), (-1, high)):
        db.execute("UPDATE audit SET seq = ? WHERE seq = ?", (end, start))


@pytest.mark.requirement("audit.chain")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tamper=st.sampled_from([_byte, _space, _delete, _cut, _hash, _previous, _swap]),
    seq=st.integers(1, RECORDS),
)
def test_whatever_is_done_to_the_log_the_first_broken_record_is_named(tmp_path: Path, tamper: Tamper, seq: int) -> None:
    source = _log(tmp_path) if not (tmp_path / FILE).exists() else Store.open(tmp_path)
    copy = sqlite3.connect(":memory:")
    copy.row_factory = sqlite3.Row
    source.db.backup(copy)
    source.close()
    with copy:
        tamper(copy, seq)
    found = check(copy)
    copy.close()
    expected = min(seq, seq % RECORDS + 1) if tamper is _swap else seq

    assert not found.ok
    assert found.broken == expected
    assert found.records == expected - 1


def test_a_rewritten_chain_does_not_fit_its_recorded_end(tmp_path: Path) -> None:
    store = _log(tmp_path)
    other = _log(tmp_path / "other")
    forged = [tuple(row) for row in other.db.execute("SELECT * FROM audit")]
    store.db.execute("DELETE FROM audit")
    store.db.executemany("INSERT INTO audit VALUES (?, ?, ?, ?)", forged)

    assert not verify(tmp_path).ok


def test_a_log_without_its_recorded_end_is_broken(tmp_path: Path) -> None:
    store = _log(tmp_path)
    store.db.execute("DELETE FROM audit_head")

    assert not verify(tmp_path).ok


def test_a_file_that_is_no_database_is_reported(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"nothing of that kind" * 100)

    assert "cannot be read as a database" in verify(tmp_path).reason


def test_a_folder_without_a_store_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no audit log"):
        verify(tmp_path)


@pytest.mark.anyio
async def test_the_running_server_looks_at_what_has_come_since_its_last_look(tmp_path: Path) -> None:
    store = _log(tmp_path)
    log = AuditLog(store)
    first = await log.intact()
    log.append({"type": "one more"})
    second = await log.intact()
    _byte(store.db, RECORDS + 1)
    log.append({"type": "test"})
    _cut(store.db, RECORDS + 2)

    assert (first.ok, first.records) == (True, RECORDS)
    assert (second.ok, second.records) == (True, RECORDS + 1)
    assert (await log.intact()).broken == RECORDS + 2
    assert (await log.intact()).broken == RECORDS + 2


@pytest.mark.anyio
async def test_a_log_that_was_broken_before_the_start_is_noticed(tmp_path: Path) -> None:
    store = _log(tmp_path)
    _byte(store.db, 3)

    assert (await AuditLog(store).intact()).broken == 3


APPENDING = """
import sys
from pathlib import Path
from kubesteward.audit.log import AuditLog
from kubesteward.store.store import Store
log = AuditLog(Store.open(Path(sys.argv[1])), Path(sys.argv[1]) / "anchor.jsonl")
for number in range(int(sys.argv[3])):
    log.append({"process": sys.argv[2], "number": number})
"""


def together(folder: Path, processes: int, records: int) -> Verification:
    """What becomes of a log that several processes write at once, the first of them from its very beginning."""
    words = [sys.executable, "-c", APPENDING, str(folder)]
    started = [subprocess.Popen([*words, str(name), str(records)]) for name in range(processes)]
    codes = [process.wait(120) for process in started]

    assert codes == [0] * processes
    return verify(folder, folder / "anchor.jsonl")


@pytest.mark.parametrize(("processes", "records"), [(4, 25), pytest.param(2, 2000, marks=pytest.mark.slow)])
@pytest.mark.requirement("audit.one-writer")
def test_several_processes_write_one_chain_one_tree_and_one_anchor(
    tmp_path: Path, processes: int, records: int
) -> None:
    found, total = together(tmp_path, processes, records), processes * records
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        written = [json.loads(row[0]) for row in db.execute("SELECT record FROM audit ORDER BY seq")]
    by_process = [[item["number"] for item in written if item["process"] == str(name)] for name in range(processes)]

    assert (found.ok, found.records, found.signed, found.anchored) == (True, total, total, total)
    assert by_process == [list(range(records))] * processes
