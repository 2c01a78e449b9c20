"""Every command ends with a code and one sentence, wherever in it something goes wrong."""

from __future__ import annotations

import pytest

from kubesteward.cli import entry
from kubesteward.cli.exits import FAILED, INTERRUPTED, one_sentence
from kubesteward.cli.serve import serve
from kubesteward_tools.errors import InvalidArguments


def test_an_error_out_of_a_task_group_is_one_sentence_too(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, one_sentence():
        raise ExceptionGroup("", [ExceptionGroup("", [InvalidArguments("no token is set.", todo="Set one.")])])

    assert ended.value.code == FAILED
    assert capsys.readouterr().err == "kubesteward: no token is set. Set one.\n"


def test_a_fault_in_a_task_group_is_not_hidden() -> None:
    with pytest.raises(ExceptionGroup), one_sentence():
        raise ExceptionGroup("", [InvalidArguments("no token is set."), RuntimeError("a fault")])


def test_a_server_that_would_be_open_to_all_says_why_it_does_not_start(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        serve(["--transport", "http", "--host", "0.0.0.0", "--port", "0"])

    said = capsys.readouterr().err
    assert ended.value.code == FAILED
    assert "no token is set" in said
    assert "Traceback" not in said


def test_ctrl_c_before_a_command_is_loaded_is_an_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: list[str]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(entry, "_run", interrupted)
    with pytest.raises(SystemExit) as ended:
        entry.main()

    assert ended.value.code == INTERRUPTED
