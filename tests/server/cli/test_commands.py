"""Every command line ends with a code that `exits` documents, and what is wrong with it is one sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.server.cli.conftest import Command

from kubesteward import __version__
from kubesteward.cli.exits import FAILED, OK, USAGE

COMMANDS = [
    "serve",
    "demo",
    "cluster",
    "approve",
    "reject",
    "actions",
    "console",
    "audit",
    "doctor",
    "install",
    "rehearse",
    "version",
]
PROGRAM = [sys.executable, "-m", "kubesteward"]


@pytest.mark.parametrize("words", [["version"], ["--version"]], ids=" ".join)
def test_the_version_is_told_alone(kubesteward: Command, words: list[str]) -> None:
    said = kubesteward(*words)

    assert (said.code, said.out, said.err) == (OK, f"{__version__}\n", "")


def test_the_help_names_every_command_and_every_exit_code(kubesteward: Command) -> None:
    said = kubesteward("--help")

    assert said.code == OK
    assert [name for name in COMMANDS if f"  {name} " not in said.out] == []
    assert [code for code in ("0", "1", "2", "3", "130") if code not in said.out.split()] == []


@pytest.mark.parametrize("name", [*COMMANDS, "audit verify"])
def test_every_command_explains_itself(kubesteward: Command, name: str) -> None:
    said = kubesteward(*name.split(), "--help")

    assert said.code == OK
    assert "usage: kubesteward " + name in said.out.replace("Usage:", "usage:")
    assert said.err == ""


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("rewind", "No such command 'rewind'"),
        ("rehearse", "Missing option '--cases'"),
        ("rehearse --cases x", "Missing option '--out'"),
        ("rehearse --cases x --out y --jobs 0", "Invalid value for '--jobs'"),
        ("--frob", "No such option: --frob"),
        ("serve --frob", "unrecognized arguments: --frob"),
        ("serve stray", "unrecognized arguments: stray"),
        ("serve --port http", "argument --port: invalid int value: 'http'"),
        ("serve --autonomy 5", "argument --autonomy: invalid choice: 5"),
        ("serve --transport sse", "argument --transport: invalid choice: 'sse'"),
        ("serve --kubeconfig", "argument --kubeconfig: expected one argument"),
        ("demo fast", "Got unexpected extra argument(s) (fast)"),
        ("cluster", "Missing option '--kubeconfig'"),
        ("cluster --kubeconfig x --nodes 0", "Invalid value for '--nodes'"),
        ("cluster --kubeconfig x --nodes 501", "Invalid value for '--nodes'"),
        ("cluster --kubeconfig x --nodes three", "Invalid value for '--nodes'"),
        ("approve", "Missing argument 'action'"),
        ("approve act-1 act-2", "Got unexpected extra argument(s) (act-2)"),
        ("reject", "Missing argument 'action'"),
        ("actions all", "Got unexpected extra argument(s) (all)"),
        ("actions --state-dir", "Option '--state-dir' requires an argument"),
        ("audit repair", "No such command 'repair'"),
        ("audit verify log", "Got unexpected extra argument(s) (log)"),
        ("doctor quick", "Got unexpected extra argument(s) (quick)"),
        ("install", "Missing argument 'client'"),
        ("install emacs", "'emacs' is not one of 'claude-desktop', 'claude-code', 'cursor', 'vscode'"),
        ("install cursor --name", "Option '--name' requires an argument"),
    ],
)
def test_a_wrong_command_line_is_told_what_is_wrong(kubesteward: Command, home: Path, line: str, sentence: str) -> None:
    said = kubesteward(*line.split())

    assert said.code == USAGE
    assert sentence in said.err
    assert said.out == ""
    assert [item.name for item in home.iterdir()] == ["tmp"]


@pytest.mark.parametrize("words", [["serve"], ["actions"], ["approve", "act-1"], ["audit", "verify"], ["doctor"]])
@pytest.mark.parametrize(("name", "value"), [("AUTONOMY", "9"), ("LOG_LEVEL", "loud"), ("HTTP_PORT", "high")])
def test_a_wrong_variable_is_named_by_every_command_that_reads_it(
    kubesteward: Command, monkeypatch: pytest.MonkeyPatch, words: list[str], name: str, value: str
) -> None:
    monkeypatch.setenv(f"KUBESTEWARD_{name}", value)
    said = kubesteward(*words)

    assert said.code == FAILED
    assert said.err.startswith(f"kubesteward: KUBESTEWARD_{name}: ")
    assert said.err.count("\n") == 1


def test_a_wrong_scenario_lists_the_right_ones(kubesteward: Command, home: Path) -> None:
    for words in (["serve", "--embedded", "nope"], ["cluster", "--kubeconfig", "kc", "--scenario", "nope"]):
        said = kubesteward(*words)

        assert said.code == FAILED
        assert said.err.startswith("kubesteward: there is no scenario 'nope'. Choose one of: empty, healthy, ")
        assert not (home / "kc").exists()


@pytest.mark.parametrize(
    ("place", "reason"), [("missing/kc", "No such file or directory"), ("tmp", "Is a directory"), ("file/kc", "Not a")]
)
def test_a_kubeconfig_that_cannot_be_written_is_named(
    kubesteward: Command, home: Path, place: str, reason: str
) -> None:
    (home / "file").touch()
    said = kubesteward("cluster", "--kubeconfig", place, "--scenario", "empty")

    assert said.code == FAILED
    assert said.err.startswith(f"kubesteward: the kubeconfig {place} cannot be written ({reason}")
    assert sorted(item.name for item in home.iterdir()) == ["file", "tmp"]


@pytest.mark.parametrize("words", [["actions"], ["approve", "act-1"], ["reject", "act-1"], ["audit", "verify"]])
def test_a_file_in_the_place_of_the_state_folder_is_named(kubesteward: Command, home: Path, words: list[str]) -> None:
    (home / "state").write_text("mine")
    said = kubesteward(*words)

    assert said.code == FAILED
    assert str(home / "state") in said.err
    assert said.err.count("\n") == 1
    assert (home / "state").read_text() == "mine"


def test_without_arguments_and_without_a_terminal_it_serves(home: Path) -> None:
    done = subprocess.run(PROGRAM, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (OK, "", "")
    assert [item.name for item in home.iterdir()] == ["tmp"]


@pytest.mark.parametrize("line", ["--help", "doctor"])
def test_a_full_disk_is_one_sentence(line: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*PROGRAM, *line.split()], stdout=full, stderr=subprocess.PIPE, text=True, timeout=30, check=False
        )

    assert done.returncode == FAILED
    assert done.stderr == "kubesteward: [Errno 28] No space left on device\n"


@pytest.mark.parametrize("line", ["--help", "install cursor --print", pytest.param("demo", marks=pytest.mark.slow)])
def test_a_reader_that_has_gone_is_no_news(home: Path, line: str) -> None:
    """As behind `| head -1`: the rest is written to nobody."""
    with subprocess.Popen([*PROGRAM, *line.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
        assert started.stdout is not None
        assert started.stderr is not None
        started.stdout.close()
        said = started.stderr.read()

    assert (started.returncode, said) == (FAILED, b"")
    assert list((home / "tmp").iterdir()) == []


def test_the_demonstration_goes_well_and_leaves_nothing(home: Path) -> None:
    done = subprocess.run([*PROGRAM, "demo", "--json"], capture_output=True, text=True, timeout=60, check=False)
    told = json.loads(done.stdout)

    assert (done.returncode, done.stderr) == (OK, "")
    assert told["ok"] is True
    assert [step["title"] for step in told["steps"] if not step["ok"]] == []
    assert list((home / "tmp").iterdir()) == []


def test_a_server_does_not_start_on_a_bundle_that_is_not_there(kubesteward: Command, tmp_path: Path) -> None:
    said = kubesteward("serve", "--bundle", str(tmp_path / "nowhere"))

    assert (said.code, said.out) == (FAILED, "")
    assert said.err.splitlines()[-1].startswith(f"kubesteward: no bundle is at {tmp_path / 'nowhere'}.")
