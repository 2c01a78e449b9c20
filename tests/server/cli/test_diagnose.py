"""`kubesteward diagnose`, run as a command: one bundle, many cases, and no file that it was not given."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.tools.diagnosis import lab

from kubesteward_tools.diagnosis import bundles


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kubesteward", "diagnose", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    crash = lab.deployment("checkout", None, [lab.crashing(137, "OOMKilled")])
    lab.written(tmp_path / "case-1", crash, "What is wrong with checkout?")
    lab.written(tmp_path / "case-2", lab.deployment("web"), "Is anything wrong with deployment web?")
    return tmp_path


def test_many_cases_are_answered_with_one_line_each(cases: Path) -> None:
    done = _run("--bundles", str(cases), "--jsonl")
    first, second = map(json.loads, done.stdout.splitlines())

    assert first["culprit"] == {"kind": "Deployment", "name": "checkout", "namespace": "shop"}
    assert (first["id"], first["category"]) == ("case-1", "OOMKilled")
    assert (second["id"], second["category"], second["culprit"]) == ("case-2", "Healthy", None)
    assert {"diagnosis", "confidence", "evidence"} <= first.keys()


def test_a_bundle_is_diagnosed_for_a_target_as_text_and_as_json(cases: Path) -> None:
    text = _run("deployment/checkout", "--bundle", str(cases / "case-1"))
    record = json.loads(_run("--bundle", str(cases / "case-1"), "--json").stdout)

    assert "OOMKilled: Deployment shop/checkout" in text.stdout
    assert record["category"] == "OOMKilled"
    assert record["findings"][0]["category"] == "OOMKilled"


def test_a_target_that_is_not_there_is_said_in_one_sentence(cases: Path) -> None:
    done = _run("deployment/chekout", "--bundle", str(cases / "case-1"))

    assert done.returncode == 1
    assert "checkout" in done.stderr


def test_a_folder_without_cases_is_refused(tmp_path: Path) -> None:
    assert _run("--bundles", str(tmp_path), "--jsonl").returncode == 1


def test_nothing_but_the_three_files_of_a_case_is_opened(cases: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (cases / "case-1" / "expected.json").write_text("{}")
    opened, real = list[str](), Path.read_text

    def remember(self: Path, *given: Any, **named: Any) -> str:
        opened.append(self.name)
        return real(self, *given, **named)

    monkeypatch.setattr(Path, "read_text", remember)
    list(bundles.records(cases, "", 0.0))

    assert {"cluster.json", "logs.json", "prompt.txt"} == set(opened)
