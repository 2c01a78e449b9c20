"""`kubesteward stop` and `resume` say what they did and how much was open."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from kubesteward.cli.commands import app


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("KUBESTEWARD_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("KUBESTEWARD_PRINCIPAL", "local:alice")
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def test_stop_tells_who_why_and_what_is_open(run) -> None:  # type: ignore[no-untyped-def]  # a function of texts
    found = run("stop", "--reason", "nobody is on call")

    assert found.exit_code == 0
    assert "local:alice stopped all changes at" in found.output
    assert "nobody is on call" in found.output
    assert "Open actions: 0, of which 0 had begun" in found.output


def test_stop_wants_a_reason(run) -> None:  # type: ignore[no-untyped-def]  # a function of texts
    assert run("stop").exit_code == 2


def test_doctor_tells_of_the_stop_and_resume_ends_it(run) -> None:  # type: ignore[no-untyped-def]  # a function of texts
    run("stop", "--reason", "nobody is on call")
    told = run("doctor").output
    resumed = run("resume").output
    again = run("resume").output

    assert "safe mode, nothing is changed: local:alice stopped all changes" in told
    assert resumed.startswith("Changes are possible again; local:alice stopped")
    assert again == "Changes were not stopped.\n"
