"""The operator's terminal: what it shows of an action, and when it asks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.server.cli.conftest import Command, Said
from tests.server.cli.terminal import at_a_terminal
from tests.server.gate.lab import Lab, label, patch
from typer.testing import CliRunner

from kubesteward.cli import actions as command
from kubesteward.cli.commands import app
from kubesteward.cli.exits import FAILED, INTERRUPTED, OK
from kubesteward.settings import Settings

pytestmark = pytest.mark.anyio


def run(folder: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words, "--state-dir", str(folder)])
    return done.exit_code, done.output


async def test_the_list_of_actions_tells_no_secret_in_any_form(tmp_path: Path) -> None:
    await Lab(tmp_path).propose(patch({"metadata": {"annotations": {"example.com/api-token": "hunter2-correct"}}}))

    for words in (["actions"], ["actions", "--json"]):
        code, said = run(tmp_path, *words)
        assert code == 0
        assert "blocked" in said
        assert "hunter2" not in said


async def test_the_list_as_json_is_what_clients_see(tmp_path: Path) -> None:
    action = await Lab(tmp_path).propose(label("x"))

    assert json.loads(run(tmp_path, "actions", "--json")[1])[0] == action.shown()


async def test_an_action_that_does_not_wait_is_refused_without_a_question(tmp_path: Path) -> None:
    action = await Lab(tmp_path).propose(label("x"), dry_run=True)
    code, said = run(tmp_path, "approve", action.id)

    assert code == 1
    assert "is previewed: there is nothing to decide" in said
    assert "Rehearsal" not in said


async def test_a_terminal_shows_the_whole_of_a_request_also_what_stands_in_its_query(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change = label("x")
    forced = replace(change, calls=(replace(change.calls[0], query=(("command", "z" * 600), ("force", "true"))),))
    command._show(await Lab(tmp_path).propose(forced, dry_run=True))
    said = capsys.readouterr().out

    assert '["force", "true"]' in said
    assert "z" * 600 in said


async def test_without_a_terminal_nobody_is_asked(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    action = await lab.propose(label("x"))
    code, said = run(tmp_path, "approve", action.id)

    assert code == 1
    assert "use --yes" in said
    assert lab.gate.actions.get(action.id).status == "pending_approval"


def test_an_interrupted_question_is_an_interruption(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted(_: str) -> bool:
        raise command.typer.Abort

    monkeypatch.setattr(command.sys, "stdin", type("Terminal", (), {"isatty": lambda _: True})())
    monkeypatch.setattr(command.typer, "confirm", interrupted)
    with pytest.raises(SystemExit) as ended, command.one_sentence():
        command._confirm()

    assert ended.value.code == INTERRUPTED


@pytest.mark.parametrize("word", ["approve", "reject"])
@pytest.mark.parametrize("action", ["act-00000000", "", "../act-1", "act-1\n\x1b[31m"])
def test_an_action_that_is_not_there_is_told_where_to_look(kubesteward: Command, word: str, action: str) -> None:
    said = kubesteward(word, action)

    assert said == Said(FAILED, "", f"kubesteward: there is no action {action!r}. `kubesteward actions` lists them.\n")


async def test_a_decision_is_written_down_with_who_and_why(kubesteward: Command, home: Path) -> None:
    lab = Lab(home / "state")
    yes, no = await lab.propose(label("x")), await lab.propose(label("y"))
    agreed = kubesteward("approve", yes.id, "--yes", "--comment", "seen it")
    refused = kubesteward("reject", no.id, "--comment", "not today")
    found = [lab.gate.actions.get(item.id) for item in (yes, no)]

    assert agreed == Said(OK, f"Approved {yes.id}.\n", "")
    assert refused == Said(OK, f"Rejected {no.id}.\n", "")
    assert [item.status for item in found] == ["approved", "rejected"]
    assert [item.approvals[0].comment for item in found] == ["seen it", "not today"]
    assert {(item.approvals[0].channel, item.approvals[0].approver) for item in found} == {
        ("cli", Settings.load().principal)
    }
    assert kubesteward("audit", "verify").code == OK


@pytest.mark.parametrize("first", ["approve", "reject"])
@pytest.mark.parametrize("second", ["approve", "reject"])
async def test_nothing_is_decided_twice(kubesteward: Command, home: Path, first: str, second: str) -> None:
    lab = Lab(home / "state")
    action = await lab.propose(label("x"))
    yes = {"approve": ["--yes"], "reject": []}
    kubesteward(first, action.id, *yes[first])
    before = lab.gate.actions.get(action.id)
    said = kubesteward(second, action.id, *yes[second])

    status = {"approve": "approved", "reject": "rejected"}[first]
    assert said == Said(FAILED, "", f"kubesteward: action {action.id} is {status}: there is nothing to decide.\n")
    assert lab.gate.actions.get(action.id) == before


async def test_an_action_whose_time_has_run_out_is_not_approved(
    kubesteward: Command, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = Lab(home / "state")
    action = await lab.propose(label("x"))
    monkeypatch.setattr("kubesteward.gate.actions.time.time", lambda: action.expires + 1)
    said = kubesteward("approve", action.id, "--yes")

    assert said == Said(FAILED, "", f"kubesteward: action {action.id} has expired. Propose the change again.\n")
    assert lab.gate.actions.get(action.id).status == "expired"


async def test_the_list_tells_what_became_of_each_the_newest_first(kubesteward: Command, home: Path) -> None:
    empty = kubesteward("actions")
    lab = Lab(home / "state")
    first, second = await lab.propose(label("x")), await lab.propose(label("y"))
    kubesteward("reject", first.id)
    lines = kubesteward("actions").out.splitlines()

    assert empty == Said(OK, "Nothing was proposed yet.\n", "")
    assert [line.split()[:2] for line in lines] == [[second.id, "pending_approval"], [first.id, "rejected"]]


async def test_a_record_that_cannot_be_read_is_one_sentence(kubesteward: Command, home: Path) -> None:
    lab = Lab(home / "state")
    action = await lab.propose(label("x"))
    lab.store.db.execute("UPDATE actions SET body = '{\"id\": 3}'")
    for words in (["actions"], ["approve", action.id, "--yes"]):
        said = kubesteward(*words)

        assert said.code == FAILED
        assert said.err.startswith("kubesteward: the store ")
        assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("typed", "code", "status", "told"),
    [
        ("y\n", OK, "approved", "Approved act-"),
        ("n\n", FAILED, "pending_approval", "Nothing was decided"),
        ("\x03", INTERRUPTED, "pending_approval", "Approve?"),
        ("\x04", INTERRUPTED, "pending_approval", "Approve?"),
    ],
    ids=["yes", "no", "ctrl-c", "ctrl-d"],
)
async def test_a_person_at_a_terminal_sees_the_rehearsal_and_is_asked(
    home: Path, typed: str, code: int, status: str, told: str
) -> None:
    lab = Lab(home / "state")
    action = await lab.propose(patch({"metadata": {"labels": {"team": "x"}}}))
    ended, seen = at_a_terminal(["approve", action.id], {"Approve?": typed})

    assert ended == code
    assert told in seen
    assert "Traceback" not in seen
    assert f"Proposed by {action.principal}" in seen
    assert '{"metadata": {"labels": {"team": "x"}}}' in seen
    assert lab.gate.actions.get(action.id).status == status
