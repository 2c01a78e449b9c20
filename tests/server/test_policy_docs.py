"""docs/policies.md is the contract of rules: what there is stands in it, and what it shows holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kubesteward_policies import packs
from kubesteward_policies.cases import play, situated
from kubesteward_policies.documents import read
from kubesteward_policies.rules import NAMES, Effect
from kubesteward_tools.twin.cel import compiled

PAGE = (Path(__file__).parents[2] / "docs" / "policies.md").read_text("utf-8")
RULE, CASE = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_variable_is_documented_with_its_parts(name: str) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}`"))
    usual = situated({})[name]

    assert [part for part in (usual if isinstance(usual, dict) else ()) if f"`{part}`" not in row] == []


def test_every_pack_and_effect_is_documented() -> None:
    assert [word for word in (*packs.names(), *Effect) if f"`{word}`" not in PAGE] == []


def test_the_rule_and_the_case_on_the_page_fit_each_other() -> None:
    assert play("deny.page.yaml", CASE, read((("page", RULE),), compiled), compiled).problem == ""
