"""Every claim of a conclusion is looked up again, silently. A false one sends it back, twice at most; after that the
sentences with false claims are struck out, and if the culprit itself is false, nothing is concluded.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from kubesteward.reasoning.brains.base import Message, Text, ToolResult
from kubesteward.reasoning.facts import truth
from kubesteward.reasoning.facts.absence import is_gone, is_missed, is_wanted, says_it_is
from kubesteward.reasoning.facts.amounts import is_taken, is_told
from kubesteward.reasoning.facts.claims import extract
from kubesteward.reasoning.facts.lookup import Facts
from kubesteward.reasoning.facts.markup import Table
from kubesteward.reasoning.facts.subjects import sentences
from kubesteward.reasoning.facts.verdicts import subject_of
from kubesteward.reasoning.loop.calls import BUILT_IN, Calls
from kubesteward.reasoning.loop.case import Case
from kubesteward.reasoning.loop.state import Claim, Draft, Found, Investigation, Recommendation
from kubesteward.reasoning.loop.words import fenced

MOST_BACK = 2
WELL = "well"
_STATES = {"oomkilled": "OOMKilled", "oom": "OOMKilled"}
_WITH_PODS = frozenset({"Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job"})
_RULES = frozenset({"diagnose", "find_anomalies"})
"""Tools whose words the built-in brain takes over."""
_NOT_ADVICE = frozenset(
    {"ready", "state", "restarts", "exit", "unready", "created", "changed", "ended", "since", "event", "log"}
)
"""What an advice may claim in passing; all else in it may be what is to come."""
_NAMED_BY_OTHERS = frozenset({"", "ConfigMap", "Secret", "PersistentVolumeClaim", "ServiceAccount"})
"""Kinds of what pods name whether it is there or not; "" for a name without a kind."""
STRUCK = "(A statement here did not stand up to a check and was struck out.)"


async def check(case: Case, calls: Calls) -> bool:
    """Whether the conclusion stands, possibly without some of its sentences; else the brain has to say it anew."""
    state = case.state
    draft = state.draft
    assert draft is not None  # noqa: S101 - the step before made it
    claims = await looked_up(draft, calls, state.asked.get("cluster", ""))
    if case.brain.provider == BUILT_IN:
        planned = _said_by(case, {"plan_change"})
        claims = [claim for claim in claims if not _quoted(claim, planned)]  # what would be is not so yet
        claims = _disputed(claims, _said_by(case, _RULES))
    else:
        claims += await _well(draft, calls, state) + await _named(draft, calls, state)
    false = [claim for claim in claims if claim.verdict == "false"]
    state.claims = list({claim.said: claim for claim in reversed(claims)}.values())[::-1]
    state.unchecked = unchecked(draft, claims)
    _counted(case)
    if not false:
        return True
    if state.checked.sent_back < MOST_BACK:
        state.checked.sent_back += 1
        state.draft = None
        state.say(Message("user", (Text(_back(false)),)))
        return False
    state.draft = struck(draft, false)
    return True


def _counted(case: Case) -> None:
    """What came of each claim, once for what is said twice."""
    checked, claims = case.state.checked, case.state.claims
    by = {found: [claim for claim in claims if claim.verdict == found] for found in ("true", "false", "disputed")}
    checked.claims += len(by["true"]) + len(by["false"])
    checked.false += len(by["false"])
    checked.disputed += len(by["disputed"])
    rest = len(claims) - sum(map(len, by.values()))
    disputed = f", {len(by['disputed'])} are disputed" if by["disputed"] else ""
    case.note("fact_check", f"{len(by['true'])} claims hold, {len(by['false'])} are false{disputed}, "
              f"{rest} could not be looked up")  # fmt: skip
    for claim in by["false"] + by["disputed"]:
        case.note("fact_check", f"{claim.verdict}: {claim.sentence or claim.value} ({claim.why})")


async def _named(draft: Draft, calls: Calls, state: Investigation) -> list[Claim]:
    """The name of the cause, where it is a state that pods have."""
    if draft.category.lower() not in _STATES or draft.culprit is None or draft.culprit.kind not in _WITH_PODS:
        return []
    value = _STATES[draft.category.lower()]
    claim = Claim(kind="state", subject=draft.culprit, value=value, sentence=f"The cause is {draft.category}.")
    return [await _judged(claim, Facts(calls.silent, state.asked.get("cluster", "")), draft)]


def unchecked(draft: Draft, claims: Sequence[Claim]) -> list[str]:
    """The sentences of an answer in which nothing was decided: a grammar reads what it knows and no more, and whoever
    reads an answer should know what of it is only said.
    """
    decided = {claim.sentence for claim in claims if claim.verdict != "unknown" and claim.kind not in {"exists", WELL}}
    table = Table()
    said = [sentence for sentence in sentences(draft.answer) if table.read(sentence)]
    return [sentence for sentence in said if sentence not in decided]


async def _well(draft: Draft, calls: Calls, state: Investigation) -> list[Claim]:
    """That all is well is a claim as well, and the rules tell whether they think so too."""
    if draft.status != "HEALTHY":
        return []
    target, scope = (
        state.intent.target,
        {"namespace": state.intent.namespace, "cluster": state.asked.get("cluster", "")},
    )
    given = {"target": f"{target.kind}/{target.name}", **scope, "namespace": target.namespace} if target else scope
    answer = await calls.silent("diagnose", **{name: value for name, value in given.items() if value})
    findings = answer.data.get("findings") or []
    if answer.is_error or not findings:
        return []
    worst = findings[0]
    ill = worst.get("category") not in {"Healthy", "Inconclusive"}
    why = f"the rules find {worst.get('category')}: {worst.get('diagnosis')}"[:300] if ill else ""
    return [Claim(kind=WELL, subject=target, verdict="false" if ill else "true", why=why, sentence=draft.answer)]


def _said_by(case: Case, tools: Collection[str]) -> str:
    """What these tools said in this conversation, as the brain was given it. Errors quote what was asked."""
    talk = case.state.talk
    named = {call.id for message in talk for call in message.calls if call.name in tools}
    parts = [part for message in talk for part in message.parts if isinstance(part, ToolResult)]
    return "\n".join(part.text for part in parts if part.call_id in named and not part.is_error)


def _quoted(claim: Claim, said: str) -> bool:
    """Whether its sentence stands there, word for word, as text or within JSON."""
    return bool(claim.sentence) and (claim.sentence in said or json.dumps(claim.sentence)[1:-1] in said)


def _disputed(claims: list[Claim], rules: str) -> list[Claim]:
    """The built-in brain says what the rules read off the objects, word for word, and would only say it again. Where
    the look-up finds otherwise, two readings disagree: neither is held against the other, and whoever reads is told.
    """
    return [
        claim.model_copy(update={"verdict": "disputed", "why": f"the rules say so, but {claim.why}"})
        if claim.verdict == "false" and _quoted(claim, rules)
        else claim
        for claim in claims
    ]


async def looked_up(draft: Draft, calls: Calls, cluster: str = "") -> list[Claim]:
    """The claims of a conclusion with their verdicts: those of its text, its recommendation's object, and its notes."""
    facts = Facts(calls.silent, cluster)
    index = await facts.index()
    claims = [*_of_fields(draft), *extract(draft.answer, index, draft.culprit)]
    for item in draft.ruled_out:  # what is ruled out is not so; why it is, is
        claims += extract(item.partition(": ")[2], index, draft.culprit)
    advised = extract(draft.recommendation.text, index, draft.culprit)
    claims += [claim for claim in advised if claim.kind in _NOT_ADVICE]
    return [await _judged(claim, facts, draft) for claim in claims]


