"""The program as people and hosts run it: processes of their own, waited for by what they say."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence

PROGRAM = [sys.executable, "-m", "kubesteward"]
PATIENCE = 30.0
_CTRL_C = b"\x03"
TAKE_OVER = """\
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Makes the terminal the process's own, so that ^C typed there is a signal to it."""


@contextlib.contextmanager
def impatient(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> Iterator[None]:
    """What hangs is killed, and the test that waits for its end of file goes on."""
    timer = threading.Timer(PATIENCE, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def at_a_terminal(words: Sequence[str], answers: Mapping[str, str]) -> tuple[int, str]:
    """Exit code as a shell shows it, and everything on the screen; `answers` are typed, each once, when its question
    is seen. Python ends itself with the signal where ^C came within an `exec`, as of a dataclass that is just loaded.

    ^C is typed again and again, as people do: a signal between Python's last look at signals and its read of the
    terminal ends nothing.
    """
    ours, theirs = pty.openpty()
    waiting, seen, interrupted = dict(answers), "", False
    command = [sys.executable, "-c", TAKE_OVER, *PROGRAM, *words]
    started = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    with started, impatient(started):
        while True:
            if interrupted and not select.select([ours], [], [], 1.0)[0]:
                os.write(ours, _CTRL_C)
                continue
            if not (part := _read(ours)):
                break
            seen += part
            for question in [item for item in waiting if item in seen]:
                typed = waiting.pop(question).encode()
                interrupted = typed == _CTRL_C
                os.write(ours, typed)
    os.close(ours)
    code = started.returncode
    return 128 - code if code < 0 else code, seen


def _read(terminal: int) -> str:
    try:
        return os.read(terminal, 4096).decode(errors="replace")
    except OSError:  # how a terminal says that the last process has gone
        return ""


@contextlib.contextmanager
def started(*words: str, python: Sequence[str] = ()) -> Iterator[subprocess.Popen[str]]:
    """A running command with an open standard input. Both its outputs are `stdout`; to be left when it has ended."""
    command = [PROGRAM[0], *python, *PROGRAM[1:], *words]
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, **streams, text=True) as process, impatient(process):
        try:
            yield process
        finally:
            process.kill()


def until(process: subprocess.Popen[str], text: str) -> str:
    """The first line that holds `text`."""
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if text in line:
            return line
    raise AssertionError(f"it never said {text!r}, but {''.join(seen)[-2000:]}")


def rest(process: subprocess.Popen[str]) -> str:
    """All that it still says until it ends."""
    assert process.stdout is not None
    said = process.stdout.read()
    process.wait(PATIENCE)
    return said
