"""docs/brains.md names every command, option, kind and place of a key there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer

from kubesteward.cli.brain import app
from kubesteward.reasoning.brains.registry import MODELS, URL_VARIABLES
from kubesteward.reasoning.brains.setups import KINDS, ROLES

TEXT = (Path(__file__).parents[3] / "docs/brains.md").read_text("utf-8")
_COMMON = {"--state-dir", "--json", "--help"}


def _commands() -> dict[str, Any]:
    group: Any = typer.main.get_command(app)
    return dict(group.commands)


@pytest.mark.parametrize("command", sorted(_commands()))
def test_every_command_is_told_with_its_options(command: str) -> None:
    options = {option for parameter in _commands()[command].params for option in parameter.opts if option[:2] == "--"}

    assert f"`brain {command}" in TEXT
    assert {option for option in options - _COMMON if option not in TEXT} == set()


@pytest.mark.parametrize("word", [*KINDS, *ROLES, *URL_VARIABLES.values(), MODELS["anthropic"]])
def test_every_kind_role_and_variable_is_told(word: str) -> None:
    assert word in TEXT
