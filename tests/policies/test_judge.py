"""Deny wins, whatever else is said in whatever order; what cannot be evaluated denies."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesteward_policies.cases import situated
from kubesteward_policies.judge import Ruling, fits, judge
from kubesteward_policies.rules import Effect, Exemption, Match, Rule
from kubesteward_tools.twin.cel import compiled

CONDITIONS = ("true", "false", "autonomy == 2", "call.verb == 'delete'", "object.spec.x", "call.name", "1/0 == 1")
UNTIL = datetime(2026, 11, 19, tzinfo=UTC)


def rule(name: str = "r", effect: Effect = Effect.DENY, *conditions: str, **more: Any) -> Rule:
    return Rule(name, effect, "says", "do", conditions=conditions, **more)


def ruled(*rules: Rule, **given: Any) -> tuple[Ruling, ...]:
    return judge(rules, [situated(given)], compiled)


rules_of_any_kind = st.lists(
    st.builds(
        lambda name, effect, conditions, match: Rule(f"r{name}", effect, "m", "d", "", match, tuple(conditions)),
        st.integers(0, 99),
        st.sampled_from(Effect),
        st.lists(st.sampled_from(CONDITIONS), max_size=2),
        st.sampled_from([Match(), Match(verbs=("delete",)), Match(namespaces=("s*",)), Match(labels=(("a", "b"),))]),
    ),
    max_size=6,
    unique_by=lambda item: item.id,
)


def denies(rulings: tuple[Ruling, ...]) -> bool:
    return bool(rulings) and rulings[-1].effect is Effect.DENY


@pytest.mark.requirement("guardrails.deny-wins")
@given(rules_of_any_kind, st.randoms())
def test_the_order_of_rules_changes_nothing(rules: list[Rule], chance: Any) -> None:
    shuffled = list(rules)
    chance.shuffle(shuffled)

    assert ruled(*rules) == ruled(*shuffled)


@given(rules_of_any_kind)
def test_a_denial_by_any_rule_is_the_last_word(rules: list[Rule]) -> None:
    alone = any(denies(ruled(item)) for item in rules)

    assert denies(ruled(*rules)) == alone


@given(rules_of_any_kind, rules_of_any_kind)
def test_a_rule_that_is_added_never_turns_a_denial_into_something_else(rules: list[Rule], more: list[Rule]) -> None:
    if denies(ruled(*rules)):
        assert denies(ruled(*rules, *more))


@given(rules_of_any_kind)
def test_the_same_question_has_the_same_answer(rules: list[Rule]) -> None:
    assert ruled(*rules) == ruled(*rules)


@pytest.mark.requirement("guardrails.fail-closed")
@pytest.mark.parametrize("effect", Effect)
@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("object.spec.x == 1", "no such overload"),
        ("call.nothing == 1", "no such key: nothing"),
        ("call.name", "a condition is neither true nor false"),
        ("nobody", "undeclared reference"),
    ],
)
def test_what_cannot_be_evaluated_denies_whatever_the_rule_would_do(effect: Effect, condition: str, why: str) -> None:
    (ruling,) = ruled(rule("r", effect, condition))

    assert (ruling.rule, ruling.effect, ruling.broken) == ("r", Effect.DENY, True)
    assert why in ruling.message
    assert "kubesteward policy check" in ruling.remediation


def test_all_conditions_have_to_hold() -> None:
    assert ruled(rule("r", Effect.DENY, "true", "false")) == ()
    assert [item.rule for item in ruled(rule("r", Effect.DENY, "true", "autonomy == 2"))] == ["r"]


def test_the_strictest_call_of_a_change_counts() -> None:
    held = rule("r", Effect.DENY, "call.name == 'b'")
    situations = [situated({"call": {"name": name}}) for name in "abc"]

    assert [item.target for item in judge([held], situations, compiled)] == ["Deployment shop/b"]


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        (Match(), True),
        (Match(tools=("patch_*",)), True),
        (Match(tools=("scale_*", "patch_resource")), True),
        (Match(tools=("scale_*",)), False),
        (Match(tiers=(1, 2)), False),
        (Match(verbs=("patch",), kinds=("Deployment",), namespaces=("sh?p",), clusters=("lab",), tiers=(4,)), True),
        (Match(kinds=("deployment",)), False),
        (Match(namespaces=("prod*",)), False),
        (Match(clusters=("prod",)), False),
    ],
)
def test_a_match_fits_where_each_of_its_parts_does(match: Match, expected: bool) -> None:
    assert fits(match, situated({}), unknown=True) is expected


def labelled(value: str | None) -> dict[str, Any]:
    return {"metadata": {"labels": {"team": value} if value else None}}


@pytest.mark.parametrize(
    ("old", "new", "rule_fits", "exception_fits"),
    [
        (labelled("a"), labelled("a"), True, True),
        (labelled("a"), labelled(None), True, False),
        (labelled(None), labelled("a"), True, False),
        (labelled("b"), labelled("b"), False, False),
        (None, None, True, False),
    ],
)
def test_labels_count_before_and_after_and_what_is_unknown_is_in_nobodys_favour(
    old: Any, new: Any, rule_fits: bool, exception_fits: bool
) -> None:
    situation = situated({"oldObject": old, "object": new})
    match = Match(labels=(("team", "a*"),))

    assert fits(match, situation, unknown=True) is rule_fits
    assert fits(match, situation, unknown=False) is exception_fits


@pytest.mark.requirement("guardrails.exceptions")
@pytest.mark.parametrize(
    ("now", "effect"), [("2026-11-18T23:59:59Z", Effect.WARN), ("2026-11-19T00:00:00Z", Effect.DENY)]
)
def test_an_exception_holds_until_its_moment_and_is_told(now: str, effect: Effect) -> None:
    exemption = Exemption(Match(namespaces=("shop",)), "OPS-1: it cannot wait", "bob", UNTIL)
    (ruling,) = ruled(rule("r", Effect.DENY, exemptions=(exemption,)), now=now)

    assert ruling.effect is effect
    assert ("OPS-1: it cannot wait (granted by bob" in ruling.exempted) is (effect is Effect.WARN)


def test_an_exception_of_somewhere_else_does_not_count_and_none_mends_a_broken_rule() -> None:
    elsewhere = rule("r", exemptions=(Exemption(Match(namespaces=("lab",)), "j", "bob", UNTIL),))
    broken = replace(elsewhere, conditions=("call.x",), exemptions=(Exemption(Match(), "j", "bob", UNTIL),))

    assert [item.effect for item in ruled(elsewhere)] == [Effect.DENY]
    assert [item.effect for item in ruled(broken)] == [Effect.DENY]
