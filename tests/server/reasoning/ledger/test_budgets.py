"""A hard limit refuses before the call that could exceed it, whatever is under way; a soft one warns."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.server.reasoning.ledger.purse import ALICE, BOB, MODEL, ODD, Clock, Purse

from kubesteward.reasoning.ledger.budgets import Budget, until_midnight
from kubesteward.reasoning.ledger.ledger import BudgetExceeded, Hold, PriceUnknown
from kubesteward.reasoning.ledger.words import Payer, Tokens
from kubesteward_tools.errors import InvalidArguments


def test_the_call_that_could_exceed_a_hard_limit_is_refused_and_written_down(tmp_path: Path) -> None:
    purse = Purse(tmp_path)
    purse.limit(Budget("user", "*", "usd", hard=1_000_000))
    purse.ledger.settle(purse.hold("a", 600_000), Tokens(input=500_000))
    purse.hold("b", 300_000)

    with pytest.raises(BudgetExceeded) as refused:
        purse.begin("c", 200_001)
    purse.begin("d", 200_000)

    assert str(refused.value) == (
        "the hard limit of $1.00 a day for each user leaves no room: $0.50 used, $0.30 are held for calls under way,"
        " and this call may take $0.2000. It resets at midnight UTC, in 12 h 0 min; `kubesteward budget set` changes"
        " it. Tools go on."
    )
    [record] = purse.records("budget_refused")
    assert (record["principal"], record["correlation"], record["used"], record["asked"]) == (
        "local:alice",
        "c0ffee",
        500_000,
        200_001,
    )


def test_midnight_utc_begins_anew(tmp_path: Path) -> None:
    purse = Purse(tmp_path)
    purse.limit(Budget("user", "*", "tokens", hard=100))
    purse.ledger.settle(purse.hold("a", 100), Tokens(input=100))
    with pytest.raises(BudgetExceeded):
        purse.begin("b", 1)

    purse.clock.now += 12 * 3600

    assert isinstance(purse.begin("b", 100), Hold)
    assert until_midnight(purse.clock.now + 86400 - 60) == "1 min"


def test_each_user_has_their_own_and_a_name_goes_before_each(tmp_path: Path) -> None:
    purse = Purse(tmp_path)
    purse.limit(Budget("user", "*", "tokens", hard=100))
    purse.limit(Budget("user", "local:bob", "tokens", hard=10))
    purse.hold("a", 100)

    with pytest.raises(BudgetExceeded, match="for user local:bob"):
        purse.begin("b", 11, BOB)
    assert isinstance(purse.begin("b", 10, BOB), Hold)


def test_a_feature_is_limited_over_all_users_and_a_session_over_all_features(tmp_path: Path) -> None:
    purse = Purse(tmp_path)
    purse.limit(Budget("feature", "solver", "tokens", hard=100))
    purse.limit(Budget("session", "*", "tokens", hard=150))
    purse.hold("a", 60, Payer("alice", "s-1", "solver"))

    with pytest.raises(BudgetExceeded, match="for feature solver"):
        purse.begin("b", 41, Payer("bob", "s-2", "solver"))
    with pytest.raises(BudgetExceeded, match="for each session"):
        purse.begin("c", 91, Payer("alice", "s-1", "chat"))


def test_a_soft_limit_warns_and_lets_through(tmp_path: Path) -> None:
    purse = Purse(tmp_path)
    purse.limit(Budget("user", "*", "usd", soft=1_000_000))

    quiet, loud = purse.hold("a", 1_000_000), purse.hold("b", 1)

    assert quiet.warnings == ()
    assert loud.warnings == ("the soft limit of $1.00 a day for each user is reached",)


def test_an_unknown_price_is_refused_by_a_hard_limit_in_money_and_by_no_other(tmp_path: Path) -> None:
    purse = Purse(tmp_path)
    purse.limit(Budget("user", "*", "tokens", hard=1000))
    purse.limit(Budget("user", "*", "usd", soft=1))
    held = purse.hold("a", 10, seller=ODD)

    assert purse.ledger.settle(held, Tokens(input=10)) is None
    purse.limit(Budget("user", "*", "usd", hard=1_000_000))
    with pytest.raises(PriceUnknown, match=r"nobody knows what 'nobody-knows' of acme costs.*KUBESTEWARD_MODEL_PRICES"):
        purse.begin("b", 10, seller=ODD)


def test_a_call_that_was_not_made_leaves_its_room_to_others(tmp_path: Path) -> None:
    purse = Purse(tmp_path)
    purse.limit(Budget("user", "*", "tokens", hard=100))
    purse.ledger.release(purse.hold("a", 100))

    assert isinstance(purse.begin("b", 100), Hold)


def test_attempts_that_are_lost_are_paid_and_end_the_call_when_nothing_is_left(tmp_path: Path) -> None:
    purse = Purse(tmp_path)
    purse.limit(Budget("user", "*", "tokens", hard=100))
    hold = purse.hold("a", 60)
    purse.ledger.lost(hold, Tokens(input=40))

    with pytest.raises(BudgetExceeded, match="80 tokens used, and this call may take 60"):
        purse.ledger.lost(hold, Tokens(input=40))
    assert purse.sum("SELECT SUM(input) FROM usage") == 80
    assert purse.sum("SELECT COUNT(*) FROM holds") == 0


def test_a_call_of_which_nothing_is_heard_again_counts_until_midnight(tmp_path: Path) -> None:
    purse = Purse(tmp_path)
    purse.limit(Budget("user", "*", "tokens", hard=100))
    purse.hold("a", 100)
    purse.clock.now += 6 * 3600
    with pytest.raises(BudgetExceeded):
        purse.begin("b", 1)

    purse.clock.now += 6 * 3600 + 1

    assert isinstance(purse.begin("b", 100), Hold)


def test_a_call_over_midnight_counts_for_both_days_while_it_lasts(tmp_path: Path) -> None:
    purse = Purse(tmp_path)
    purse.clock.now += 12 * 3600 - 60
    purse.limit(Budget("user", "*", "tokens", hard=100))
    purse.hold("a", 100)
    purse.clock.now += 120

    with pytest.raises(BudgetExceeded):
        purse.begin("b", 1)


@pytest.mark.parametrize(
    ("budget", "why"),
    [
        (Budget("user", "*", "usd"), "needs a soft or a hard limit"),
        (Budget("user", "*", "usd", soft=2, hard=1), "would never warn"),
        (Budget("feature", "chatt", "usd", hard=1), r"no feature 'chatt'\. There are: scanner, solver, chat"),
    ],
)
def test_a_budget_that_means_nothing_is_refused(tmp_path: Path, budget: Budget, why: str) -> None:
    with pytest.raises(InvalidArguments, match=why):
        Purse(tmp_path).limit(budget)


STEP = st.tuples(
    st.integers(0, 2),  # whose turn it is: three processes' ledgers over one store
    st.sampled_from(["begin", "settle", "release"]),
    st.integers(0, 60),
)


@pytest.mark.requirement("cost.hard-limit")
@settings(max_examples=40, deadline=None)
@given(st.lists(STEP, max_size=40), st.integers(0, 150))
def test_no_interleaving_of_calls_gets_beyond_a_hard_limit(steps: list[tuple[int, str, int]], hard: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        purses = [Purse(Path(folder), Clock()) for _ in range(3)]
        for purse in purses:
            purse.store.db.execute("PRAGMA synchronous = OFF")
        purses[0].limit(Budget("user", "*", "usd", hard=hard))
        open_holds: list[Hold] = []
        for number, (turn, verb, amount) in enumerate(steps):
            purse = purses[turn]
            if verb == "begin":
                with contextlib.suppress(BudgetExceeded):
                    open_holds.append(purse.hold(f"q{number}", amount))
            elif open_holds:
                hold = open_holds.pop(amount % len(open_holds))
                taken = Tokens(input=min(amount, hold.estimate.tokens))
                if verb == "settle":
                    purse.ledger.settle(hold, taken, {"text": "so"})
                else:
                    purse.ledger.release(hold)
            used = purses[0].sum("SELECT COALESCE(SUM(money), 0) FROM usage")
            held = purses[0].sum("SELECT COALESCE(SUM(money), 0) FROM holds")
            assert used + held <= hard
        for purse in purses:
            purse.store.close()


def test_a_budget_that_is_removed_limits_no_more(tmp_path: Path) -> None:
    purse = Purse(tmp_path)
    purse.limit(Budget("user", "*", "usd", hard=0))
    purse.limit(Budget("user", "*", "tokens", hard=0))

    assert purse.ledger.budgets.remove("user", "*", "usd", "local:root") == 1
    with pytest.raises(BudgetExceeded):
        purse.begin("a", 1)
    assert purse.ledger.budgets.remove("user", "*", None, "local:root") == 1
    assert isinstance(purse.begin("a", 1, ALICE, MODEL), Hold)
    assert [item["count"] for item in (r["budget"] for r in purse.records("budget_cleared"))] == [1, 1]
