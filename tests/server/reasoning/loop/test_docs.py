"""docs/investigations.md names every step, option, limit and part of the record there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kubesteward.cli.commands import app
from kubesteward.reasoning.loop.loop import STEPS
from kubesteward.reasoning.loop.state import Budget

TEXT = (Path(__file__).parents[4] / "docs/investigations.md").read_text("utf-8")


@pytest.mark.parametrize("name", ["ask", "investigate", "replay", "eval"])
def test_every_option_is_named(name: str) -> None:
    shown = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"}).stdout
    options = set(re.findall(r"--[a-z-]+", shown)) - {"--help"}

    assert f"`{name} " in TEXT
    assert sorted(option for option in options if option not in TEXT) == []


def test_every_step_is_named() -> None:
    assert [step for step in STEPS if f"| {step.replace('_', ' ')} |" not in TEXT] == []


def test_the_limits_are_those_that_hold() -> None:
    budget = Budget.model_validate({})
    told = f"{budget.turns} turns, {budget.seconds / 60:g} minutes, {budget.tokens:,} tokens or {budget.usd:g} dollars"

    assert told in TEXT.replace("\n", " ")
