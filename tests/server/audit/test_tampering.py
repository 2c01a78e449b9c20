"""Whatever is done to the rows of a log, verification names the record and the field; what no row shows any more,
the signed checkpoints and their anchor show."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubesteward.audit import log as log_module
from kubesteward.audit.chain import GENESIS, hash_of, link
from kubesteward.audit.checkpoint import PRIVATE, PUBLIC, Signer, public_key
from kubesteward.audit.log import AuditLog
from kubesteward.audit.standalone import leaf_hash
from kubesteward.audit.tree import Frontier
from kubesteward.audit.verify import Verification, check, verify
from kubesteward.store.migrations import MIGRATIONS
from kubesteward.store.store import FILE, Store

RECORDS = 9
Rows = list[tuple[int, str, str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("state")
    _grow(made, RECORDS)
    return made


def _grow(folder: Path, records: int, anchor: Path | None = None, text: str = "täxt") -> None:
    with closing(Store.open(folder)) as store:
        log = AuditLog(store, anchor)
        for number in range(records):
            log.append({"type": "test", "number": number, "text": f"{text} {number}"})


def _after(folder: Path, tamper: Callable[[sqlite3.Connection], object]) -> Verification:
    """The verdict on a copy that was tampered with."""
    with closing(sqlite3.connect(folder / FILE)) as source, closing(sqlite3.connect(":memory:")) as copy:
        source.backup(copy)
        with copy:
            tamper(copy)
        return check(copy, key=public_key(folder))


def _rewrite(db: sqlite3.Connection, rows: Rows) -> None:
    db.execute("DELETE FROM audit")
    db.executemany("INSERT INTO audit VALUES (?, ?, ?, ?)", rows)


def _rows(db: sqlite3.Connection) -> Rows:
    return db.execute("SELECT * FROM audit ORDER BY seq").fetchall()


def _forge(db: sqlite3.Connection, texts: list[str]) -> None:
    """A whole chain and tree over other records, as one makes them who knows everything but the key."""
    rows, head, frontier = [], GENESIS, Frontier()
    for seq, text in enumerate(texts, 1):
        rows.append((seq, text, head, hash_of(head, text)))
        head, frontier = rows[-1][3], frontier.add(leaf_hash(text.encode()))
    _rewrite(db, rows)
    db.execute("UPDATE audit_head SET seq = ?, hash = ?, frontier = ?", (len(rows), head, frontier.text()))


@pytest.mark.requirement("audit.chain")
@settings(max_examples=250, deadline=None)
@given(
    seq=st.integers(1, RECORDS),
    field=st.sampled_from(["record", "previous", "hash"]),
    place=st.integers(0, 500),
    change=st.integers(1, 255),
)
def test_any_byte_of_any_row_is_named_with_record_and_field(
    folder: Path, seq: int, field: str, place: int, change: int
) -> None:
    def tamper(db: sqlite3.Connection) -> None:
        query = f"SELECT CAST({field} AS BLOB) FROM audit WHERE seq = ?"
        data = bytearray(db.execute(query, (seq,)).fetchone()[0])
        data[place % len(data)] ^= change
        db.execute(f"UPDATE audit SET {field} = CAST(? AS TEXT) WHERE seq = ?", (bytes(data), seq))

    found = _after(folder, tamper)

    assert (False, seq, field, seq - 1) == (found.ok, found.broken, found.field, found.records)


@settings(max_examples=60, deadline=None)
@given(first=st.integers(1, RECORDS), second=st.integers(1, RECORDS))
def test_two_rows_that_changed_places_are_named(folder: Path, first: int, second: int) -> None:
    def tamper(db: sqlite3.Connection) -> None:
        rows = _rows(db)
        rows[first - 1], rows[second - 1] = (first, *rows[second - 1][1:]), (second, *rows[first - 1][1:])
        _rewrite(db, rows)

    found = _after(folder, tamper)

    assert (first == second, None if first == second else min(first, second)) == (found.ok, found.broken)


@settings(max_examples=40, deadline=None)
@given(seq=st.integers(1, RECORDS + 1), fitting=st.booleans())
def test_a_row_that_was_put_in_is_named(folder: Path, seq: int, fitting: bool) -> None:
    """Even one that fits what stands before it."""

    def tamper(db: sqlite3.Connection) -> None:
        rows = _rows(db)
        before = rows[seq - 2][3] if seq > 1 else GENESIS
        text, mark = link(before if fitting else "f" * 64, {"type": "never", "seq": seq, "at": 1.0})
        moved = [(number + 1, *rest) for number, *rest in rows[seq - 1 :]]
        _rewrite(db, [*rows[: seq - 1], (seq, text, before, mark), *moved])  # type: ignore[list-item]

    found = _after(folder, tamper)

    assert not found.ok
    assert found.broken == (seq + 1 if fitting and seq <= RECORDS else seq)


@settings(max_examples=40, deadline=None)
@given(start=st.integers(1, RECORDS), count=st.integers(1, RECORDS))
def test_rows_that_were_taken_out_are_named(folder: Path, start: int, count: int) -> None:
    found = _after(
        folder, lambda db: db.execute("DELETE FROM audit WHERE seq >= ? AND seq < ?", (start, start + count))
    )

    assert (False, start, "seq") == (found.ok, found.broken, found.field)


@settings(max_examples=30, deadline=None)
@given(kept=st.integers(0, RECORDS - 1))
def test_a_tail_cut_off_with_a_recorded_end_that_fits_breaks_the_checkpoint(folder: Path, kept: int) -> None:
    def tamper(db: sqlite3.Connection) -> None:
        _forge(db, [row[1] for row in _rows(db)[:kept]])

    found = _after(folder, tamper)

    assert (False, kept + 1) == (found.ok, found.broken)
    assert f"the log ends at record {kept}, but {RECORDS} were signed" in found.reason


@settings(max_examples=30, deadline=None)
@given(seq=st.integers(1, RECORDS))
def test_a_log_made_anew_without_the_key_breaks_the_checkpoint(folder: Path, seq: int) -> None:
    def tamper(db: sqlite3.Connection) -> None:
        texts = [row[1] for row in _rows(db)]
        texts[seq - 1] = texts[seq - 1].replace("täxt", "text")
        _forge(db, texts)

    found = _after(folder, tamper)

    assert (found.ok, found.field) == (False, "checkpoint")
    assert f"a record from 1 to {RECORDS} was rewritten" in found.reason


@pytest.mark.parametrize(
    ("statement", "field"),
    [
        ("UPDATE audit_head SET frontier = replace(frontier, substr(frontier, 1, 8), 'deadbeef')", "head"),
        ("UPDATE audit_head SET hash = 'f'", "head"),
        ("UPDATE audit_head SET seq = 3", "seq"),
        ("DELETE FROM audit_head", "head"),
        ("DELETE FROM audit_checkpoints", "checkpoint"),
        ("UPDATE audit_checkpoints SET note = replace(note, '9', '8')", "checkpoint"),
        ("UPDATE audit_checkpoints SET size = 4", "checkpoint"),
    ],
)
def test_what_stands_beside_the_rows_is_verified_too(folder: Path, statement: str, field: str) -> None:
    found = _after(folder, lambda db: db.execute(statement))

    assert (False, field) == (found.ok, found.field)


def test_some_checkpoints_are_kept_and_narrow_down_what_was_rewritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "KEEP_EVERY", 4)
    _grow(tmp_path, 10)
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        sizes = [row[0] for row in db.execute("SELECT size FROM audit_checkpoints ORDER BY size")]

    def tamper(db: sqlite3.Connection) -> None:
        texts = [row[1] for row in _rows(db)]
        _forge(db, [*texts[:5], texts[5].replace("täxt", "text"), *texts[6:]])

    found = _after(tmp_path, tamper)

    assert sizes == [4, 8, 10]
    assert (found.broken, found.records) == (5, 4)
    assert "a record from 5 to 8 was rewritten" in found.reason


@pytest.fixture
def anchored(tmp_path: Path) -> tuple[Path, Path]:
    """A log's folder and its anchor."""
    state, anchor = tmp_path / "state", tmp_path / "anchor.jsonl"
    _grow(state, RECORDS, anchor)
    return state, anchor


