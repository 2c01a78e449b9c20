"""Every claim of a conclusion is looked up again, silently. A false one sends it back, twice at most; after that the
sentences with false claims are struck out, and if the culprit itself is false, nothing is concluded.
"""

from __future__ import annotations

import json

from kubesteward.reasoning.brains.base import Message, Text, ToolResult
from kubesteward.reasoning.facts import truth
from kubesteward.reasoning.facts.claims import extract
from kubesteward.reasoning.facts.lookup import Facts
from kubesteward.reasoning.loop.calls import BUILT_IN, Calls
from kubesteward.reasoning.loop.case import Case
from kubesteward.reasoning.loop.state import Claim, Draft

MOST_BACK = 2
STRUCK = "(A statement here did not stand up to a check and was struck out.)"


_GONE = (
    " missing", " not exist", "n't exist", " not found", " no ", " nonexistent", " absent", " was deleted", " gone",
    " not there", " nobody ", " neither",
)  # fmt: skip
_WANTED = (
    " never ", " unknown", " lacks", " without", " create", " needs", " cannot ", " forbidden", "error creating",
    " refuse", " wants", " asks for", " points to", " refers", " expects", " not bound", " deleted",
)  # fmt: skip
"""Words of sentences that may name something because it is not there."""


async def check(case: Case, calls: Calls) -> bool:
    """Whether the conclusion stands, possibly without some of its sentences; else the brain has to say it anew."""
    state = case.state
    draft = state.draft
    assert draft is not None  # noqa: S101 - the step before made it
    claims = await looked_up(draft, calls, state.asked.get("cluster", ""))
    if case.brain.provider == BUILT_IN:
        claims = _disputed(claims, _rules(case))
    false = [claim for claim in claims if claim.verdict == "false"]
    decided = [claim for claim in claims if claim.verdict != "unknown"]
    state.claims = claims
    state.checked.claims += len(decided)
    state.checked.false += len(false)
    case.note("fact_check", f"{len(decided) - len(false)} claims hold, {len(false)} are false, "
              f"{len(claims) - len(decided)} could not be looked up")  # fmt: skip
    if not false:
        return True
    for claim in false:
        case.note("fact_check", f"false: {claim.sentence or claim.value} ({claim.why})")
    if state.checked.sent_back < MOST_BACK:
        state.checked.sent_back += 1
        state.draft = None
        state.say(Message("user", (Text(_back(false)),)))
        return False
    state.draft = struck(draft, false)
    return True


def _rules(case: Case) -> str:
    """What `diagnose` said in this conversation, as the built-in brain was given it."""
    named = {call.id for message in case.state.talk for call in message.calls if call.name == "diagnose"}
    parts = [part for message in case.state.talk for part in message.parts if isinstance(part, ToolResult)]
    return "\n".join(part.text for part in parts if part.call_id in named)


def _disputed(claims: list[Claim], rules: str) -> list[Claim]:
    """The built-in brain says what the rules read off the objects, word for word: where the look-up finds otherwise,
    two readings disagree, and neither is held against the other.
    """
    return [
        claim.model_copy(update={"verdict": "unknown", "why": f"the rules say so, but {claim.why}"})
        if claim.verdict == "false" and claim.sentence and json.dumps(claim.sentence)[1:-1] in rules
        else claim
        for claim in claims
    ]


async def looked_up(draft: Draft, calls: Calls, cluster: str = "") -> list[Claim]:
    """The claims of a conclusion with their verdicts: those of its text, its recommendation's object, and its notes."""
    facts = Facts(calls.silent, cluster)
    index = await facts.index()
    claims = [claim for claim in draft.claims if claim.kind in truth.KINDS]
    if draft.culprit is not None and draft.culprit.name:
        claims.append(Claim(kind="exists", subject=draft.culprit, sentence=f"The culprit is {draft.culprit}."))
    claims += extract(draft.answer, index, draft.culprit)
    claims = list({(claim.kind, str(claim.subject), claim.value): claim for claim in reversed(claims)}.values())[::-1]
    return [await _judged(claim, facts, draft) for claim in claims]


async def _judged(claim: Claim, facts: Facts, draft: Draft) -> Claim:
    found, why = await truth.verdict(claim, facts)
    if found == "false" and claim.kind == "exists" and _is_missing(claim, draft):
        found, why = "true", ""
    return claim.model_copy(update={"verdict": found, "why": why})


def _is_missing(claim: Claim, draft: Draft) -> bool:
    """Whether it is said of an object that it is not there: then it is right that there is none."""
    words = f" {claim.sentence.lower()} "
    if draft.culprit is not None and claim.sentence.startswith("The culprit is"):
        return any(word in f" {draft.answer.lower()} " for word in _GONE)
    return any(word in words for word in (*_GONE, *_WANTED))


def _back(false: list[Claim]) -> str:
    lines = [f"- {claim.sentence or f'{claim.kind} {claim.value}'}\n  but {claim.why}" for claim in false[:12]]
    return "\n".join(
        ["Your conclusion was looked up before anybody reads it, and this in it is false:", *lines,
         "Look again where you have to, and `conclude` anew with what is so."]
    )  # fmt: skip


def struck(draft: Draft, false: list[Claim]) -> Draft:
    """Without the sentences that are false. A culprit that is not there, or nothing left, leaves it undecided."""
    answer = draft.answer
    for sentence in {claim.sentence for claim in false if claim.sentence}:
        answer = answer.replace(sentence, STRUCK)
    lost = any(
        claim.kind == "exists" and draft.culprit is not None and claim.subject == draft.culprit for claim in false
    )
    left = answer.replace(STRUCK, "").strip(" .|\n")
    if lost or not left:
        told = "INCONCLUSIVE: recommend human investigation. What was concluded did not stand up to a check."
        return draft.model_copy(
            update={
                "status": "INCONCLUSIVE",
                "answer": told,
                "culprit": None,
                "category": "Inconclusive",
                "confidence": 0.0,
            }
        )
    return draft.model_copy(update={"answer": answer, "confidence": round(draft.confidence * 0.5, 2)})
