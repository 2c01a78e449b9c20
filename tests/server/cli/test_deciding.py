"""The operator's terminal: what it shows of an action, and when it asks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.server.gate.lab import Lab, label, patch
from typer.testing import CliRunner

from kubesteward.cli import actions as command
from kubesteward.cli.commands import app
from kubesteward.cli.exits import INTERRUPTED

pytestmark = pytest.mark.anyio


def run(folder: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words, "--state-dir", str(folder)])
    return done.exit_code, done.output


async def test_the_list_of_actions_tells_no_secret_in_any_form(tmp_path: Path) -> None:
    await Lab(tmp_path).propose(patch({"metadata": {"annotations": {"dsn": "postgres://u:hunter2-correct@db/x"}}}))

    for words in (["actions"], ["actions", "--json"]):
        code, said = run(tmp_path, *words)
        assert code == 0
        assert "pending_approval" in said
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
