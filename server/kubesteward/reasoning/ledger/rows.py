"""The rows of the ledger: what was used, what is held by calls under way, and their sums. SQL and nothing else."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from kubesteward.reasoning.ledger.budgets import SCOPES, Scope, Unit, midnight, subject_of
from kubesteward.reasoning.ledger.words import Counted, Payer, Seller, total

LONGEST_CALL = 3600.0
"""Seconds for which a hold counts beyond midnight: no call to a brain takes longer."""

COLUMNS: dict[Scope, str] = {"session": "session", "user": "principal", "feature": "feature"}
_SUMS: dict[Unit, str] = {"usd": "COALESCE(SUM(money), 0)", "tokens": "COALESCE(SUM(tokens), 0)"}


@dataclass(frozen=True, slots=True)
class Held:
    """The most that a call under way may use up; `money` is None where nobody knows its price."""

    id: str
    at: float
    tokens: int
    money: int | None


def enter(  # noqa: PLR0917 - the columns of one row
    db: sqlite3.Connection,
    at: float,
    payer: Payer,
    seller: Seller,
    counted: Counted,
    money: int | None,
    *,
    cached: bool = False,
    saved: int | None = None,
) -> int:
    """Write down what was used; the row's number. What came from an answer that was paid before used nothing."""
    who = (payer.principal, payer.session, payer.investigation, payer.correlation, payer.feature)
    sorts = (counted.input, counted.output, counted.cache_read, counted.cache_write, counted.reasoning)
    values = (at, *who, seller.provider, seller.model, *sorts, money, cached, saved)
    marks = ", ".join("?" * len(values))
    row = db.execute(f"INSERT INTO usage VALUES (NULL, {marks})", values)  # noqa: S608 - question marks
    if not cached:
        _add(db, at, payer, total(counted), money or 0)
    return int(row.lastrowid or 0)


def _add(db: sqlite3.Connection, at: float, payer: Payer, tokens: int, money: int) -> None:
    day = int(midnight(at))
    db.executemany(
        "INSERT INTO spent VALUES (?, ?, ?, ?, ?) ON CONFLICT (day, scope, subject)"
        " DO UPDATE SET tokens = tokens + excluded.tokens, money = money + excluded.money",
        [(day, scope, subject_of(payer, scope), tokens, money) for scope in SCOPES],
    )


def hold(db: sqlite3.Connection, payer: Payer, held: Held) -> None:
    who = (payer.principal, payer.session, payer.feature, payer.investigation)
    db.execute("INSERT INTO holds VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (held.id, held.at, *who, held.tokens, held.money))


def let_go(db: sqlite3.Connection, hold_id: str) -> bool:
    """Whether it was still there."""
    return db.execute("DELETE FROM holds WHERE id = ?", (hold_id,)).rowcount > 0


def forget_before(db: sqlite3.Connection, day: float, now: float) -> None:
    """What counts no more: sums of days that are over, and holds whose calls ended without anybody hearing of it."""
    db.execute("DELETE FROM holds WHERE at < ?", (min(day, now - LONGEST_CALL),))
    db.execute("DELETE FROM spent WHERE day < ?", (int(day),))


def used(db: sqlite3.Connection, scope: Scope, subject: str, unit: Unit, day: float) -> int:
    """Of the day that began then."""
    query = f"SELECT {_SUMS[unit]} FROM spent WHERE day = ? AND scope = ? AND subject = ?"  # noqa: S608 - constants
    return int(db.execute(query, (int(day), scope, subject)).fetchone()[0])


def held(db: sqlite3.Connection, scope: Scope, subject: str, unit: Unit) -> int:
    query = f"SELECT {_SUMS[unit]} FROM holds WHERE {COLUMNS[scope]} = ?"  # noqa: S608 - constants
    return int(db.execute(query, (subject,)).fetchone()[0])
