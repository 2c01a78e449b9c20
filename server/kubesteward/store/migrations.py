"""The schema, step by step: each function runs once, in one transaction with the record that it has run."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable


class TooNew(Exception):
    """The file was written by a version of this program that knows more steps."""


def m001_audit(db: sqlite3.Connection) -> None:
    """`hash` covers the record and the hash before it; `head` remembers where the log ends."""
    db.execute(
        "CREATE TABLE audit (seq INTEGER PRIMARY KEY, record TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL)"
    )
    db.execute(
        "CREATE TABLE audit_head (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL)"
    )


def m002_actions(db: sqlite3.Connection) -> None:
    """`body` is the whole record; what is looked for or compared stands in columns of its own."""
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


def m004_snapshots(db: sqlite3.Connection) -> None:
    """Apart from the actions, because what objects looked like is for going back and not for answers."""
    db.execute(
        "CREATE TABLE snapshots (action TEXT NOT NULL REFERENCES actions (id), taken REAL NOT NULL,"
        " digest TEXT NOT NULL, objects TEXT NOT NULL, PRIMARY KEY (action, digest))"
    )


def m005_probe(db: sqlite3.Connection) -> None:
    """A row to write when somebody wants to know whether the store can be written."""
    db.execute("CREATE TABLE probe (id INTEGER PRIMARY KEY, count INTEGER NOT NULL)")
    db.execute("INSERT INTO probe VALUES (1, 0)")


def m006_baselines(db: sqlite3.Connection) -> None:
    """What is usual by hour of the week: Welford's three numbers for each metric of each subject."""
    db.execute(
        "CREATE TABLE baselines (cluster TEXT NOT NULL, metric TEXT NOT NULL, subject TEXT NOT NULL,"
        " hour INTEGER NOT NULL, count INTEGER NOT NULL, mean REAL NOT NULL, m2 REAL NOT NULL,"
        " PRIMARY KEY (cluster, metric, subject, hour)) WITHOUT ROWID"
    )


def m007_audit_tree(db: sqlite3.Connection) -> None:
    """`frontier` is what the tree needs to grow; the newest checkpoint is kept, and one of every few hundred."""
    from kubesteward.audit.standalone import leaf_hash
    from kubesteward.audit.tree import Frontier

    db.execute("ALTER TABLE audit_head ADD COLUMN frontier TEXT NOT NULL DEFAULT ''")
    db.execute("CREATE TABLE audit_checkpoints (size INTEGER PRIMARY KEY, note TEXT NOT NULL)")
    frontier = Frontier()
    for row in db.execute("SELECT CAST(record AS BLOB) FROM audit ORDER BY seq"):
        frontier = frontier.add(leaf_hash(row[0]))
    db.execute("UPDATE audit_head SET frontier = ?", (frontier.text(),))


def m008_guardrails(db: sqlite3.Connection) -> None:
    """Sets of rules by their digest, and which one was in force from when on."""
    db.execute("CREATE TABLE guardrail_sets (digest TEXT PRIMARY KEY, sources TEXT NOT NULL) WITHOUT ROWID")
    db.execute(
        "CREATE TABLE guardrail_history (number INTEGER PRIMARY KEY, at REAL NOT NULL,"
        " digest TEXT NOT NULL REFERENCES guardrail_sets (digest), configured TEXT NOT NULL, how TEXT NOT NULL,"
        " principal TEXT NOT NULL, comment TEXT NOT NULL)"
    )


def m009_automatic(db: sqlite3.Connection) -> None:
    """What actions did without a person, to be counted: `what` is pods (by namespace) or restart (by workload); and
    when a person agreed to a restart, which begins that count anew (agreed).
    """
    db.execute(
        "CREATE TABLE automatic (action TEXT NOT NULL REFERENCES actions (id), at REAL NOT NULL, server TEXT NOT NULL,"
        " what TEXT NOT NULL, subject TEXT NOT NULL, amount INTEGER NOT NULL)"
    )
    db.execute("CREATE INDEX automatic_counted ON automatic (server, what, at)")
    db.execute("CREATE INDEX automatic_action ON automatic (action)")


def m010_exceptions(db: sqlite3.Connection) -> None:
    """From one rule for one change, once: `used_by` is the action that took it, `ended` when it was or ran out."""
    db.execute(
        "CREATE TABLE exceptions (id TEXT PRIMARY KEY, rule TEXT NOT NULL, change TEXT NOT NULL, action TEXT NOT NULL,"
        " grantor TEXT NOT NULL, account TEXT NOT NULL, justification TEXT NOT NULL, granted REAL NOT NULL,"
        " expires REAL NOT NULL, used_by TEXT NOT NULL DEFAULT '', ended REAL)"
    )
    db.execute("CREATE INDEX exceptions_change ON exceptions (change, rule)")


def m011_transcripts(db: sqlite3.Connection) -> None:
    """What commands in containers printed, redacted, by action and number of the call."""
    db.execute(
        "CREATE TABLE transcripts (action TEXT NOT NULL, number INTEGER NOT NULL, at REAL NOT NULL,"
        " digest TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (action, number)) WITHOUT ROWID"
    )