def _of_fields(draft: Draft) -> list[Claim]:
    """What is claimed beside sentences: in the notes, of the culprit, and of when it began."""
    claims = [claim for claim in draft.claims if claim.kind in truth.KINDS]
    if draft.culprit is not None and draft.culprit.name:
        claims.append(Claim(kind="exists", subject=draft.culprit, sentence=f"The culprit is {draft.culprit}."))
        if draft.since:
            claims.append(Claim(kind="since", subject=draft.culprit, value=draft.since, sentence=draft.since))
    return claims


async def _judged(claim: Claim, facts: Facts, draft: Draft) -> Claim:
    found, why = await truth.verdict(claim, facts)
    if found == "false" and claim.kind == "exists" and (excused := _excused(claim, draft)):
        if not is_missed(claim.sentence) or await is_taken(subject_of(claim), draft.culprit, claim.others, facts):
            found, why = excused, ""
        else:
            why = f"{why}, and nothing asks for it"
    elif found == "false" and claim.kind == "exists" and not says_it_is(claim.sentence):
        one = subject_of(claim)
        if one.kind in _NAMED_BY_OTHERS and await is_told(one, draft.culprit, claim.others, facts):
            found, why = "unknown", ""  # whoever names it did not make it up
    return claim.model_copy(update={"verdict": found, "why": why})


