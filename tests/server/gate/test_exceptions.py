"""An exception lets one change past one guardrail: once, in time, by somebody else, and then a person has to agree."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.server.gate.lab import ALICE, Lab, label, scale
from tests.server.gate.test_guardrails import rules, verdicts
from tests.server.gate.test_levels import restart

from kubesteward.gate.exceptions import Exceptions, ExceptionUsed
from kubesteward_policies.persons import Person
from kubesteward_tools.errors import InvalidArguments, Refused

pytestmark = pytest.mark.anyio

BOB = Person("local:bob")
WHY = "the sale starts at noon, ticket 4711"


def lab_with(folder: Path, *more: tuple[str, str, str], **terms: Any) -> Lab:
    return Lab(folder, policies=rules(folder, ("many", "deny", "true"), *more), **terms)


def table(lab: Lab) -> Exceptions:
    return Exceptions(lab.store, lab.audit)


async def test_an_excepted_change_is_proposed_again_and_approved_by_a_person(tmp_path: Path) -> None:
    lab = lab_with(tmp_path)
    blocked = await lab.propose(scale(4))
    made = table(lab).grant(blocked, "many", BOB, WHY)
    again = await lab.approved(scale(4))
    done = await lab.gate.execute(again.id)

    assert blocked.exception == f'kubesteward policy except many --action {blocked.id} --justification "..."'
    assert verdicts(again)[0] == ("many", "needs_approval")
    assert f"excepted by local:bob ({made.id}): {WHY}" in str(again.verdicts)
    assert done.status == "executed"
    (granted,), (used,) = lab.records("exception_granted"), lab.records("exception_used")
    assert (granted["exception"], granted["rule"], granted["grantor"]) == (made.id, "many", "local:bob")
    assert (used["exception"], used["used_by"]) == (made.id, again.id)


@pytest.mark.requirement("guardrails.one-change")
async def test_an_exception_is_good_for_one_action(tmp_path: Path) -> None:
    lab = lab_with(tmp_path)
    table(lab).grant(await lab.propose(scale(4)), "many", BOB, WHY)
    first, second = await lab.propose(scale(4)), await lab.propose(scale(4))

    assert (first.status, second.status) == ("pending_approval", "blocked")
    assert table(lab).newest()[0].used_by == first.id


async def test_a_preview_does_not_use_it_up(tmp_path: Path) -> None:
    lab = lab_with(tmp_path)
    table(lab).grant(await lab.propose(scale(4)), "many", BOB, WHY)

    assert (await lab.propose(scale(4), dry_run=True)).status == "previewed"
    assert (await lab.propose(scale(4))).status == "pending_approval"


async def test_it_is_for_that_change_and_that_rule_alone(tmp_path: Path) -> None:
    lab = lab_with(tmp_path, ("two", "deny", "object.spec.replicas == 4"))
    action = await lab.propose(scale(4))
    table(lab).grant(action, "many", BOB, WHY)

    assert action.denied_by == ["many", "two"]
    assert (await lab.propose(scale(5))).status == "blocked"
    assert verdicts(await lab.propose(scale(4))) == [("many", "needs_approval"), ("two", "deny")]


async def test_a_restart_is_the_same_change_a_minute_later(tmp_path: Path) -> None:
    lab = lab_with(tmp_path)
    table(lab).grant(await lab.propose(restart(1)), "many", BOB, WHY)

    assert (await lab.propose(restart(61))).status == "pending_approval"


async def test_it_runs_out_and_that_is_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = lab_with(tmp_path)
    table(lab).grant(await lab.propose(scale(4)), "many", BOB, WHY, minutes=5)
    later = time.time() + 301
    monkeypatch.setattr("kubesteward.gate.exceptions.time", SimpleNamespace(time=lambda: later))

    assert (await lab.propose(scale(4))).status == "blocked"
    assert len(lab.records("exception_expired")) == 1


async def test_what_ran_out_before_the_execution_holds_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = lab_with(tmp_path)
    table(lab).grant(await lab.propose(scale(4)), "many", BOB, WHY, minutes=5)
    approved = await lab.approved(scale(4))
    later = time.time() + 301
    monkeypatch.setattr("kubesteward.gate.exceptions.time", SimpleNamespace(time=lambda: later))

    assert (await lab.gate.execute(approved.id)).status == "blocked"
    assert lab.writer.writes == []


@pytest.mark.parametrize(
    ("grantor", "why", "minutes", "told"),
    [
        (Person("local:alice"), WHY, 60, "asked for this change"),
        (Person("token:alice"), WHY, 60, "asked for this change"),
        (BOB, "because", 60, "a sentence"),
        (BOB, "  ", 60, "a sentence"),
        (BOB, WHY, 0, "minutes"),
        (BOB, WHY, 100_000, "minutes"),
    ],
)
async def test_it_is_not_granted_by_the_requester_nor_without_a_reason_nor_for_ever(
    tmp_path: Path, grantor: Person, why: str, minutes: float, told: str
) -> None:
    lab = lab_with(tmp_path)
    action = await lab.propose(scale(4))

    with pytest.raises(Refused, match=told):
        table(lab).grant(action, "many", grantor, why, minutes)
    assert lab.records("exception_granted") == []


async def test_whoever_granted_it_cannot_propose_the_change(tmp_path: Path) -> None:
    lab = lab_with(tmp_path)
    table(lab).grant(await lab.propose(scale(4)), "many", BOB, WHY)

    assert (await lab.propose(scale(4), caller=replace(ALICE, principal="local:bob"))).status == "blocked"


async def test_nothing_excepts_from_a_rule_in_code_nor_from_rules_that_cannot_be_read(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    protected = await lab.propose(label("x", "a-token"), dry_run=True)
    secret = await lab.propose(
        replace(scale(4), calls=(replace(scale(4).calls[0], body={"metadata": {"ownerReferences": []}}),))
    )
    unread = await Lab(tmp_path, policies=rules(tmp_path, ("r", "dny", "true"))).propose(scale(4))

    for action, rule in ((secret, "immutable.owners"), (unread, "guardrails.unusable"), (protected, "many")):
        assert action.exception == ""
        with pytest.raises(InvalidArguments, match="does not block"):
            table(lab).grant(action, rule, BOB, WHY)


async def test_two_persons_are_needed_where_another_rule_asks_for_two(tmp_path: Path) -> None:
    lab = lab_with(tmp_path, ("two", "require_two", "true"))
    table(lab).grant(await lab.propose(scale(4)), "many", BOB, WHY)

    assert (await lab.propose(scale(4))).required == 2


async def test_an_agent_does_not_run_an_excepted_change_alone(tmp_path: Path) -> None:
    lab = lab_with(tmp_path, autonomy=4)
    table(lab).grant(await lab.propose(label("x")), "many", BOB, WHY)

    assert (await lab.propose(label("x"))).status == "pending_approval"


async def test_of_two_that_take_it_at_once_one_has_it(tmp_path: Path) -> None:
    lab = lab_with(tmp_path)
    made = table(lab).grant(await lab.propose(scale(4)), "many", BOB, WHY)
    table(lab).use([made.id], "act-1")

    with pytest.raises(ExceptionUsed):
        table(lab).use([made.id], "act-2")
