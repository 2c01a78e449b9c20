"""Applies rules to the calls of a change. The strictest ruling counts, whatever order rules stand in; what cannot be
evaluated is a denial, so that a broken rule is noticed by being in the way and not by being absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from kubesteward_policies.cel import Compile, Failed, Invalid, Undecided
from kubesteward_policies.rules import NAMES, Effect, Exemption, Match, Rule

Situation = Mapping[str, Any]
"""The variables of a condition (`rules.NAMES`) for one call of a change, as plain data."""
_FIX = "Mend the rule (`kubesteward policy check`), or go back to an earlier set (`kubesteward policy rollback`)."


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a rule says of a change. `exempted` is the justification where an exception softened it to a warning."""

    rule: str
    effect: Effect
    message: str
    remediation: str
    target: str = ""
    exempted: str = ""
    broken: bool = False


def judge(rules: Iterable[Rule], situations: Sequence[Situation], compiled: Compile) -> tuple[Ruling, ...]:
    """At most one ruling of each rule, the strictest last."""
    found = (_strictest(rule, situations, compiled) for rule in rules)
    return tuple(sorted((item for item in found if item is not None), key=lambda item: (item.effect.rank, item.rule)))


def _strictest(rule: Rule, situations: Sequence[Situation], compiled: Compile) -> Ruling | None:
    found = [item for item in (_ruling(rule, one, compiled) for one in situations) if item is not None]
    return max(found, key=lambda item: item.effect.rank, default=None)


def _ruling(rule: Rule, situation: Situation, compiled: Compile) -> Ruling | None:
    if not fits(rule.match, situation, unknown=True):
        return None
    target = _target(situation)
    try:
        if not all(_holds(condition, situation, compiled) for condition in rule.conditions):
            return None
    except (Failed, Invalid, Undecided) as error:
        message = f"the rule could not be evaluated for {target}: {error}"
        return Ruling(rule.id, Effect.DENY, message, _FIX, target, broken=True)
    exemption = next((item for item in rule.exemptions if _excepted(item, situation)), None)
    if exemption is not None:
        why = f"{exemption.justification} (granted by {exemption.granted_by} until {exemption.until.isoformat()})"
        return Ruling(rule.id, Effect.WARN, rule.message, rule.remediation, target, exempted=why)
    return Ruling(rule.id, rule.effect, rule.message, rule.remediation, target)


def _holds(condition: str, situation: Situation, compiled: Compile) -> bool:
    value = compiled(condition, NAMES).evaluate(situation)
    if not isinstance(value, bool):
        raise Failed("a condition is neither true nor false")
    return value


def _excepted(exemption: Exemption, situation: Situation) -> bool:
    """Up to its last moment, and only where everything that it names is known to fit."""
    live = datetime.fromisoformat(situation["now"]) < exemption.until
    return live and fits(exemption.match, situation, unknown=False)


def fits(match: Match, situation: Situation, *, unknown: bool) -> bool:
    """`unknown` is the answer where labels are asked for and nobody knows those of the object."""
    call, change = situation["call"], situation["change"]
    named = (
        (match.tools, change["tool"]),
        (match.verbs, call["verb"]),
        (match.kinds, call["kind"]),
        (match.namespaces, call["namespace"]),
        (match.clusters, situation["cluster"]["name"]),
    )
    if not all(_one_fits(patterns, text) for patterns, text in named):
        return False
    if match.tiers and change["tier"] not in match.tiers:
        return False
    return not match.labels or _labelled(match.labels, situation, unknown=unknown)


def _one_fits(patterns: tuple[str, ...], text: str) -> bool:
    return not patterns or any(fnmatchcase(text, pattern) for pattern in patterns)


def _labelled(wanted: tuple[tuple[str, str], ...], situation: Situation, *, unknown: bool) -> bool:
    """By the labels before or after the change: a change that takes a label away is still one of a labelled object.

    An exception (`unknown` false) wants them both before and after, so that nobody labels an object into it.
    """
    states = [item for item in (situation["oldObject"], situation["object"]) if item is not None]
    if not states:
        return unknown
    fitting = [
        all(fnmatchcase(str(_labels(state).get(key, "")), pattern) and key in _labels(state) for key, pattern in wanted)
        for state in states
    ]
    return any(fitting) if unknown else all(fitting)


def _labels(state: Mapping[str, Any]) -> Mapping[str, Any]:
    return (state.get("metadata") or {}).get("labels") or {}


def _target(situation: Situation) -> str:
    call = situation["call"]
    return (
        f"{call['kind']} {call['namespace']}/{call['name']}" if call["namespace"] else f"{call['kind']} {call['name']}"
    )
