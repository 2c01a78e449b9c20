"""The rows of the ledger: what was used, what is held by calls under way, and their sums. SQL and nothing else."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from kubesteward.reasoning.ledger.budgets import Scope, Unit
from kubesteward.reasoning.ledger.words import Counted, Payer, Seller

LONGEST_CALL = 3600.0
"""Seconds for which a hold counts beyond midnight: no call to a brain takes longer."""

COLUMNS: dict[Scope, str] = {"session": "session", "user": "principal", "feature": "feature"}
_USED: dict[Unit, str] = {
    "usd": "COALESCE(SUM(money), 0)",
    "tokens": "COALESCE(SUM(input + output + cache_read + cache_write), 0)",
}
_HELD: dict[Unit, str] = {"usd": "COALESCE(SUM(money), 0)", "tokens": "COALESCE(SUM(tokens), 0)"}


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
    return int(row.lastrowid or 0)


def hold(db: sqlite3.Connection, payer: Payer, held: Held) -> None:
    who = (payer.principal, payer.session, payer.feature, payer.investigation)
    db.execute("INSERT INTO holds VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (held.id, held.at, *who, held.tokens, held.money))


def let_go(db: sqlite3.Connection, hold_id: str) -> bool:
    """Whether it was still there."""
    return db.execute("DELETE FROM holds WHERE id = ?", (hold_id,)).rowcount > 0


def forget_before(db: sqlite3.Connection, day: float, now: float) -> None:
    """Holds of days that are over: their calls ended without anybody hearing of it, and their day counts no more."""
    db.execute("DELETE FROM holds WHERE at < ?", (min(day, now - LONGEST_CALL),))


def used(db: sqlite3.Connection, scope: Scope, subject: str, unit: Unit, since: float) -> int:
    query = f"SELECT {_USED[unit]} FROM usage WHERE at >= ? AND {COLUMNS[scope]} = ?"  # noqa: S608 - constants
    return int(db.execute(query, (since, subject)).fetchone()[0])


def held(db: sqlite3.Connection, scope: Scope, subject: str, unit: Unit) -> int:
    query = f"SELECT {_HELD[unit]} FROM holds WHERE {COLUMNS[scope]} = ?"  # noqa: S608 - constants
    return int(db.execute(query, (subject,)).fetchone()[0])
