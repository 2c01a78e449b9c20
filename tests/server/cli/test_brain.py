"""`kubesteward brain` sets up, tries, lists, chooses and forgets, and never shows a key."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.server.reasoning.loopback.anthropic import AnthropicServer
from tests.server.reasoning.loopback.ollama import OllamaServer
from tests.server.reasoning.loopback.script import Fail, Turn, Use
from tests.server.reasoning.loopback.server import KEY, MODEL
from typer.testing import CliRunner

from kubesteward.cli.commands import app

Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("KUBESTEWARD_STATE_DIR", str(tmp_path))
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OLLAMA_HOST", "OLLAMA_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return lambda *arguments: CliRunner().invoke(app, ["brain", *arguments])


def test_without_a_brain_the_built_in_one_is_told(run: Run) -> None:
    assert "the built-in one is used" in run("list").output
    assert "the built-in one is used" in run("test").output


def test_a_brain_is_set_up_tried_asked_and_removed(run: Run, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(KEY)
    key.chmod(0o600)
    server = AnthropicServer(Fail(529), Turn(calls=(Use("report", {"word": "ready"}),), input=12, output=3))
    with server.threaded():
        added = run("add", "anthropic", "--name", "main", "--model", MODEL, "--url", server.url, "--key-file", str(key))
        tried = run("test", "main", "--ask")
        listed = run("list", "--json")
    removed = run("remove", "main")

    assert f"Set up main: {MODEL} at {server.url}, on the premises; key: file:{key}." in added.output
    assert "main: would answer" in tried.output
    assert "  calls tools; 12 tokens in, 3 out\n" in tried.output
    assert " s until attempt 2: anthropic is overloaded (that did not work)" in tried.stderr
    assert tried.exit_code == 0
    assert json.loads(listed.output)["brains"][0]["key"] == f"file:{key}"
    assert removed.output == "Removed main.\n"
    assert KEY not in added.output + tried.output + listed.output


def test_who_changed_which_brain_is_in_the_audit_log(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    for words in (["add", "anthropic"], ["use", "anthropic", "--role", "solver"], ["remove", "anthropic"]):
        assert run(*words).exit_code == 0
    listed = CliRunner().invoke(app, ["audit", "query", "--type", "brain_*", "--format", "json"])
    records = sorted(json.loads(listed.output), key=lambda item: item["seq"])

    assert [item["type"] for item in records] == ["brain_set", "brain_chosen", "brain_removed"]
    assert [item["brain"].get("name", item["brain"].get("brains")) for item in records] == [
        "anthropic",
        ["anthropic"],
        "anthropic",
    ]
    assert {item["actor"]["kind"] for item in records} == {"human"}
    assert KEY not in listed.output


def test_doctor_says_which_brain_is_offline_and_why(run: Run) -> None:
    server = OllamaServer(models=("other",))
    with server.threaded():
        run("add", "ollama", "--model", "qwen3", "--url", server.url)
        found = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).output)
    brain = next(item for item in found if item["name"] == "brain ollama")

    assert brain["state"] == "warn"
    assert brain["found"].startswith("brain offline: ")
    assert "ollama pull qwen3" in brain["todo"]


def test_a_brain_that_would_not_answer_fails_the_test(run: Run) -> None:
    server = OllamaServer(models=("other",))
    with server.threaded():
        run("add", "ollama", "--model", "qwen3", "--url", server.url)
        missing = run("test")
    stopped = run("test", "ollama")

    assert "brain offline: Ollama has not pulled qwen3. Run `ollama pull qwen3`." in missing.output
    assert "brain offline: ollama is not running" in stopped.output
    assert "`ollama serve`" in stopped.output
    assert (missing.exit_code, stopped.exit_code) == (1, 1)


def test_an_address_on_a_private_network_has_to_be_allowed(run: Run) -> None:
    arguments = ("add", "openai-compatible", "--name", "vllm", "--model", "m", "--url", "http://10.0.0.8:8000/v1")
    refused, allowed = run(*arguments), run(*arguments, "--private")

    assert refused.exit_code == 1
    assert "add --private" in refused.stderr
    assert "on the premises" in allowed.output


def test_a_key_that_is_not_there_is_told_before_anything_is_kept(run: Run) -> None:
    found = run("add", "openai", "--key-env", "NOT_THERE")

    assert found.exit_code == 1
    assert "The variable NOT_THERE is not set." in found.stderr
    assert "the built-in one is used" in run("list").output


def test_a_brain_that_cannot_do_without_a_key_wants_one(run: Run) -> None:
    found = run("add", "anthropic")

    assert found.exit_code == 1
    assert "needs a key. Set ANTHROPIC_API_KEY, or give --key-env, --key-file or --keychain." in found.stderr


def test_ctrl_c_where_a_key_is_asked_for_is_an_interruption(run: Run) -> None:
    found = run("add", "anthropic", "--keychain")  # an input that is at its end is the same to the prompt

    assert (found.exit_code, "Aborted" in found.output) == (130, False)
    assert "the built-in one is used" in run("list").output


def test_a_key_cannot_be_in_two_places(run: Run) -> None:
    assert "two places" in run("add", "openai", "--key-env", "A", "--key-file", "b").stderr


def test_the_usual_variable_is_taken_and_told_where_it_leads(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    found = run("add", "openai")

    assert "https://api.openai.com/v1, elsewhere: what it is told leaves the premises; key: env:OPENAI_API_KEY" in (
        found.output
    )
    assert KEY not in found.output


def test_who_wants_which_is_kept(run: Run) -> None:
    run("add", "ollama", "--model", "qwen3")
    used = run("use", "ollama", "builtin", "--role", "scanner", "--for", "local:alice", "--may-leave")
    listed = run("list")
    cleared = run("use", "--role", "scanner", "--for", "local:alice")

    assert [line.split() for line in listed.output.splitlines()[:2]] == [
        ["name", "kind", "model", "address", "key"],
        ["ollama", "ollama", "qwen3", "http://127.0.0.1:11434", "none"],
    ]
    assert "Where nobody has chosen, ollama is asked." in listed.output
    assert used.output == "local:alice, scanner: ollama, then builtin\n"
    assert "local:alice, scanner: ollama, then builtin, also elsewhere" in listed.output
    assert cleared.output == "local:alice, scanner: no choice of their own\n"
    assert "scanner" not in run("list").output


def test_a_brain_that_is_not_there_is_told(run: Run) -> None:
    assert "There is no brain 'x'" in run("test", "x").stderr
    assert "There is no brain 'x'" in run("use", "x").stderr
