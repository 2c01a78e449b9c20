"""Every rule that is shipped is held to what it says by cases in files."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubesteward_policies import packs
from kubesteward_policies.cases import CaseInvalid, play, situated
from kubesteward_policies.documents import read
from kubesteward_policies.rules import RuleSet
from kubesteward_tools.twin.cel import compiled

CASES = sorted((Path(__file__).parent / "packs").glob("*.yaml"))


def pack(name: str) -> RuleSet:
    return read(((name, packs.text(name)),), compiled)


@pytest.mark.requirement("guardrails.packs")
@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_a_case_of_a_pack_goes_as_its_file_says(path: Path) -> None:
    rules = pack(path.name.split(".")[1])

    assert play(path.name, path.read_text("utf-8"), rules, compiled).problem == ""


@pytest.mark.parametrize("name", packs.names())
def test_every_rule_of_a_pack_has_a_case_in_which_it_speaks(name: str) -> None:
    rules = pack(name)
    trials = [play(path.name, path.read_text("utf-8"), rules, compiled) for path in CASES if f".{name}." in path.name]
    spoken = {ruling.rule for trial in trials for ruling in trial.rulings}

    assert spoken == {rule.id for rule in rules.rules}


def test_all_packs_together_are_one_set_of_rules() -> None:
    rules = read(tuple((name, packs.text(name)) for name in packs.names()), compiled)

    assert packs.names() == ("default", "freeze-window", "production", "strict")
    assert all(rule.message and rule.remediation and rule.description for rule in rules.rules)


def test_an_unknown_pack_is_none() -> None:
    with pytest.raises(KeyError):
        packs.text("../default")


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        (
            "deny.x.yaml",
            "{rule: default.volumes, context: {call: {kind: Pod}, oldObject: {}}}",
            "default.volumes says nothing",
        ),
        ("allow.x.yaml", "context: {call: {kind: PersistentVolumeClaim, verb: delete}}", "default.volumes denies it"),
        ("allow.x.yaml", "context: {call: {namespace: shop}}", "default.floating-image: the rule could not"),
        (
            "deny.x.yaml",
            "{rule: default.volumes, effect: warn, context: {call: {kind: PersistentVolumeClaim, verb: delete}}}",
            "default.volumes says deny and not warn",
        ),
    ],
)
def test_a_case_that_goes_otherwise_says_how(name: str, text: str, problem: str) -> None:
    assert problem in play(name, text, pack("default"), compiled).problem


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("case.yaml", "rule: a", "begins with allow. or deny."),
        ("deny.yaml", "context: {}", "`rule` is missing"),
        ("allow.yaml", "rules: a", "a case is a mapping of context, effect, rule"),
        ("allow.yaml", "- a", "a case is a mapping"),
        ("allow.yaml", "a: [", "no YAML"),
        ("allow.yaml", "context: [1]", "context is a mapping"),
        ("allow.yaml", "context: {cal: {}}", "context has no 'cal'"),
        ("allow.yaml", "context: {call: {verbs: patch}}", "context.call is a mapping of verb"),
    ],
)
def test_a_file_that_is_no_case_is_refused(name: str, text: str, why: str) -> None:
    with pytest.raises(CaseInvalid, match=why):
        play(name, text, pack("default"), compiled)


def test_a_moment_without_quotes_stays_text() -> None:
    trial = play(
        "allow.x.yaml", "context: {now: 2026-11-22T12:00:00Z, request: {dryRun: true}}", pack("freeze-window"), compiled
    )

    assert trial.problem == ""
    assert situated({})["now"] == "2026-11-18T10:00:00Z"
