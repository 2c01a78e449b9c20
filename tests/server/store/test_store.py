"""The file under everything that KubeSteward remembers."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from contextlib import closing
from pathlib import Path

import pytest

from kubesteward.store import migrations
from kubesteward.store import store as store_module
from kubesteward.store.store import FILE, Store, StoreUnusable


def test_a_new_store_is_its_owners_alone(tmp_path: Path) -> None:
    Store.open(tmp_path / "state").close()

    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "state" / FILE).stat().st_mode) == 0o600


def test_the_files_beside_a_store_are_its_owners_alone_too(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.probe()

    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob(f"{FILE}-*")} == {0o600}


def test_opening_twice_migrates_once(tmp_path: Path) -> None:
    first, second = Store.open(tmp_path), Store.open(tmp_path)

    assert first.db.execute("PRAGMA user_version").fetchone()[0] == len(migrations.MIGRATIONS)
    assert second.db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_two_that_make_one_store_wait_for_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE theirs (id INTEGER)")
        monkeypatch.setattr(time, "sleep", lambda _seconds: other.execute("COMMIT"))

        store = Store.open(tmp_path)

        assert store.db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_a_file_that_stays_locked_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "_BUSY_SECONDS", 0.02)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("CREATE TABLE theirs (id INTEGER)")
        other.execute("BEGIN EXCLUSIVE")

        with pytest.raises(StoreUnusable, match="database is locked"):
            Store.open(tmp_path)


def test_a_migration_that_fails_leaves_nothing_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE half (id)")
        raise sqlite3.OperationalError("the power went")

    whole = (*migrations.MIGRATIONS, half)
    monkeypatch.setattr(migrations, "MIGRATIONS", whole)
    with pytest.raises(StoreUnusable, match="the power went"):
        Store.open(tmp_path)
    monkeypatch.setattr(migrations, "MIGRATIONS", whole[:-1])
    store = Store.open(tmp_path)

    assert store.db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'half'").fetchone()[0] == 0


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.db.execute("PRAGMA user_version = 99")

    with pytest.raises(StoreUnusable, match=r"newer version of kubesteward\. Upgrade"):
        Store.open(tmp_path)


def test_what_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("this is not a database, but it is long enough to be looked at" * 20)

    with pytest.raises(StoreUnusable, match=r"kubesteward\.db cannot be used .*KUBESTEWARD_STATE_DIR"):
        Store.open(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreUnusable, match=r"file/state/kubesteward\.db cannot be used"):
        Store.open(tmp_path / "file" / "state")


def test_a_full_disk_is_said_in_one_sentence_and_changes_nothing(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    pages = store.db.execute("PRAGMA page_count").fetchone()[0]
    store.db.execute(f"PRAGMA max_page_count = {pages}")

    def fill() -> None:
        with store.transaction() as db:
            db.execute("INSERT INTO recommendations VALUES ('r', 'p', 1.0, ?)", ("x" * 100_000,))

    with pytest.raises(StoreUnusable, match=r"cannot be written \(database or disk is full\)"):
        fill()

    assert store.db.execute("SELECT count(*) FROM recommendations").fetchone()[0] == 0
    store.probe()


@pytest.mark.parametrize("anew", [False, True])
def test_a_store_that_was_removed_under_the_server_takes_no_more_writes(tmp_path: Path, *, anew: bool) -> None:
    store = Store.open(tmp_path)
    for path in tmp_path.iterdir():
        path.unlink()
    if anew:
        Store.open(tmp_path).close()

    with pytest.raises(StoreUnusable, match="was removed or replaced"):
        store.probe()


def test_a_transaction_inside_another_is_part_of_it(tmp_path: Path) -> None:
    store = Store.open(tmp_path)

    def both() -> None:
        with store.transaction():
            store.probe()
            raise KeyError("changed my mind")

    with pytest.raises(KeyError):
        both()

    assert store.db.execute("SELECT count FROM probe").fetchone()[0] == 0


def test_a_locked_store_is_reported_and_not_waited_for_for_ever(tmp_path: Path) -> None:
    holder, other = Store.open(tmp_path), Store.open(tmp_path)
    other.db.execute("PRAGMA busy_timeout = 1")
    with holder.transaction(), pytest.raises(StoreUnusable, match="database is locked"):
        other.probe()
    other.probe()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreUnusable):
        Store.open(tmp_path)


def test_after_a_probe_writes_are_waited_for_as_before(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    before = store.db.execute("PRAGMA synchronous").fetchone()[0]
    store.probe()
    with store.transaction():
        store.probe()
    assert before == store.db.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert store.db.execute("SELECT count FROM probe").fetchone()[0] == 2