def test_the_anchor_has_every_checkpoint(anchored: tuple[Path, Path]) -> None:
    found = verify(*anchored)

    assert (found.ok, found.signed, found.anchored) == (True, RECORDS, RECORDS)
    assert len(anchored[1].read_text("utf-8").splitlines()) == RECORDS
    assert verify(anchored[0]).anchored == 0


@pytest.mark.requirement("audit.anchor")
def test_a_log_put_back_to_an_older_copy_breaks_the_anchor(anchored: tuple[Path, Path], tmp_path: Path) -> None:
    """Everything in the folder is sound then, the signatures too."""
    state, anchor = anchored
    before = {path.name: path.read_bytes() for path in state.iterdir()}
    _grow(state, 3, anchor)
    for name, data in before.items():
        (state / name).write_bytes(data)
    found = verify(state, anchor)

    assert verify(state).ok
    assert (found.ok, found.broken) == (False, RECORDS + 1)
    assert f"the log ends at record {RECORDS}, but {RECORDS + 3} were signed (line {RECORDS + 3} of" in found.reason


@pytest.mark.requirement("audit.anchor")
def test_a_log_rewritten_with_the_stolen_key_breaks_the_anchor(anchored: tuple[Path, Path]) -> None:
    state, anchor = anchored
    signer = Signer(state)
    with closing(sqlite3.connect(state / FILE)) as db, db:
        texts = [row[1] for row in _rows(db)]
        _forge(db, [*texts[:-3], texts[-3].replace("täxt", "text"), *texts[-2:]])
        frontier = Frontier.parse(RECORDS, db.execute("SELECT frontier FROM audit_head").fetchone()[0])
        db.execute("UPDATE audit_checkpoints SET note = ?", (signer.sign(RECORDS, frontier.root()),))
    found = verify(state, anchor)

    assert verify(state).ok
    assert (found.ok, found.broken) == (False, RECORDS - 2)
    assert f"line {RECORDS - 2} of the anchor" in found.reason


