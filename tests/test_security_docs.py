"""What docs/security.md claims is held by modules and tests that are there, and its roles are what is needed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from kubesteward.gate import safety
from kubesteward_tools.world.world import TWIN_RESOURCES

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/security.md").read_text("utf-8")
ROLES: dict[str, Any] = {
    role["metadata"]["name"]: role["rules"]
    for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    for role in [yaml.safe_load(block)]
}


def test_every_file_it_names_is_there() -> None:
    named = set(re.findall(r"`((?:server|tools|policies|tests|docs)/[\w/.-]+)`", TEXT))

    assert len(named) > 30
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_every_row_of_attacks_names_what_holds_it() -> None:
    rows = TEXT.partition("## Attacks")[2].partition("\n## ")[0].splitlines()[4:]

    assert [row for row in rows if row.startswith("|") and "`" not in row.split("|")[3]] == []


def test_every_rule_of_safe_mode_is_told_and_no_other() -> None:
    given = set(re.findall(r"liveness\.\w+", Path(safety.__file__).read_text("utf-8")))

    assert set(re.findall(r"liveness\.\w+", TEXT)) == given


def test_the_reading_role_covers_what_a_rehearsal_needs_and_changes_nothing() -> None:
    rules = ROLES["kubesteward-reader"]

    def covered(resource: str) -> bool:
        plural, _, group = resource.partition(".")
        return any(group in rule["apiGroups"] and {plural, "*"} & set(rule["resources"]) for rule in rules)

    assert [resource for resource in TWIN_RESOURCES if not covered(resource)] == []
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list", "watch"}


def test_the_writing_role_reads_and_writes_no_secret_and_no_role() -> None:
    named = {resource for rule in ROLES["kubesteward-writer"] for resource in rule["resources"]}

    assert not named & {"secrets", "roles", "rolebindings", "*"}
