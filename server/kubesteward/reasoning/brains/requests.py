"""What the built-in brain does where nobody looks for a cause: it looks up what there is, or has a change planned."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubesteward.reasoning.brains import lookups, telling
from kubesteward.reasoning.brains.base import Json, ToolCall
from kubesteward.reasoning.brains.talk import Talk, call

_PLACED = re.compile(r"\b([a-z0-9][a-z0-9-]*)/([a-z0-9][a-z0-9.-]*)")
"""Namespace and name, as `plan_change` does not read them."""
_ASKING = re.compile(
    r"^\W*(?:is it|would it be|are we|am i) (?:safe|ok(?:ay)?|fine|dangerous|risky) (?:for \w+ )?to\s+|"
    r"^\W*(?:please|can you|could you|what (?:happens|would happen) (?:if|when) (?:i|we)|what if (?:i|we)|"
    r"how (?:would|should|can|do) (?:i|we)|(?:may|should) (?:i|we)|can (?:i|we)(?: safely)?|plan to|plan|"
    r"prepare to)\s+",
    re.I,
)
"""What stands before the change that is meant."""
_NOT_UNDERSTOOD = (
    "INCONCLUSIVE: the rules do not understand the question. They tell what there is, runs, changed, is used, logged, "
    "allowed and connected: name an object, a kind or a namespace. `kubesteward brain add` sets up a model, which "
    "understands more."
)
_FOR_INSTANCE = "Say what to do with what, as in: scale deployment web in shop to 10."
Turn = tuple[str, tuple[ToolCall, ...]]


def following(talk: Talk, intent: str) -> Turn:
    """The next turn for what is no diagnosis."""
    return _looked_up(talk) if intent == "INFORMATIONAL" else _planned(talk)


def _looked_up(talk: Talk) -> Turn:
    calls = lookups.wanted(talk)
    asked = calls or lookups.overview(talk)
    if not any(talk.has(name) for name, _ in asked):
        made = tuple(call(talk, name, given, place) for place, (name, given) in enumerate(asked))
        return "Nothing is complained about, so I look up what is asked for.", made
    lines = [line for line in lookups.told(talk) if line not in talk.false]
    shown = [*lines[: telling.MOST], *([f"And {rest} lines more."] if (rest := len(lines) - telling.MOST) > 0 else [])]
    if calls and lines:
        told: Json = {"status": "ANSWERED", "answer": "\n".join(shown), "confidence": 0.8}
    else:
        why = (
            f"INCONCLUSIVE: {' '.join(talk.failed) or 'nothing of it could be looked up.'}"
            if calls
            else _NOT_UNDERSTOOD
        )
        told = {"status": "INCONCLUSIVE", "answer": "\n".join([why, *shown])}
    return "That is what there is.", (call(talk, "conclude", told),)


def _planned(talk: Talk) -> Turn:
    if not talk.has("plan_change"):
        asked = _ASKING.sub("", talk.heads.get("Question", "")).strip(" ?.!")
        question = _PLACED.sub(r"\2 in \1", asked)
        given = {"intent": question, "cluster": talk.heads.get("Cluster", "")}
        plan = {name: value for name, value in given.items() if value}
        return "A change is wanted: I have it planned and rehearsed, and leave it to people.", (
            call(talk, "plan_change", plan),
        )
    found = next((data for made, _, data in talk.results if made.name == "plan_change"), None)
    if found is None:
        told = f"INCONCLUSIVE: that cannot be planned. {' '.join(talk.failed)}"
        given = {"status": "INCONCLUSIVE", "answer": told, "recommendation": {"text": _FOR_INSTANCE, "actions": []}}
        return "That could not be planned.", (call(talk, "conclude", given),)
    name, verdict = found.get("plan_id", ""), found.get("verdict", "")
    answer = f"Plan {name}, rehearsed: {verdict}.\n{chr(10).join(_steps(found))}\nNothing was changed."
    advice = {"text": _PLAN_ADVICE.get(verdict, _PLAN_ADVICE["warn"]).format(name), "actions": []}
    done = {"status": "ANSWERED", "answer": answer, "confidence": 0.8, "recommendation": advice}
    return "The plan is made.", (call(talk, "conclude", done),)


_PLAN_ADVICE = {
    "safe": "execute_plan proposes plan {} for approval.",
    "warn": "Read what plan {} warns of before execute_plan proposes it.",
    "blocked": "Do not make this change: read what blocks plan {} and remove that first.",
}


def _steps(found: Json) -> Iterator[str]:
    for step in found.get("steps") or []:
        yield f"{step.get('step', '')}. {step.get('summary', '')}: {step.get('verdict', '')}."
        yield from (f"   {risk}" for risk in step.get("risk") or [])
