"""What a pipe and a terminal are told while an investigation goes on, and what they are not."""

from __future__ import annotations

import errno
import io
import sys

import pytest

from kubesteward.cli.progress import Lines


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Gone(io.StringIO):
    def write(self, _text: str) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


def counted_down(view: Lines) -> None:
    with view:
        for left in (20, 19, 18):
            view.tell("waiting", f"{left} s until attempt 2: a provider asks for fewer requests")
        view.tell("waiting", "4 s until attempt 3: a provider asks for fewer requests")


def test_a_pipe_is_told_of_a_wait_once(capsys: pytest.CaptureFixture[str]) -> None:
    counted_down(Lines(to_stderr=True, urgent=True))

    assert [line.partition(":")[2] for line in capsys.readouterr().err.splitlines()] == [
        " 20 s until attempt 2: a provider asks for fewer requests",
        " 4 s until attempt 3: a provider asks for fewer requests",
    ]


def test_a_countdown_at_a_terminal_is_one_line_written_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", shown := Terminal())
    monkeypatch.setenv("COLUMNS", "40")
    counted_down(Lines(to_stderr=True, urgent=True))

    assert shown.getvalue().count("\n") == 1
    assert shown.getvalue().count("\r\x1b[2K") == 4
    assert "waiting: 18 s until attempt 2: a provid\r" in shown.getvalue()


def test_whoever_waits_for_the_answer_alone_hears_what_is_urgent(capsys: pytest.CaptureFixture[str]) -> None:
    view = Lines(to_stderr=True, urgent=True)
    for step in ("thought", "brain", "evidence", "budget"):
        view.tell(step, "it is so")

    assert capsys.readouterr().err == "brain: it is so\nbudget: it is so\n"


def test_a_pipe_that_nobody_reads_any_more_ends_no_investigation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Gone())
    Lines().tell("thought", "I look")
