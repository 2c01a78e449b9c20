"""A home of its own for every command, in this process or in one of its own."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kubesteward.cli import entry


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nobody's own kubeconfig, store or client is seen or touched; what a command makes is in here."""
    for name in os.environ:
        if name in {"KUBECONFIG", "XDG_CONFIG_HOME", "XDG_DATA_HOME"} or name.startswith("KUBESTEWARD_"):
            monkeypatch.delenv(name)
    folder = tmp_path / "home"
    (folder / "tmp").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder / "tmp"))
    monkeypatch.setenv("KUBESTEWARD_STATE_DIR", str(folder / "state"))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def kubesteward(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """Runs a command line as the console script does; whatever else than an exit code comes out fails the test."""
    before = signal.getsignal(signal.SIGINT)

    def run(*words: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["kubesteward", *words])
        with pytest.raises(SystemExit) as ended:
            entry.main()
        out, err = capsys.readouterr()
        code = ended.value.code
        return Said(code if isinstance(code, int) else int(code is not None), out, err)

    yield run
    signal.signal(signal.SIGINT, before)
