"""Two persons at terminals, and exceptions: what the commands say and how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.server.cli.conftest import Command
from tests.server.cli.terminal import at_a_terminal
from tests.server.gate.lab import Lab, scale
from tests.server.gate.test_guardrails import rules

from kubesteward.cli.exits import FAILED, OK
from kubesteward.gate.case import Caller

pytestmark = pytest.mark.anyio

ROBOT = Caller("token:robot", "robot 1.0", channel="http")


def lab_with(home: Path, effect: str) -> Lab:
    return Lab(home / "state", policies=rules(home, ("mine", effect, "true")))


def be(monkeypatch: pytest.MonkeyPatch, name: str, account: str) -> None:
    monkeypatch.setenv("KUBESTEWARD_PRINCIPAL", name)
    monkeypatch.setattr("kubesteward.gate.process.account", lambda: account)


async def test_the_first_yes_says_that_a_second_is_missing_and_the_second_approves(
    kubesteward: Command, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = lab_with(home, "require_two")
    action = await lab.propose(scale(4), caller=ROBOT)
    be(monkeypatch, "local:bob", "uid:7")
    first = kubesteward("approve", action.id, "--yes")
    listed = kubesteward("actions")
    again = kubesteward("approve", action.id, "--yes")
    be(monkeypatch, "local:carol", "uid:8")
    second = kubesteward("approve", action.id, "--yes")

    assert (first.code, first.err) == (OK, "")
    assert first.out == (
        f"Agreed to {action.id}: 1 of 2 persons have agreed, local:bob first: it waits for a second person, other than "
        "token:robot. Nothing is executed yet.\n"
    )
    assert "(1 of 2 have agreed)" in listed.out
    assert (again.code, again.out) == (FAILED, "")
    assert "'local:bob' has agreed already: the second has to be somebody else" in again.err
    assert (second.code, second.out) == (OK, f"Approved {action.id}.\n")


async def test_another_name_on_the_same_account_is_no_second_person(
    kubesteward: Command, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = await lab_with(home, "require_two").propose(scale(4), caller=ROBOT)
    for name in ("local:bob", "local:carol"):
        be(monkeypatch, name, "uid:7")
        said = kubesteward("approve", action.id, "--yes")

    assert said.code == FAILED
    assert "has agreed already" in said.err


async def test_a_person_at_a_terminal_sees_who_agreed_first_and_what_asks_for_two(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = lab_with(home, "require_two")
    action = await lab.propose(scale(4), caller=ROBOT)
    lab.gate.actions.approve(action.id, "token:bob")
    monkeypatch.setenv("KUBESTEWARD_PRINCIPAL", "local:carol")
    ended, seen = at_a_terminal(["approve", action.id], {"Approve?": "y\n"})

    assert ended == OK
    assert "1 of 2 persons have agreed, token:bob first" in seen
    assert "Asked by guardrails: it says so [mine]" in " ".join(seen.split())
    assert f"Approved {action.id}" in seen


async def test_an_exception_is_granted_listed_and_used(
    kubesteward: Command, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = lab_with(home, "deny")
    action = await lab.propose(scale(4), caller=ROBOT)
    be(monkeypatch, "local:bob", "uid:7")
    words = ("policy", "except", "mine", "--action", action.id, "--justification")
    refused = kubesteward(*words, "because")
    granted = kubesteward(*words, "the sale starts at noon, ticket 4711", "--minutes", "5")
    again = await lab.propose(scale(4), caller=ROBOT)
    listed = kubesteward("policy", "exceptions")
    (data,) = json.loads(kubesteward("policy", "exceptions", "--json").out)

    assert refused.code == FAILED
    assert "an exception needs a justification of a sentence" in refused.err
    assert granted.code == OK
    assert f"the change of {action.id} is excepted from mine once, until 20" in granted.out
    assert "token:robot has to propose it again, and a person has to agree" in granted.out
    assert again.status == "pending_approval"
    assert f"used by {again.id}  mine  {action.id}  local:bob  the sale" in listed.out
    assert (data["grantor"], data["used_by"]) == ("local:bob", again.id)
    assert kubesteward("audit", "verify").code == OK


async def test_nobody_excepts_their_own_change(
    kubesteward: Command, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = await lab_with(home, "deny").propose(scale(4))
    monkeypatch.setenv("KUBESTEWARD_PRINCIPAL", "local:bob")  # another name, and the account of the stdio server
    said = kubesteward("policy", "except", "mine", "--action", action.id, "--justification", "it is really needed now")

    assert said.code == FAILED
    assert "'local:alice' asked for this change: somebody else has to grant the exception" in said.err


def test_without_exceptions_there_are_none(kubesteward: Command) -> None:
    assert kubesteward("policy", "exceptions").out == "No exception was granted yet.\n"
