"""Opens the store and runs transactions on it. Several processes may hold it: writes are short and take turns (WAL)."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kubesteward.store.migrations import TooNew, migrate
from kubesteward_tools.errors import AskAgain

FILE = "kubesteward.db"
_BUSY_SECONDS = 10.0
_RETRY_SECONDS = 0.005
_DURABLE = "PRAGMA synchronous = FULL"


class StoreUnusable(AskAgain):
    """The store cannot be opened or written: observation goes on, mutation stops."""

    code = "STORE_UNUSABLE"


class Store:
    """One connection to one file, to be used by one thread."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self.db = db
        self.path = path
        self._file = _identity(path)
        self._depth = 0
        self._then: dict[str, Callable[[], object]] = {}

    @classmethod
    def exists(cls, state_dir: Path) -> bool:
        return (Path(state_dir) / FILE).exists()

    @classmethod
    def open(cls, state_dir: Path) -> Store:
        """The store in a folder, made if it is missing; folder and file are the owner's alone.

        Raises:
            StoreUnusable: the folder or the file cannot be used; says which and why.
        """
        path = Path(state_dir) / FILE
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # SQLite gives its -wal and -shm files the mode of the main one, so this protects all three.
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
            db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            db.row_factory = sqlite3.Row
            _use_wal(db)
            db.execute(_DURABLE)
            migrate(db)
            return cls(db, path)
        except (OSError, sqlite3.Error) as error:
            todo = "Set KUBESTEWARD_STATE_DIR to a folder that can be written."
            raise StoreUnusable(f"the store {path} cannot be used ({error}).", todo=todo) from None
        except TooNew as error:
            raise StoreUnusable(f"the store {path} {error}.", todo="Upgrade, or use another folder.") from None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, and nobody else in between. A transaction inside another one is part of it.

        Raises:
            StoreUnusable: the file cannot be written. sqlite3.IntegrityError: a rule of the schema is broken.
        """
        if self._depth:
            yield self.db
            return
        self._look_for_file()
        try:
            self.db.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield self.db
                self.db.execute("COMMIT")
                then = tuple(self._then.values())
            finally:
                self._depth = 0
                self._then.clear()
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            todo = "Free the disk or the lock, then ask again."
            raise StoreUnusable(f"the store {self.path} cannot be written ({error}).", todo=todo) from None
        for call in then:
            call()

    def after(self, name: str, call: Callable[[], object]) -> None:
        """Within a transaction: call it once that stands; of several calls of one name only the last."""
        self._then[name] = call

    def _look_for_file(self) -> None:
        """SQLite goes on writing into a file that was removed or replaced, where nobody would ever read it."""
        try:
            found = _identity(self.path)
        except OSError:
            found = None
        if found != self._file:
            todo = "Start the server anew; until then it only reads."
            raise StoreUnusable(f"the store {self.path} was removed or replaced.", todo=todo)

    def probe(self) -> None:
        """Write something that changes nothing: as all writes, but without waiting for the disk to have it.

        Raises:
            StoreUnusable: the file cannot be written.
        """
        try:
            with self._hasty(), self.transaction() as db:
                db.execute("UPDATE probe SET count = count + 1 WHERE id = 1")
        except sqlite3.Error as error:
            raise StoreUnusable(f"the store {self.path} cannot be written ({error}).") from None

    @contextmanager
    def _hasty(self) -> Iterator[None]:
        """What is committed inside may be lost with the machine's power, until the next commit outside."""
        if self._depth:  # part of a transaction that has begun otherwise
            yield
            return
        self.db.execute("PRAGMA synchronous = NORMAL")
        try:
            yield
        finally:
            self.db.execute(_DURABLE)

    def close(self) -> None:
        self.db.close()


def _use_wal(db: sqlite3.Connection) -> None:
    """Turn a new file to WAL. While another process does the same SQLite says busy at once, without its time to wait
    (its busy handler is not asked where two could wait for each other), so the waiting is done here.
    """
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_SECONDS)
        else:
            return


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino
