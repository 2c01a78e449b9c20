"""Answers that were paid for, kept twofold: an investigation that was cut off takes up its own, and the same question
about an unchanged world need not be paid again.

`ask` is the digest of what was sent (prompt, tools, limits), `world` of what it was about. They are their principal's
alone, since users may see different things of one cluster. An investigation takes up its own whichever brain gave it;
another question's has to be of the same model.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubesteward.reasoning.ledger.words import Payer, Seller


@dataclass(frozen=True, slots=True)
class Limits:
    """`fresh` is for how many seconds an answer stands for another question; 0 switches that off. `kept` is for how
    long an investigation may take up its own; `size` bounds the characters of all of them.
    """

    fresh: float = 3600.0
    kept: float = 7 * 86400.0
    size: int = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Kept:
    """`money` is what it once cost, None where nobody knew. `own` says that it is this investigation's."""

    body: Mapping[str, Any]
    money: int | None
    own: bool


def digest_of(ask: Mapping[str, Any]) -> str:
    """Of a question as JSON. Not RFC 8785: a model may have made arguments that canonical JSON cannot hold."""
    return hashlib.sha256(json.dumps(ask, sort_keys=True).encode()).hexdigest()


def find(  # noqa: PLR0917 - what an answer is known by
    db: sqlite3.Connection, payer: Payer, seller: Seller, ask: str, world: str, since: float
) -> Kept | None:
    """This investigation's own whatever its age; another one's only about the same world, of later than `since`."""
    row = db.execute(
        "SELECT a.body, u.money, (a.investigation <> '' AND a.investigation = :investigation) AS own"
        " FROM answers a JOIN usage u ON u.id = a.usage WHERE a.ask = :ask AND a.principal = :principal"
        " AND ((a.investigation <> '' AND a.investigation = :investigation)"
        "      OR (:world <> '' AND a.world = :world AND a.at > :since"
        "          AND u.provider = :provider AND u.model = :model))"
        " ORDER BY own DESC, a.at DESC LIMIT 1",
        {
            "ask": ask,
            "principal": payer.principal,
            "investigation": payer.investigation,
            "world": world,
            "since": since,
            "provider": seller.provider,
            "model": seller.model,
        },
    ).fetchone()
    return Kept(json.loads(row["body"]), row["money"], bool(row["own"])) if row else None


def keep(  # noqa: PLR0917 - the columns of one row
    db: sqlite3.Connection, at: float, payer: Payer, ask: str, world: str, usage: int, body: Mapping[str, Any]
) -> None:
    text = json.dumps(body)
    values = (at, payer.principal, payer.investigation, ask, world, len(text), usage, text)
    db.execute("INSERT INTO answers VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", values)


def tidy(db: sqlite3.Connection, limits: Limits, now: float) -> None:
    """Drop what is too old, then the oldest until the rest fits; the newest one stays, whatever its size."""
    db.execute("DELETE FROM answers WHERE at < ?", (now - limits.kept,))
    db.execute(
        "DELETE FROM answers WHERE id IN (SELECT id FROM (SELECT id, SUM(size) OVER (ORDER BY id DESC) AS whole,"
        " ROW_NUMBER() OVER (ORDER BY id DESC) AS number FROM answers) WHERE whole > ? AND number > 1)",
        (limits.size,),
    )
