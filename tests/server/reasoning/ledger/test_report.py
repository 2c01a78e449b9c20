"""What was used is added up by whom, for what and when; one sees one's own."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from tests.server.reasoning.ledger.purse import ALICE, BOB, MODEL, ODD, Purse

from kubesteward.reasoning.ledger.budgets import Budget
from kubesteward.reasoning.ledger.ledger import Estimate
from kubesteward.reasoning.ledger.report import begins, rollup, standing, told, whole
from kubesteward.reasoning.ledger.words import Micros, Tokens
from kubesteward.store.store import StoreUnusable


def spend(purse: Purse) -> None:
    """Alice a dollar today and half of one three days ago, Bob at an unknown price today."""
    purse.clock.now -= 3 * 86400
    purse.ledger.settle(purse.hold("old", 1), Tokens(input=500_000))
    purse.clock.now += 3 * 86400
    tokens = Tokens(input=600_000, output=300_000, cache_read=90_000, cache_write=10_000, reasoning=5)
    purse.ledger.settle(purse.hold("new", 1, world="w"), tokens, {})
    purse.begin("new", 1, world="w")
    purse.ledger.settle(purse.hold("odd", 1, BOB, ODD), Tokens(input=7))


def test_every_dimension_and_period_adds_up(tmp_path: Path) -> None:
    purse = Purse(tmp_path)
    spend(purse)
    now = purse.clock.now
    [alice, bob] = rollup(purse.store, "user", begins("today", now))

    assert alice == {
        "user": "local:alice",
        "calls": 2,
        "cached": 1,
        "input": 600_000,
        "output": 300_000,
        "cache_read": 90_000,
        "cache_write": 10_000,
        "reasoning": 5,
        "usd": 1.0,
        "unpriced_calls": 0,
        "saved_usd": 1.0,
    }
    assert (bob["user"], bob["usd"], bob["unpriced_calls"]) == ("local:bob", 0.0, 1)
    assert [row["feature"] for row in rollup(purse.store, "feature", 0)] == ["chat", "solver"]
    assert [row["model"] for row in rollup(purse.store, "model", 0)] == ["thinker", "nobody-knows"]
    assert [whole(rollup(purse.store, "provider", begins(since, now)))["usd"] for since in ("today", "week")] == [
        1.0,
        1.5,
    ]


def test_one_sees_ones_own_and_no_budget_of_others(tmp_path: Path) -> None:
    purse = Purse(tmp_path)
    spend(purse)
    purse.limit(Budget("user", "*", "usd", hard=5_000_000))
    purse.limit(Budget("user", "local:carol", "usd", hard=1))
    purse.limit(Budget("feature", "chat", "usd", hard=9_000_000))
    found = told(purse.store, purse.ledger.budgets, purse.clock.now, "local:bob")
    everything = told(purse.store, purse.ledger.budgets, purse.clock.now, None)

    assert "alice" not in str(found)
    assert found["of"] == "local:bob"
    assert found["budgets"] == [
        {"scope": "user", "subject": "local:bob", "unit": "usd", "soft": None, "hard": 5_000_000, "used": 0, "held": 0}
    ]
    assert everything["usage"]["month"]["total"]["usd"] == 1.5
    assert [(item["scope"], item["subject"], item["used"]) for item in everything["budgets"]] == [
        ("feature", "chat", 1_000_000),
        ("user", "local:alice", 1_000_000),
        ("user", "local:bob", 0),
        ("user", "local:carol", 0),
    ]


def test_a_budget_that_nobody_has_used_is_shown_as_it_is(tmp_path: Path) -> None:
    purse = Purse(tmp_path)
    purse.limit(Budget("session", "*", "tokens", soft=5))

    assert [item["subject"] for item in standing(purse.store, purse.ledger.budgets, purse.clock.now)] == ["*"]
    assert whole([]) == {}


def test_a_store_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    purse = Purse(tmp_path)
    purse.store.db.execute("DROP TABLE answers")
    purse.store.db.execute("DROP TABLE usage")

    with pytest.raises(StoreUnusable, match="cannot be read"):
        rollup(purse.store, "user", 0)
    with pytest.raises((sqlite3.Error, StoreUnusable)):
        purse.begin("a", 1)


def test_a_run_that_may_cost_more_than_a_limit_is_asked_about(tmp_path: Path) -> None:
    ledger = Purse(tmp_path, options={"ask_above": 1_000_000}).ledger
    one = ledger.estimate(160_000, 50_000, MODEL)

    assert one == Estimate(250_000, Micros(250_000))
    assert ledger.confirmation(one.times(4)) == ""
    assert ledger.confirmation(one.times(5)) == (
        "This may use up to 1,250,000 tokens, at most $1.25; that is above $1.00. Go on?"
    )
    assert ledger.confirmation(ledger.estimate(1, 1, ODD).times(2)) == (
        "This may use up to 4 tokens, at an unknown price; the price of this model is not known. Go on?"
    )
    assert Purse(tmp_path).ledger.confirmation(one.times(100)) == ""
    assert ALICE.correlation == "c0ffee"
