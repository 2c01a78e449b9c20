"""The program as people and hosts run it: processes of their own, waited for by what they say."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

PROGRAM = [sys.executable, "-m", "kubesteward"]
PATIENCE = 30.0
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
    """Exit code, and everything on the screen; `answers` are typed, each once, when its question is seen."""
    ours, theirs = pty.openpty()
    waiting, seen = dict(answers), ""
    command = [sys.executable, "-c", TAKE_OVER, *PROGRAM, *words]
    started = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    with started, impatient(started):
        while part := _read(ours):
            seen += part
            for question in [item for item in waiting if item in seen]:
                os.write(ours, waiting.pop(question).encode())
    os.close(ours)
    return started.returncode, seen


def _read(terminal: int) -> str:
    try:
        return os.read(terminal, 4096).decode(errors="replace")
    except OSError:  # how a terminal says that the last process has gone
        return ""


def children(of: int) -> list[int]:
    """The processes that a process has started and that are still there (Linux)."""
    listed = Path(f"/proc/{of}/task/{of}/children")
    return [int(item) for item in listed.read_text().split()] if listed.exists() else []
