"""`kubesteward ask|investigate|replay|eval`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.data import shared_data
from tests.server.cli.terminal import at_a_terminal
from typer.testing import CliRunner, Result

from kubesteward.cli.commands import app
from kubesteward.reasoning.evaluation import right

QUESTION = "Why is checkout not well?"


def run(*words: str) -> Result:
    return CliRunner().invoke(app, words, catch_exceptions=False)


def test_a_question_is_answered_with_what_it_rests_on_and_what_to_do(tmp_path: Path) -> None:
    done = run("ask", QUESTION, "--embedded", "incident", "--state-dir", str(tmp_path))

    assert done.exit_code == 0
    assert done.stdout.startswith("ANSWERED (confidence 99%)\nOOMKilled: ")
    assert "Root cause: OOMKilled, Deployment shop/checkout" in done.stdout
    assert "rehearsed: Roll Deployment shop/checkout back to revision 2: warn" in done.stdout
    assert re.search(r"builtin, \d+ turns, \d+ tool calls, \d+ claims checked, 0 false, ", done.stdout)
    assert "0 tokens, $0.0000" in done.stdout


def test_a_piped_investigation_is_a_line_for_each_step_and_its_tape_can_be_played(tmp_path: Path) -> None:
    done = run("investigate", QUESTION, "--embedded", "incident", "--state-dir", str(tmp_path))
    steps = [line.partition(":")[0] for line in done.stdout.splitlines()]
    name = re.findall(r"inv-[0-9a-f]{12}", done.stdout)[-1]
    played = run("replay", name, "--state-dir", str(tmp_path))

    order = ["intent", "context", "hypotheses", "conclusion", "causality", "fact_check", "recommendation"]
    assert [steps.index(step) for step in order] == sorted(steps.index(step) for step in order)
    assert played.stdout.splitlines()[-1] == "The conclusion is the same."


def test_a_record_in_json_is_all_there_is_on_standard_output(tmp_path: Path) -> None:
    done = run("investigate", QUESTION, "--embedded", "incident", "--json", "--state-dir", str(tmp_path))

    assert json.loads(done.stdout)["status"] == "ANSWERED"
    assert "hypotheses: " in done.stderr


@pytest.mark.slow
def test_in_a_terminal_a_tree_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    words = ["investigate", QUESTION, "--embedded", "incident", "--state-dir", str(tmp_path)]
    code, shown = at_a_terminal(words, {})

    assert code == 0
    assert "├── 0.9" in shown
    assert "+ diagnose: " in shown
    assert shown.count("\x1b[2K") > 10  # drawn again and again
    assert "ANSWERED (confidence" in shown
    assert "Hypotheses:" not in shown  # the tree stays


def test_in_a_terminal_a_person_is_asked_before_what_may_be_costly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-nobody")
    monkeypatch.setenv("KUBESTEWARD_ASK_ABOVE_USD", "0")
    words = ["ask", QUESTION, "--embedded", "incident", "--brain", "openai", "--state-dir", str(tmp_path)]
    code, shown = at_a_terminal(words, {"Go on? [y/N]": "n\n"})
    piped = run(*words)

    assert "This may use" in shown
    assert (code, piped.exit_code) == (1, 1)
    assert "Give --yes" in piped.stderr


def test_what_is_over_can_be_neither_resumed_nor_cancelled(tmp_path: Path) -> None:
    done = run("ask", QUESTION, "--embedded", "incident", "--state-dir", str(tmp_path), "--json")
    name = json.loads(done.stdout)["id"]
    cancelled = run("investigate", "--cancel", name, "--state-dir", str(tmp_path))
    resumed = run("investigate", "--resume", name, "--embedded", "incident", "--state-dir", str(tmp_path))

    assert (cancelled.exit_code, resumed.exit_code) == (1, 1)
    assert f"{name} is done." in cancelled.stderr
    assert f"{name} is done." in resumed.stderr


def test_a_brain_that_is_not_set_up_is_told_with_what_to_do(tmp_path: Path) -> None:
    done = run("ask", QUESTION, "--embedded", "incident", "--brain", "clever", "--state-dir", str(tmp_path))

    assert done.exit_code == 1
    assert "There is no brain 'clever'" in done.stderr


def test_saved_cases_are_investigated_and_scored(tmp_path: Path) -> None:
    cases = shared_data("rca/dev")
    some = tmp_path / "cases"
    some.mkdir()
    for case in sorted(cases.iterdir())[:2]:
        (some / case.name).symlink_to(case)
    done = run("eval", str(some), "--brain", "builtin", "--records", str(tmp_path / "records"))

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [set(line) for line in lines] == [{"id", "category", "culprit", "diagnosis", "confidence"}] * 2
    assert "pass rate: 1.0" in done.stderr
    assert all(len(json.loads(file.read_text("utf-8"))["hypotheses"]) >= 3 for file in (tmp_path / "records").iterdir())


@pytest.mark.slow
def test_the_built_in_brain_finds_what_the_rules_alone_find() -> None:
    done = run("eval", str(shared_data("rca/dev")), "--brain", "builtin")

    assert "pass rate: 1.0" in done.stderr


EXPECTED = {
    "category": "DNS",
    "culprit": {"kind": "deploy", "name": "web"},
    "key_phrases": [["ndots", "search"], ["re:port \\d+"]],
}


@pytest.mark.parametrize(
    ("line", "passes"),
    [
        ({"category": "dns", "culprit": {"kind": "Deployment", "name": "web"}, "diagnosis": "Ndots and port 53"}, True),
        ({"category": "DNS", "culprit": {"kind": "Pod", "name": "web-1"}, "diagnosis": "`search` on Port  53"}, True),
        ({"category": "OOM", "culprit": {"kind": "Deployment", "name": "web"}, "diagnosis": "ndots port 53"}, False),
        ({"category": "DNS", "culprit": {"kind": "Deployment", "name": "db"}, "diagnosis": "ndots port 53"}, False),
        ({"category": "DNS", "culprit": {"kind": "Deployment", "name": "web"}, "diagnosis": "ndots"}, False),
        ({"category": "DNS", "culprit": None, "diagnosis": "ndots port 53"}, False),
    ],
)
def test_an_answer_passes_with_category_culprit_and_phrases(line: dict[str, object], passes: bool) -> None:
    owned = {("pod", "web-1"): {("deployment", "web")}}

    assert right(EXPECTED, line, owned) is passes
