"""`kubesteward usage` and `budget`: what brains cost, and what they may cost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.server.cli.conftest import Command
from tests.server.reasoning.ledger.purse import BOB, ODD, Purse

from kubesteward.reasoning.ledger.words import Tokens


@pytest.fixture
def purse(home: Path) -> Purse:
    import time

    found = Purse(home / "state")
    found.clock.now = time.time()
    return found


def test_usage_is_a_table_with_a_total(kubesteward: Command, purse: Purse) -> None:
    purse.ledger.settle(purse.hold("a", 1, world="w"), Tokens(input=1_500_000, cache_read=20), {})
    purse.begin("a", 1, world="w")
    purse.ledger.settle(purse.hold("b", 1, BOB, ODD), Tokens(input=7, output=2))

    assert kubesteward("usage", "--by", "user", "--since", "week").out.splitlines() == [
        "user         calls  cached  input      cached input  output  cost     saved",
        "local:alice  2      1       1,500,000  20            0       $1.5000  $1.5000",
        "local:bob    1      0       7          0             2       $0.00    $0.00",
        "total        3      1       1,500,007  20            2       $1.5000  $1.5000",
        "Calls without a known price: 1. KUBESTEWARD_MODEL_PRICES can tell it.",
    ]


def test_usage_as_json_and_of_nothing(kubesteward: Command, purse: Purse) -> None:
    assert kubesteward("usage").out == "No brain was asked (today).\n"
    assert json.loads(kubesteward("usage", "--json").out) == {
        "since": "today",
        "by": "feature",
        "lines": [],
        "total": {},
    }


def test_budgets_are_set_shown_and_removed(kubesteward: Command, purse: Purse) -> None:
    first = kubesteward("budget", "list").out
    made = kubesteward("budget", "set", "user", "--soft", "0.5", "--hard", "2").out
    kubesteward("budget", "set", "feature", "scanner", "--hard", "200k", "--unit", "tokens")
    purse.ledger.settle(purse.hold("a", 1), Tokens(input=1_000_000))
    purse.hold("b", 250_000)
    shown = kubesteward("budget", "list").out.splitlines()
    removed = kubesteward("budget", "clear", "user").out
    again = kubesteward("budget", "clear", "user")

    assert first.startswith("There are no budgets; `kubesteward budget set --help`")
    assert made == (
        "The budget of each user is soft $0.50, hard $2.00 a day, for every server on this store from now on.\n"
    )
    assert shown[:-1] == [
        "scope    name         used today  held      soft   hard",
        "feature  scanner      0 tokens    0 tokens  -      200,000 tokens",
        "user     local:alice  $1.00       $0.25     $0.50  $2.00",
    ]
    assert shown[-1].startswith("They reset at midnight UTC, in ")
    assert removed == "Removed 1 budget.\n"
    assert (again.code, again.err) == (1, "There is no such budget; `kubesteward budget list` shows them.\n")
    assert [item["scope"] for item in json.loads(kubesteward("budget", "list", "--json").out)] == ["feature"]
    assert [record["budget"]["scope"] for record in purse.records("budget_set")] == ["user", "feature"]


@pytest.mark.parametrize("limit", ["five", "-1", "1e99", "nan", "k"])
def test_what_is_no_amount_is_refused_in_one_sentence(kubesteward: Command, limit: str) -> None:
    said = kubesteward("budget", "set", "user", f"--hard={limit}")

    assert (said.code, said.err) == (1, f"kubesteward: {limit!r} is no limit: write 5, 0.25, 200k or 2M\n")


def test_a_budget_without_a_limit_is_refused(kubesteward: Command) -> None:
    assert kubesteward("budget", "set", "user").err == (
        "kubesteward: a budget needs a soft or a hard limit. Give --soft, --hard or both.\n"
    )