def _excused(claim: Claim, draft: Draft) -> Found | None:
    """That there is none is right where that is what is said, and undecided where something else wants it."""
    assert claim.subject is not None  # noqa: S101 - nothing else is claimed to exist
    name, said = claim.subject.name, [claim.sentence]
    if claim.sentence == f"The culprit is {draft.culprit}.":
        said = [sentence for sentence in sentences(draft.answer) if name in sentence]
    if any(is_gone(sentence, name) for sentence in said):
        return "true"
    elsewhere = any(is_gone(sentence, name) for sentence in sentences(draft.answer))
    return "unknown" if elsewhere or any(is_wanted(sentence, name) for sentence in said) else None


def _back(false: list[Claim]) -> str:
    told = {claim.said: claim for claim in reversed(false)}.values()
    lines = [f"- {claim.sentence or f'{claim.kind} {claim.value}'}\n  but {_why(claim)}" for claim in told]
    return "\n".join(
        ["Your conclusion was looked up before anybody reads it, and this in it is false:",
         fenced("\n".join(lines[::-1][:12]), "the look-up"),
         "Look again where you have to, and `conclude` anew with what is so."]
    )  # fmt: skip


def _why(claim: Claim) -> str:
    """With the object in whole: whether it may be told elsewhere is read off its namespace."""
    about = f" ({claim.subject})" if claim.subject and str(claim.subject) not in claim.why[:300] else ""
    return f"{claim.why[:300]}{about}"


def struck(draft: Draft, false: list[Claim]) -> Draft:
    """Without the sentences that are false. A culprit that is not there, or nothing left, leaves it undecided."""
    gone = {claim.sentence for claim in false if claim.sentence} - {draft.since}

    def without(text: str) -> str:
        for sentence in sorted(gone, key=len, reverse=True):
            text = text.replace(sentence, STRUCK)
        return text

    answer, advice = without(draft.answer), draft.recommendation
    lost = any(_is_the_cause(claim, draft) for claim in false)
    left = answer.replace(STRUCK, "").strip(" .|\n")
    if lost or not left:
        told = "INCONCLUSIVE: recommend human investigation. What was concluded did not stand up to a check."
        nothing = {"status": "INCONCLUSIVE", "answer": told, "culprit": None, "category": "Inconclusive", "since": ""}
        return draft.model_copy(update={**nothing, "confidence": 0.0, "recommendation": Recommendation(text="")})
    invented = any(claim.kind == "since" and claim.value == draft.since for claim in false)
    return draft.model_copy(
        update={
            "answer": answer,
            "confidence": round(draft.confidence * 0.5, 2),
            "ruled_out": [without(item) for item in draft.ruled_out],
            "recommendation": advice.model_copy(update={"text": without(advice.text)}),
            "since": "" if invented else draft.since,
        }
    )


def _is_the_cause(claim: Claim, draft: Draft) -> bool:
    """Whether nothing is left of a conclusion without it."""
    return (
        claim.kind == WELL
        or claim.sentence == f"The cause is {draft.category}."
        or (claim.kind == "exists" and draft.culprit is not None and claim.subject == draft.culprit)
    )
