"""Notes: what a brain tells the loop in the form of calls, which the loop answers by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from kubesteward.reasoning.brains.base import ToolCall, ToolResult, ToolSpec
from kubesteward.reasoning.loop.case import Case
from kubesteward.reasoning.loop.state import (
    Claim,
    Culprit,
    Draft,
    Evidence,
    Hypothesis,
    Investigation,
    Outcome,
    Recommendation,
    Verdict,
)

FEWEST = 3
MOST = 24
MOST_EVIDENCE = 200
"""Hypotheses: with fewer, the first idea is the last."""


_Line = Annotated[str, Field(max_length=600)]


class _Supposed(BaseModel):
    id: str = Field(min_length=1, max_length=20)
    category: str = Field(
        max_length=100, description="e.g. OOMKilled, CrashLoop, ImagePull, ServiceRouting, ConfigMissing, Quota"
    )
    culprit: Culprit | None = None
    because: str = Field(max_length=600)
    confirms: list[_Line] = Field(min_length=1, max_length=6)
    refutes: list[_Line] = Field(min_length=1, max_length=6)


class _Hypothesise(BaseModel):
    hypotheses: list[_Supposed] = Field(min_length=1, max_length=12)


class _Weighed(BaseModel):
    hypothesis: str
    call: str = Field(description="the number of the call, as in [call 3]")
    verdict: Verdict
    weight: float = Field(ge=0, le=1)
    says: str = Field(max_length=400)


class _Weigh(BaseModel):
    evidence: list[_Weighed] = Field(min_length=1, max_length=40)


class _Advice(BaseModel):
    text: str = Field("", max_length=2000)
    actions: list[dict[str, Any]] = Field(
        default_factory=list, max_length=5, description="{action, kind, name, namespace, params} as in simulate_impact"
    )


class _Claimed(BaseModel):
    kind: str = Field(max_length=40)
    subject: Culprit | None = None
    value: str = Field("", max_length=300)


class _Conclude(BaseModel):
    status: Outcome
    answer: str = Field(min_length=1, max_length=4000, description="for a person: cause, evidence, fix")
    category: str = Field("", max_length=100)
    culprit: Culprit | None = Field(None, description="the object that somebody has to change")
    since: str = Field("", max_length=40, description="RFC 3339, when it began")
    confidence: float = Field(0.0, ge=0, le=1)
    ruled_out: list[_Line] = Field(default_factory=list, max_length=12)
    recommendation: _Advice = Field(default_factory=lambda: _Advice(text=""))
    claims: list[_Claimed] = Field(default_factory=list, max_length=40)


_WORDS: Mapping[str, tuple[type[BaseModel], str]] = {
    "hypothesise": (_Hypothesise, "Note at least three plausible causes, with what confirms and refutes each."),
    "weigh": (_Weigh, "Note what a call says about a hypothesis."),
    "conclude": (_Conclude, "End the investigation with the root cause. Its claims are looked up first."),
}


def _inlined(node: Any, parts: Mapping[str, Any]) -> Any:
    """Without references: some providers do not follow them."""
    if isinstance(node, list):
        return [_inlined(item, parts) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inlined(parts[node["$ref"].rpartition("/")[2]], parts)
    dropped = {"$defs", "title", "default"}
    return {
        name: _inlined(value, parts)
        for name, value in node.items()
        if name not in dropped or (name == "title" and isinstance(value, dict))
    }


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    whole = model.model_json_schema()
    found: dict[str, Any] = _inlined(whole, whole.get("$defs", {}))
    return found


NOTES: tuple[ToolSpec, ...] = tuple(ToolSpec(name, words, _schema(model)) for name, (model, words) in _WORDS.items())
NAMES = frozenset(_WORDS)


def take(case: Case, call: ToolCall) -> ToolResult:
    """What the loop answers; the state has it then."""
    if call.malformed:
        return ToolResult(call.id, f"Not noted: {call.malformed}", is_error=True)
    try:
        note = _WORDS[call.name][0].model_validate(call.arguments)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:5])
        return ToolResult(call.id, f"Not noted: {faults}.", is_error=True)
    said, refused = _TAKERS[call.name](case, note)
    return ToolResult(call.id, said, is_error=refused)


def _hypothesise(case: Case, note: Any) -> tuple[str, bool]:
    state = case.state
    known = {item.id: item for item in state.hypotheses}
    known |= {item.id: _renewed(item, known.get(item.id)) for item in note.hypotheses}
    if len(known) > MOST:
        return f"Not noted: {len(known)} are too many. Keep to {MOST}, and test those.", True
    if (found := _different(known.values())) < FEWEST:
        return f"Not noted: {found} are too few. Name at least {FEWEST} causes that could be, however unlike.", True
    state.hypotheses = list(known.values())
    told = ", ".join(f"{item.id} {item.category}" for item in state.hypotheses)
    case.note("hypotheses", f"{len(known)} hypotheses: {told}")
    return f"Noted: {told}. Test them.", False


def _different(ideas: Iterable[Hypothesis]) -> int:
    """The same idea under another id is no other one."""
    return len({(item.category.lower(), str(item.culprit), item.because.lower()) for item in ideas})


def _renewed(item: _Supposed, before: Hypothesis | None) -> Hypothesis:
    """What was weighed stays weighed when it is only said in other words; another cause begins anew."""
    new = Hypothesis.model_validate(item.model_dump())
    same = before is not None and (before.category, before.culprit) == (new.category, new.culprit)
    return new.model_copy(update={"standing": before.standing}) if same and before else new


def _weigh(case: Case, note: Any) -> tuple[str, bool]:
    state, wrong = case.state, []
    made = {call.number: call for call in state.calls}
    if len(state.evidence) + len(note.evidence) > MOST_EVIDENCE:
        return f"Not noted: {MOST_EVIDENCE} pieces of evidence are enough. Conclude.", True
    for item in note.evidence:
        hypothesis = state.hypothesis(item.hypothesis)
        call = made.get(item.call.removeprefix("call").strip(" []#"))
        if hypothesis is None or call is None:
            lost = f"hypothesis {item.hypothesis[:20]}" if hypothesis is None else f"call {item.call[:20]}"
            wrong.append(f"there is no {lost}")
            continue
        if any((one.hypothesis, one.call) == (item.hypothesis, call.number) for one in state.evidence):
            wrong.append(f"what call {call.number} says about {item.hypothesis} is weighed already")
            continue
        found = {**item.model_dump(), "call": call.number, "tool": call.tool}
        state.evidence.append(Evidence.model_validate(found))
        hypothesis.standing = moved(hypothesis.standing, item.verdict, item.weight)
        case.note("evidence", f"{item.hypothesis} {item.verdict} ({item.weight:g}): {item.says}", call.number)
    told = ", ".join(f"{item.id} {item.standing:.2f}" for item in state.hypotheses)
    return f"{'Not noted: ' + '; '.join(wrong) + '. ' if wrong else ''}They stand at {told}.", bool(wrong)


def moved(standing: float, verdict: str, weight: float) -> float:
    """What one piece of evidence makes of a hypothesis: never quite certain, never quite out of the question."""
    if verdict == "supports":
        standing += (0.99 - standing) * weight * 0.8
    elif verdict == "refutes":
        standing -= (standing - 0.01) * weight * 0.8
    return round(standing, 3)


def _too_early(state: Investigation) -> str:
    """Why nothing can be concluded yet. Only who looks for a cause needs causes to choose from."""
    wants_cause = state.intent.kind == "DIAGNOSTIC"
    if wants_cause and len(state.hypotheses) < FEWEST:
        return f"Not yet: `hypothesise` at least {FEWEST} causes first."
    if not state.calls:
        return "Not yet: no tool has been asked. Look first."
    if wants_cause and not state.evidence:
        return "Not yet: `weigh` what the calls said first."
    return ""


def _conclude(case: Case, note: Any) -> tuple[str, bool]:
    state = case.state
    if refusal := _too_early(state):
        return refusal, True
    given = note.model_dump()
    given["recommendation"] = Recommendation.model_validate(given["recommendation"])
    given["claims"] = [Claim.model_validate(item) for item in given["claims"]]
    state.draft = Draft.model_validate(given)
    case.note("conclusion", f"{note.status}: {note.answer}")
    return "It is being checked.", False


_TAKERS: Mapping[str, Callable[[Case, Any], tuple[str, bool]]] = {
    "hypothesise": _hypothesise,
    "weigh": _weigh,
    "conclude": _conclude,
}
