"""The output contract: what whoever asked is handed, whole or as far as it is known."""

from __future__ import annotations

from typing import Any

from kubesteward.reasoning.loop.state import Draft, Investigation

HUMAN = "INCONCLUSIVE: recommend human investigation."


def undecided(state: Investigation, why: str) -> Draft:
    """A conclusion for an investigation that ends without one: what was ruled out, and what is still likely."""
    ruled = [f"{item.category}: {item.because}"[:300] for item in state.hypotheses if item.standing < 0.3]
    left = sorted((item for item in state.hypotheses if item.standing >= 0.3), key=lambda item: -item.standing)
    likely = "; ".join(f"{item.category}{f' of {item.culprit}' if item.culprit else ''}" for item in left[:3])
    text = f"{HUMAN} It ended early: {why}."
    text += f" Not ruled out: {likely}." if likely else ""
    return Draft(status="INCONCLUSIVE", answer=text, category="Inconclusive", ruled_out=ruled)


def record(state: Investigation, *, whole: bool = True) -> dict[str, Any]:
    """As JSON; `whole` with hypotheses, evidence and trace, else only how it stands."""
    found: dict[str, Any] = {"id": state.id, "question": state.question, "run": state.status}
    found["correlation"] = state.asked.get("correlation", "")
    found |= {"step": state.phase} if state.phase else {}
    found |= {"reason": state.reason} if state.reason else {}
    draft = state.draft
    if state.status == "done" and draft is not None:
        found |= {
            "status": draft.status,
            "answer": draft.answer,
            "root_cause": _cause(draft),
            "confidence": draft.confidence,
            "ruled_out": draft.ruled_out,
            "recommendation": draft.recommendation.model_dump(mode="json"),
            "next_mission": next_mission(state, draft),
        }
    found["brain"] = {"name": state.brain, "model": state.model, "status": state.brain_status or "online"}
    found["usage"] = usage(state)
    if not whole:
        return found
    lists = ("hypotheses", "evidence", "claims", "unchecked")
    dumped = state.model_dump(mode="json", include={*lists, "intent", "trace"})
    found |= {name: dumped[name] for name in lists}
    packet = {
        "digest": state.packet.digest,
        "estimated_size": state.packet.tokens,
        "sections": list(state.packet.sections),
    }
    return {**found, "intent": dumped["intent"], "context": packet, "explanation_trace": dumped["trace"]}


def _cause(draft: Draft) -> dict[str, Any] | None:
    if draft.status != "ANSWERED":
        return None
    culprit = draft.culprit.model_dump() if draft.culprit else None
    return {"category": draft.category, "culprit": culprit, "since": draft.since}


def usage(state: Investigation) -> dict[str, Any]:
    spent, checked = state.spent, state.checked
    return {
        **spent.tokens,
        "usd": None if spent.money is None else spent.money / 1_000_000,
        "turns": spent.turns,
        "tool_calls": spent.calls,
        "failed_calls": spent.failed_calls,
        "seconds": spent.seconds,
        "context_saturation": spent.saturation,
        "claims_checked": checked.claims,
        "claims_false": checked.false,
        "claims_disputed": checked.disputed,
        "sentences_unchecked": len(state.unchecked),
        "hallucination_rate": round(checked.rate, 4),
        "reused": state.reused,
    }


def next_mission(state: Investigation, draft: Draft) -> dict[str, Any] | None:
    """What to ask next: whether the fix has helped, or where a person would look now."""
    target = draft.culprit or state.intent.target
    if draft.status == "HEALTHY":
        return None
    name = f"{target.kind}/{target.name}" if target else ""
    space = target.namespace if target else state.intent.namespace
    if draft.status == "ANSWERED" and draft.recommendation.actions:
        return {"mission": "verify", "question": f"Is {target} well after the fix?", "target": name, "namespace": space}
    return {"mission": "look closer", "question": state.question, "target": name, "namespace": space}
