"""`kubesteward ask|investigate|replay|eval`."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import pytest
from tests.data import shared_data
from tests.server.cli.terminal import at_a_terminal, rest, started, until
from typer.testing import CliRunner, Result

from kubesteward.cli.commands import app
from kubesteward.cli.exits import INTERRUPTED
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


def test_ctrl_c_ends_the_question_what_it_may_cost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-nobody")
    monkeypatch.setenv("KUBESTEWARD_ASK_ABOVE_USD", "0")
    words = ["investigate", QUESTION, "--embedded", "incident", "--brain", "openai", "--state-dir", str(tmp_path)]
    code, shown = at_a_terminal(words, {"Go on? [y/N]": "\x03"})

    assert code == INTERRUPTED
    assert "Traceback" not in shown


@pytest.mark.slow
def test_an_investigation_that_ctrl_c_ended_says_how_to_go_on(tmp_path: Path) -> None:
    words = ["investigate", QUESTION, "--embedded", "incident", "--state-dir", str(tmp_path)]
    with started(*words) as process:
        until(process, "intent: ")
        process.send_signal(signal.SIGINT)
        said = rest(process)

    assert process.returncode == INTERRUPTED
    assert re.search(r"inv-[0-9a-f]{12} is kept\. `kubesteward investigate --resume inv-", said)
    assert "Traceback" not in said


def test_a_question_that_is_too_long_is_refused_before_anything_is_looked_up(tmp_path: Path) -> None:
    done = run("ask", "why? " * 500, "--embedded", "incident", "--state-dir", str(tmp_path))

    assert done.exit_code == 1
    assert done.stderr == (
        "kubesteward: the question has 2,500 characters, and 2,000 are the most. "
        "Ask for one thing, and name where it is.\n"
    )


def test_where_the_rules_cannot_look_the_answer_says_why_and_what_there_is(tmp_path: Path) -> None:
    done = run("ask", QUESTION, "--embedded", "incident", "-n", "elsewhere", "--state-dir", str(tmp_path))

    assert done.exit_code == 0
    assert "The rules could not look: there is no namespace 'elsewhere' in embedded incident." in done.stdout
    assert "There are: default, kube-node-lease, kube-public, kube-system, shop." in done.stdout


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

    agreed = run("ask", QUESTION, "--embedded", "incident", "--brain", "clever", "--yes", "--state-dir", str(tmp_path))

    assert [done.exit_code, agreed.exit_code] == [1, 1]
    assert "There is no brain 'clever'" in done.stderr
    assert "There is no brain 'clever'" in agreed.stderr


def saved_case(folder: Path) -> Path:
    """A cluster with nothing in it, of which that is told."""
    (folder / "cases" / "one").mkdir(parents=True)
    (folder / "cases" / "one" / "cluster.json").write_text('{"kind": "List", "items": []}', "utf-8")
    told = {"prompt": "What is wrong?", "expected": {"category": "Healthy", "also_category": ["Inconclusive"]}}
    (folder / "cases" / "one" / "expected.json").write_text(json.dumps(told), "utf-8")
    return folder / "cases"


def test_a_brain_that_is_not_set_up_is_not_judged(tmp_path: Path) -> None:
    done = run("eval", str(saved_case(tmp_path)), "--brain", "clever", "--state-dir", str(tmp_path))

    assert (done.exit_code, done.stdout) == (1, "")
    assert "There is no brain 'clever'" in done.stderr


def test_cases_that_may_be_costly_together_are_agreed_to_before_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-nobody")
    monkeypatch.setenv("KUBESTEWARD_ASK_ABOVE_USD", "1.5")  # each of them alone would be below
    cases = saved_case(tmp_path)
    alone = run("eval", str(cases), "--usd", "0")
    (cases / "two").symlink_to(cases / "one")
    both = run("eval", str(cases), "--usd", "1")

    assert alone.exit_code == 0
    assert (both.exit_code, both.stdout) == (1, "")
    assert "at most $2.00; that is above $1.50. Go on? Give --yes" in both.stderr


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
