"""docs/investigations.md names every step, option, limit and part of the record there is."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from typer.main import get_command

from kubesteward.cli.commands import app
from kubesteward.reasoning.loop.loop import STEPS
from kubesteward.reasoning.loop.state import Budget

TEXT = (Path(__file__).parents[4] / "docs/investigations.md").read_text("utf-8")


@pytest.mark.parametrize("name", ["ask", "investigate", "replay", "eval"])
def test_every_option_is_named(name: str) -> None:
    group = get_command(app)
    assert isinstance(group, click.Group)
    options = [option.opts[0] for option in group.commands[name].params if isinstance(option, click.Option)]

    assert f"`{name} " in TEXT
    assert [option for option in options if option not in TEXT and option not in {"-n", "--help"}] == []


def test_every_step_is_named() -> None:
    assert [step for step in STEPS if f"| {step.replace('_', ' ')} |" not in TEXT] == []


def test_the_limits_are_those_that_hold() -> None:
    budget = Budget.model_validate({})
    told = f"{budget.turns} turns, {budget.seconds / 60:g} minutes, {budget.tokens:,} tokens or {budget.usd:g} dollars"

    assert told in TEXT.replace("\n", " ")