def m012_execution(db: sqlite3.Connection) -> None:
    """What each call of an action left, for going back; plans; and when each process was last seen alive."""
    db.execute(
        "CREATE TABLE effects (action TEXT NOT NULL REFERENCES actions (id), number INTEGER NOT NULL,"
        " object TEXT NOT NULL, PRIMARY KEY (action, number)) WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE plans (id TEXT PRIMARY KEY, principal TEXT NOT NULL, created REAL NOT NULL, body TEXT NOT NULL)"
    )
    db.execute("CREATE TABLE processes (name TEXT PRIMARY KEY, seen REAL NOT NULL) WITHOUT ROWID")


def m013_stopped(db: sqlite3.Connection) -> None:
    """The emergency stop: there is a row while it is engaged."""
    db.execute(
        "CREATE TABLE stopped (id INTEGER PRIMARY KEY CHECK (id = 1), principal TEXT NOT NULL, at REAL NOT NULL,"
        " reason TEXT NOT NULL)"
    )


def m014_brains(db: sqlite3.Connection) -> None:
    """The brains that were set up, in the order of `added`, and who wants which for what; "" is everybody and all."""
    db.execute("CREATE TABLE brains (name TEXT PRIMARY KEY, added INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID")
    db.execute(
        "CREATE TABLE brain_choices (principal TEXT NOT NULL, role TEXT NOT NULL, brains TEXT NOT NULL,"
        " may_leave INTEGER NOT NULL, PRIMARY KEY (principal, role)) WITHOUT ROWID"
    )


def m015_ledger(db: sqlite3.Connection) -> None:
    """What brains were asked and what it cost, in millionths of a dollar (NULL: nobody knows). `holds` are calls that
    are under way, at the most they may cost; `answers` were paid for; a limit of `budgets` may be missing. `spent` adds
    up `usage` by day of UTC, for every call asks what is left of a day.
    """
    db.execute(
        "CREATE TABLE usage (id INTEGER PRIMARY KEY, at REAL NOT NULL, principal TEXT NOT NULL, session TEXT NOT NULL,"
        " investigation TEXT NOT NULL, correlation TEXT NOT NULL, feature TEXT NOT NULL, provider TEXT NOT NULL,"
        " model TEXT NOT NULL, input INTEGER NOT NULL, output INTEGER NOT NULL, cache_read INTEGER NOT NULL,"
        " cache_write INTEGER NOT NULL, reasoning INTEGER NOT NULL, money INTEGER, cached INTEGER NOT NULL,"
        " saved INTEGER)"
    )
    db.execute("CREATE INDEX usage_at ON usage (at)")
    db.execute(
        "CREATE TABLE spent (day INTEGER NOT NULL, scope TEXT NOT NULL, subject TEXT NOT NULL, tokens INTEGER NOT NULL,"
        " money INTEGER NOT NULL, PRIMARY KEY (day, scope, subject)) WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE holds (id TEXT PRIMARY KEY, at REAL NOT NULL, principal TEXT NOT NULL, session TEXT NOT NULL,"
        " feature TEXT NOT NULL, investigation TEXT NOT NULL, tokens INTEGER NOT NULL, money INTEGER) WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE answers (id INTEGER PRIMARY KEY, at REAL NOT NULL, principal TEXT NOT NULL,"
        " investigation TEXT NOT NULL, ask TEXT NOT NULL, world TEXT NOT NULL, size INTEGER NOT NULL,"
        " usage INTEGER NOT NULL REFERENCES usage (id), body TEXT NOT NULL)"
    )
    db.execute("CREATE INDEX answers_ask ON answers (ask, principal, at)")
    db.execute(
        "CREATE TABLE budgets (scope TEXT NOT NULL, subject TEXT NOT NULL, unit TEXT NOT NULL, soft INTEGER,"
        " hard INTEGER, set_by TEXT NOT NULL, set_at REAL NOT NULL, PRIMARY KEY (scope, subject, unit)) WITHOUT ROWID"
    )


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    m001_audit,
    m002_actions,
    m003_recommendations,
    m004_snapshots,
    m005_probe,
    m006_baselines,
    m007_audit_tree,
    m008_guardrails,
    m009_automatic,
    m010_exceptions,
    m011_transcripts,
    m012_execution,
    m013_stopped,
    m014_brains,
    m015_ledger,
)


def migrate(db: sqlite3.Connection) -> None:
    """Bring the file to the newest schema; `user_version` counts the steps taken.

    Raises:
        TooNew: the file has steps that this program does not know. sqlite3.Error: a step failed; it left nothing.
    """
    if _taken(db) > len(MIGRATIONS):
        raise TooNew("was made by a newer version of kubesteward")
    for number, step in enumerate(MIGRATIONS, 1):
        if _taken(db) >= number:
            continue
        db.execute("BEGIN IMMEDIATE")
        try:
            if _taken(db) < number:  # another process may have been quicker
                step(db)
                db.execute(f"PRAGMA user_version = {number}")
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise


def _taken(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])
