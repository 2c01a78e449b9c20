"""Commands that look at a cluster say alike where to look, and wrong words are one line and the same exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from tests.server.cli.conftest import Command

from kubesteward.cli.exits import FAILED, OK, USAGE

COMMANDS = ("diagnose", "anomalies", "forecast", "rightsize", "correlate")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_names_places_alike(kubesteward: Command, command: str) -> None:
    said = kubesteward(command, "--help")

    assert said.code == OK
    for option in ("--context NAME", "--bundle PATH", "--embedded [SCENARIO]", "--kubeconfig PATH", "--json", "-n "):
        assert option in said.out


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "words", [["--context", "a", "--embedded"], ["--bundle", "b", "--embedded"], ["--frobnicate"], ["--json=yes"]]
)
def test_a_wrong_command_line_is_one_line(kubesteward: Command, command: str, words: list[str]) -> None:
    said = kubesteward(command, *words)

    assert (said.code, said.out) == (USAGE, "")
    assert said.err.endswith(f". See kubesteward {command} --help.\n")
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize("command", [*COMMANDS, "check --context"])
def test_a_kubeconfig_can_be_named(kubesteward: Command, command: str) -> None:
    said = kubesteward(*command.split(), "--kubeconfig", "/nowhere/config")

    assert said.code == FAILED
    assert "/nowhere/config" in said.err


@pytest.mark.parametrize("command", ["diagnose", "check --cluster"])
def test_json_lines_without_cases_and_namespaces_that_are_not_there_are_refused(
    kubesteward: Command, command: str
) -> None:
    place = ["--embedded", "healthy"]
    said = kubesteward(command.split(maxsplit=1)[0], *place, "-n", "nowhere")

    assert (said.code, said.out) == (FAILED, "")
    assert "there is no namespace 'nowhere'" in said.err
    assert kubesteward("diagnose", *place, "--jsonl").code == USAGE


def test_a_diagnosis_fits_a_terminal_and_has_a_paragraph_for_each_thing() -> None:
    command = [sys.executable, "-m", "kubesteward", "diagnose", "--embedded"]
    env = {**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "ascii"}
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, env=env).stdout

    assert max(map(len, said.splitlines())) <= 80
    assert "   Fix: Raise resources.limits.memory" in said
    assert "   Against it: 2 of 3 pods" in said
    assert "OOMKilled: Container" not in said


def test_the_fix_is_in_the_json_as_a_rehearsal_takes_it(kubesteward: Command) -> None:
    found = json.loads(kubesteward("diagnose", "--embedded", "--json").out)

    proposed = found["findings"][0]["proposed"]
    assert (proposed["action"], proposed["name"], proposed["params"]) == ("rollback", "checkout", {"revision": 2})
