"""The schema, step by step: each function runs once, in its own transaction, in this order."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable


def m001_audit(db: sqlite3.Connection) -> None:
    """`hash` covers the record and the hash before it; `head` remembers where the log ends."""
    db.execute(
        "CREATE TABLE audit (seq INTEGER PRIMARY KEY, record TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL)"
    )
    db.execute(
        "CREATE TABLE audit_head (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL)"
    )


def m002_actions(db: sqlite3.Connection) -> None:
    db.execute(
        "CREATE TABLE actions (id TEXT PRIMARY KEY, status TEXT NOT NULL, principal TEXT NOT NULL, idempotency TEXT,"
        " change_digest TEXT NOT NULL, digest TEXT NOT NULL, created REAL NOT NULL, expires REAL NOT NULL,"
        " body TEXT NOT NULL)"
    )
    db.execute("CREATE UNIQUE INDEX actions_idempotency ON actions (principal, idempotency) WHERE idempotency <> ''")
    db.execute("CREATE INDEX actions_status ON actions (status)")


def m003_recommendations(db: sqlite3.Connection) -> None:
    db.execute(
        "CREATE TABLE recommendations (id TEXT PRIMARY KEY, principal TEXT NOT NULL, created REAL NOT NULL,"
        " body TEXT NOT NULL)"
    )


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (m001_audit, m002_actions, m003_recommendations)


def migrate(db: sqlite3.Connection) -> None:
    """Bring the file to the newest schema; `user_version` counts the steps taken."""
    for number, step in enumerate(MIGRATIONS, 1):
        db.execute("BEGIN IMMEDIATE")
        if db.execute("PRAGMA user_version").fetchone()[0] < number:
            step(db)
            db.execute(f"PRAGMA user_version = {number}")
        db.execute("COMMIT")
