"""Every check that is shipped is held to what it says by the cases in its own file."""

from __future__ import annotations

import pytest

from kubesteward_policies import checks
from kubesteward_policies.check import FRAMEWORKS, CheckInvalid, read
from kubesteward_policies.checking import items
from kubesteward_tools.checks.cases import play, problems
from kubesteward_tools.checks.natives import NATIVES
from kubesteward_tools.checks.related import RELATIONS
from kubesteward_tools.checks.run import catalogue
from kubesteward_tools.twin.cel import compiled

CHECKS = {item.id: item for item in catalogue()}


@pytest.mark.requirement("checks.cases")
@pytest.mark.parametrize("name", checks.names())
def test_a_check_speaks_where_its_cases_say_so_and_nowhere_else(name: str) -> None:
    check = read(name, checks.text(name), compiled)

    assert all(check.cases.values())
    assert problems(check) == []


def test_every_check_asks_only_for_what_there_is() -> None:
    assert {name for check in CHECKS.values() for name in check.related} <= set(RELATIONS)
    assert {check.native for check in CHECKS.values() if check.native} == set(NATIVES)
    assert {name for check in CHECKS.values() for name in check.frameworks} == set(FRAMEWORKS)


def test_every_relation_is_asked_for_by_a_check() -> None:
    asked = {name for check in CHECKS.values() for name in check.related}

    assert set(RELATIONS) == asked


def test_words_of_a_check_are_whole_sentences() -> None:
    for check in CHECKS.values():
        assert check.why.rstrip().endswith((".", ")")), check.id
        assert check.fix.rstrip().endswith((".", ")")), check.id
        assert not check.title.endswith("."), check.id


def test_a_name_that_is_no_check_is_none() -> None:
    with pytest.raises(KeyError):
        checks.text("../check")


GOOD = """
title: A title
category: security
severity: high
kinds: [Workload]
fails: "true"
message: x
why: Because.
fix: Do.
cases: {pass: [], fail: []}
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title: A title", "titel: A title", "a check has no 'titel'"),
        ("title: A title\n", "", "'title' is missing"),
        ("high", "grave", "severity is one of low, medium, high, critical"),
        ("category: security", "category: other", "category is one of"),
        ('fails: "true"\n', "", "either `fails` or `native`"),
        ('fails: "true"', "fails: object.(", "Syntax error"),
        ("pass: [], fail: []", "pass: []", "cases are two lists"),
        ("why: Because.", "why: [Because]", "'why' is a text"),
        ("fix: Do.", "fix: Do.\nframeworks: {iso: [1]}", "frameworks are"),
        ("title: A title", "title: [", "no YAML"),
        (GOOD, "- 1", "a check is a mapping"),
    ],
)
def test_a_check_that_is_written_wrongly_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(CheckInvalid, match="a-check: .*" + message.replace("[", r"\[")):
        read("a-check", GOOD.replace(old, new), compiled)


def test_an_id_is_lower_case_words() -> None:
    with pytest.raises(CheckInvalid, match="no id"):
        read("A_Check", GOOD)


def test_a_unit_is_no_expression() -> None:
    with pytest.raises(ValueError, match="is a unit"):
        items(read("a-check", GOOD), {}, compiled)


def test_a_case_with_a_key_that_nobody_reads_is_refused() -> None:
    with pytest.raises(ValueError, match="a case has no images"):
        play(CHECKS["host-pid"], {"images": []})
