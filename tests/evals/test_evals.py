"""The built-in brain investigates the cases that everybody has, and finds what is wrong in each."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from tests.evals import cases
from typer.testing import CliRunner

from kubesteward.cli.commands import app

FEW = ("incident",)


def evaluated(folder: Path, *names: str) -> tuple[list[dict[str, Any]], dict[str, str]]:
    for name in names:
        cases.write(folder, name)
    said = CliRunner().invoke(app, ["eval", str(folder), "--brain", "builtin"])
    lines = [json.loads(line) for line in said.stdout.splitlines()]
    return lines, dict(line.split(": ", 1) for line in said.stderr.splitlines())


@pytest.mark.parametrize("names", [FEW, pytest.param(tuple(cases.CASES), marks=pytest.mark.slow)], ids=["one", "all"])
def test_the_built_in_brain_passes_and_states_nothing_false(tmp_path: Path, names: tuple[str, ...]) -> None:
    lines, told = evaluated(tmp_path, *names)

    assert [line["id"] for line in lines] == sorted(names)
    assert told["failed"] == "[]"
    assert (told["passed"], told["claims false"], told["usd"]) == (str(len(names)), "0", "0.0")


def test_an_answer_that_blames_another_one_does_not_pass(tmp_path: Path) -> None:
    made = cases.write(tmp_path, "incident")
    solution = json.loads((made / "expected.json").read_text())
    solution["expected"]["culprit"]["name"] = "web"
    (made / "expected.json").write_text(json.dumps(solution))
    told = evaluated(tmp_path)[1]

    assert (told["passed"], told["failed"]) == ("0", "['incident']")


def test_the_table_has_a_row_for_each_brain(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(__file__).parent
    monkeypatch.syspath_prepend(str(folder))
    spec = importlib.util.spec_from_file_location("evals_table", folder / "table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    shown = module.table({"builtin": {"cases": "6", "passed": "6", "tokens": "0", "usd": "0.0"}})

    assert shown.splitlines()[2].startswith("| builtin | 6 of 6 | 0 | 0.0 |")
