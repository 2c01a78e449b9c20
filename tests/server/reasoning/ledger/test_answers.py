"""An answer that was paid for is not paid for again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.server.reasoning.ledger.purse import ALICE, MODEL, Purse

from kubesteward.reasoning.ledger.answers import Limits
from kubesteward.reasoning.ledger.ledger import Hold, Known
from kubesteward.reasoning.ledger.words import Payer, Seller, Tokens

ANSWER = {"text": "the image tag is wrong"}
LATER = replace(ALICE, investigation="inv-2")


def paid(purse: Purse, what: str = "why?", payer: Payer = ALICE, world: str = "w-1") -> None:
    purse.ledger.settle(purse.hold(what, 100, payer, world=world), Tokens(input=60, output=20), ANSWER)


def test_the_same_question_about_an_unchanged_world_costs_nothing_the_second_time(tmp_path: Path) -> None:
    purse = Purse(tmp_path)
    paid(purse)

    found = purse.begin("why?", 100, LATER, world="w-1")

    assert found == Known(ANSWER, own=False)
    assert [tuple(row) for row in purse.store.db.execute("SELECT cached, input, money, saved FROM usage")] == [
        (0, 60, 80, None),
        (1, 0, 0, 80),
    ]


def test_another_world_user_model_or_question_is_asked_anew(tmp_path: Path) -> None:
    purse = Purse(tmp_path)
    paid(purse)
    others = (
        purse.begin("why?", 1, LATER, world="w-2"),
        purse.begin("why?", 1, LATER, world=""),
        purse.begin("why not?", 1, LATER, world="w-1"),
        purse.begin("why?", 1, replace(LATER, principal="local:bob"), world="w-1"),
        purse.begin("why?", 1, LATER, Seller("acme", "other"), world="w-1"),
        purse.begin("why?", 1, replace(LATER, principal="local:bob", investigation="inv-1"), world="w-2"),
    )

    assert [type(item) for item in others] == [Hold] * 6


def test_an_answer_does_not_stand_for_another_question_for_ever(tmp_path: Path) -> None:
    purse = Purse(tmp_path, options={"limits": Limits(fresh=600)})
    paid(purse)
    purse.clock.now += 599
    assert isinstance(purse.begin("why?", 1, LATER, world="w-1"), Known)

    purse.clock.now += 2

    assert isinstance(purse.begin("why?", 1, LATER, world="w-1"), Hold)


def test_an_investigation_takes_up_its_own_whatever_has_changed_since(tmp_path: Path) -> None:
    purse = Purse(tmp_path, options={"limits": Limits(fresh=0)})
    paid(purse)
    purse.clock.now += 3 * 86400

    assert purse.begin("why?", 100, ALICE, Seller("acme", "other"), world="w-9") == Known(ANSWER, own=True)


def test_questions_without_a_world_and_an_investigation_are_never_the_same(tmp_path: Path) -> None:
    purse, nowhere = Purse(tmp_path), replace(ALICE, investigation="")
    paid(purse, payer=nowhere, world="")

    assert isinstance(purse.begin("why?", 1, nowhere, MODEL), Hold)


def test_old_answers_go_then_the_oldest_until_the_rest_fits(tmp_path: Path) -> None:
    purse = Purse(tmp_path, options={"limits": Limits(kept=1000, size=100)})
    paid(purse, "first")
    purse.clock.now += 1001
    paid(purse, "second")
    paid(purse, "third")
    assert purse.sum("SELECT COUNT(*) FROM answers") == 2

    paid(purse, "fourth")
    purse.ledger.settle(purse.hold("fifth", 1), Tokens(), {"text": "x" * 500})

    assert [row[0] for row in purse.store.db.execute("SELECT size FROM answers")] == [512]
    assert purse.sum("SELECT COUNT(*) FROM usage") == 5