def test_a_log_begun_anew_with_another_key_breaks_anchor_and_trust(anchored: tuple[Path, Path]) -> None:
    state, anchor = anchored
    trusted = public_key(state)
    for name in (PRIVATE, PUBLIC, FILE):
        (state / name).unlink()
    _grow(state, RECORDS)

    assert verify(state).ok
    assert "line 1 of the anchor is no checkpoint of this log" in verify(state, anchor).reason
    assert "not signed by the key you trust" in verify(state, key=trusted).reason


def test_an_anchor_that_cannot_be_read_is_told(anchored: tuple[Path, Path]) -> None:
    state, anchor = anchored
    with anchor.open("a") as file:
        file.write("{}\n")

    assert f"line {RECORDS + 1} of the anchor cannot be read" in verify(state, anchor).reason


def test_what_was_taken_back_is_not_anchored(anchored: tuple[Path, Path]) -> None:
    state, anchor = anchored
    with closing(Store.open(state)) as store:
        log = AuditLog(store, anchor)
        with pytest.raises(ValueError, match="cannot be part"), store.transaction():
            log.append({"type": "taken back"}) and log.append({"type": {"no", "json"}})
        with store.transaction():
            log.append({"type": "kept"})
            log.append({"type": "kept too"})
    found = verify(state, anchor)

    assert (found.ok, found.records, found.anchored) == (True, RECORDS + 2, RECORDS + 2)


@pytest.mark.anyio
async def test_where_the_anchor_cannot_be_written_the_log_is_not_intact_until_it_can(tmp_path: Path) -> None:
    anchor = tmp_path / "not mounted" / "anchor.jsonl"
    with closing(Store.open(tmp_path / "state")) as store:
        log = AuditLog(store, anchor)
        log.append({"type": "test"})
        first = await log.intact()
        anchor.parent.mkdir()
        second = await log.intact()

    assert (first.ok, first.field) == (False, "anchor")
    assert second.ok
    assert verify(tmp_path / "state", anchor).anchored == 1


def test_a_log_of_an_older_version_is_verified_and_then_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    (tmp_path / FILE).touch()
    with closing(sqlite3.connect(folder / FILE)) as new, closing(sqlite3.connect(tmp_path / FILE)) as old, old:
        for step in MIGRATIONS[:6]:
            step(old)
        old.execute("PRAGMA user_version = 6")
        old.executemany("INSERT INTO audit VALUES (?, ?, ?, ?)", _rows(new))
        old.execute(
            "INSERT INTO audit_head VALUES (1, ?, ?)", new.execute("SELECT seq, hash FROM audit_head").fetchone()
        )
    before = verify(tmp_path)
    Store.open(tmp_path).close()
    migrated = verify(tmp_path)
    _grow(tmp_path, 1)
    after = verify(tmp_path)

    assert (before.ok, before.records, before.signed) == (True, RECORDS, 0)
    assert (True, RECORDS, 0, before.root) == (migrated.ok, migrated.records, migrated.signed, migrated.root)
    assert (after.ok, after.records, after.signed) == (True, RECORDS + 1, RECORDS + 1)


def test_the_key_is_in_no_record_and_no_checkpoint(folder: Path) -> None:
    key = (folder / PRIVATE).read_text().splitlines()[1]

    assert key.encode() not in (folder / FILE).read_bytes()
    assert hashlib.sha256(key.encode()).hexdigest().encode() not in (folder / FILE).read_bytes()
