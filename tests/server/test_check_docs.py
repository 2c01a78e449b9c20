"""docs/checks.md names every check, variable, relation and option there is."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from kubesteward.cli.check import parser
from kubesteward_policies.check import CATEGORIES, FRAMEWORKS, NAMES, UNITS
from kubesteward_tools.checks.related import RELATIONS
from kubesteward_tools.checks.run import Asked, catalogue

PAGE = (Path(__file__).parents[2] / "docs" / "checks.md").read_text("utf-8")


def test_every_check_stands_in_its_table_as_it_is() -> None:
    marks = {item.id: "p" if item.needs else "o" if item.optional else "" for item in catalogue()}
    rows = [f"| `{item.id}` | {item.severity.value} | {marks[item.id]} | {item.title} |" for item in catalogue()]

    assert [row for row in rows if row not in PAGE] == []
    assert PAGE.count("\n| `") - len(rows) < 40


def test_every_word_of_a_check_is_documented() -> None:
    words = (*NAMES, *RELATIONS, *FRAMEWORKS, *UNITS, *CATEGORIES)

    assert [word for word in words if f"`{word}`" not in PAGE] == []


def test_every_long_option_is_in_the_page_or_in_the_help() -> None:
    help_text = parser().format_help()
    shown = set(re.findall(r"--[a-z][a-z-]+", PAGE))

    assert [option for option in shown if option not in help_text] == []


def test_the_settings_on_the_page_are_those_of_checks() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    settings = yaml.safe_load(text)
    known = {item.id: item for item in catalogue()}

    assert set(settings) <= set(known)
    asked = Asked(params=settings)
    assert all(asked.chosen(known[name]) for name in settings)
    for name, params in settings.items():
        assert set(params) <= {*known[name].params, "exemptImages"}
