"""What was used, added up: for the command line and for whoever reads `kubesteward://usage`."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Literal, get_args

from kubesteward.reasoning.ledger.budgets import DAY, EACH, Budget, Budgets, applying, midnight
from kubesteward.reasoning.ledger.rows import COLUMNS, held, used
from kubesteward.reasoning.ledger.words import MILLION, Payer
from kubesteward.store.store import Store, StoreUnusable

By = Literal["feature", "provider", "user", "model"]
Since = Literal["today", "week", "month"]
DIMENSIONS: tuple[By, ...] = get_args(By)
PERIODS: tuple[Since, ...] = get_args(Since)

_DAYS: Mapping[Since, int] = {"today": 1, "week": 7, "month": 30}
_COLUMNS: Mapping[By, str] = {"feature": "feature", "provider": "provider", "user": "principal", "model": "model"}
_SUMS = (
    "COUNT(*) AS calls, SUM(cached) AS cached, SUM(input) AS input, SUM(output) AS output,"
    " SUM(cache_read) AS cache_read, SUM(cache_write) AS cache_write, SUM(reasoning) AS reasoning,"
    " SUM(money) AS money, SUM(money IS NULL) AS unpriced, SUM(saved) AS saved"
)


def begins(since: Since, now: float) -> float:
    """Epoch seconds of the midnight UTC with which a period begins: 1, 7 or 30 days, today included."""
    return midnight(now) - (_DAYS[since] - 1) * DAY


def rollup(store: Store, by: By, since: float, principal: str | None = None) -> list[dict[str, Any]]:
    """Sums by one dimension, the costliest first; of everybody or of one principal. Tokens are those that were paid.

    Raises:
        StoreUnusable: the store cannot be read.
    """
    column = _COLUMNS[by]
    whose, values = ("AND principal = ?", (since, principal)) if principal is not None else ("", (since,))
    query = (
        f"SELECT {column} AS name, {_SUMS} FROM usage WHERE at >= ? {whose}"  # noqa: S608 - constants
        f" GROUP BY {column} ORDER BY SUM(money) DESC, SUM(input + output) DESC, {column}"
    )
    try:
        return [_told(dict(row), by) for row in store.db.execute(query, values)]
    except sqlite3.Error as error:
        raise StoreUnusable(f"the store {store.path} cannot be read ({error}).") from None


def _told(row: Mapping[str, Any], by: By) -> dict[str, Any]:
    sorts = ("calls", "cached", "input", "output", "cache_read", "cache_write", "reasoning")
    return {
        by: row["name"],
        **{name: int(row[name] or 0) for name in sorts},
        "usd": (row["money"] or 0) / MILLION,
        "unpriced_calls": int(row["unpriced"] or 0),
        "saved_usd": (row["saved"] or 0) / MILLION,
    }


def whole(lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The sum of lines of one rollup."""
    names = [name for name in (lines[0] if lines else {}) if name not in DIMENSIONS]
    return {name: round(sum(line[name] for line in lines), 6) for name in names}


def standing(store: Store, budgets: Budgets, now: float, principal: str | None = None) -> list[dict[str, Any]]:
    """Every budget with what was used of it today; of one principal's own only, where one is named."""
    found, since, every = [], midnight(now), budgets.all()
    if principal is not None:  # of others one does not even see that they are limited
        every = [replace(item, subject=principal) for item in _own(every, principal)]
    for budget in every:
        named = {item.subject for item in every if (item.scope, item.unit) == (budget.scope, budget.unit)}
        for subject in _subjects(store, budget, named, since):
            taken = used(store.db, budget.scope, subject, budget.unit, since)
            under_way = held(store.db, budget.scope, subject, budget.unit)
            found.append({**asdict(budget), "subject": subject, "used": taken, "held": under_way})
    return found


def _own(budgets: list[Budget], principal: str) -> list[Budget]:
    nobody = Payer(principal, session="", feature="chat")
    return [item for item in applying(budgets, nobody) if item.scope == "user"]


def _subjects(store: Store, budget: Budget, named: set[str], since: float) -> list[str]:
    """Whom a budget for each is for: those without one by name that have used anything; else as it is written."""
    if budget.subject != EACH:
        return [budget.subject]
    column = COLUMNS[budget.scope]
    rows = store.db.execute(f"SELECT DISTINCT {column} FROM usage WHERE at >= ? ORDER BY 1", (since,))  # noqa: S608 - constants
    return [row[0] for row in rows if row[0] not in named] or [EACH]


def told(store: Store, budgets: Budgets, now: float, principal: str | None) -> dict[str, Any]:
    """The resource: rollups of three periods by every dimension, and budgets. `principal` None: everybody's."""
    periods = {
        since: {
            "total": whole(rollup(store, "feature", begins(since, now), principal)),
            **{f"by_{by}": rollup(store, by, begins(since, now), principal) for by in DIMENSIONS},
        }
        for since in PERIODS
    }
    return {"of": principal or "everybody", "usage": periods, "budgets": standing(store, budgets, now, principal)}
