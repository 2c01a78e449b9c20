"""What to do: every proposed action is rehearsed on the twin, and what is recommended is saved for a person to read."""

from __future__ import annotations

from typing import Any, Literal

from kubesteward.reasoning.loop.answer import HUMAN
from kubesteward.reasoning.loop.calls import Calls
from kubesteward.reasoning.loop.case import Case
from kubesteward.reasoning.loop.state import Draft

_KEPT = ("action", "kind", "name", "namespace", "params", "manifest")
Severity = Literal["info", "low", "medium", "high"]


async def recommend(case: Case, calls: Calls) -> None:
    """Sets what came of rehearsing the actions; those that cannot be rehearsed say why."""
    state = case.state
    draft = state.draft
    assert draft is not None  # noqa: S101 - the steps before made it
    where = {"cluster": state.asked["cluster"]} if state.asked.get("cluster") else {}
    advice = draft.recommendation
    if draft.status == "INCONCLUSIVE" and HUMAN not in draft.answer + advice.text:
        advice = advice.model_copy(update={"text": f"{HUMAN} {advice.text}".strip()})
    actions = [await _rehearsed(case, calls, action, where) for action in advice.actions]
    state.draft = draft.model_copy(update={"recommendation": advice.model_copy(update={"actions": actions})})
    if draft.status == "ANSWERED" and (advice.text or actions):
        await _save(case, calls, state.draft, where)
    if not advice.text and not actions:
        case.note("recommendation", "none: nothing is to be done" if draft.status == "HEALTHY" else "none")


async def _rehearsed(case: Case, calls: Calls, action: dict[str, Any], where: dict[str, str]) -> dict[str, Any]:
    given = {name: value for name, value in action.items() if name in _KEPT and value}
    answer = await calls.silent("simulate_impact", **given, **where)
    if answer.is_error:
        why = str(answer.data.get("message") or answer.text)[:300]
        case.note("recommendation", f"{_told(given)} cannot be rehearsed: {why}")
        return {**given, "verdict": "refused", "why": why}
    rehearsal = answer.data.get("rehearsal") or {}
    found = {
        "summary": str(answer.data.get("summary", "")),
        "verdict": str(answer.data.get("verdict", "unknown")),
        "findings": [str(item.get("message", ""))[:300] for item in rehearsal.get("findings") or []][:5],
        "availability": (rehearsal.get("availability") or [])[:5],
    }
    case.note("recommendation", f"rehearsed: {found['summary']}: {found['verdict']}")
    return {**given, **found}


def _told(action: dict[str, Any]) -> str:
    return f"{action.get('action', 'an action')} of {action.get('kind', '')} {action.get('name', '')}".strip()


async def _save(case: Case, calls: Calls, draft: Draft, where: dict[str, str]) -> None:
    """Raises nothing: a recommendation that cannot be kept is still in the answer."""
    actions = [
        {name: value for name, value in action.items() if name in _KEPT}
        for action in draft.recommendation.actions
        if action["verdict"] != "refused"
    ]
    severity: Severity = "high" if draft.confidence >= 0.8 else "medium"
    title = f"{draft.category or 'Trouble'}: {draft.culprit or 'nothing to blame'}"
    reasoning = f"{draft.answer}\n\n{draft.recommendation.text}".strip()[:8000]
    answer = await calls.silent(
        "draft_recommendation",
        title=title[:200],
        severity=severity,
        reasoning=reasoning,
        proposed_actions=actions,
        **where,
    )
    saved = "" if answer.is_error else str(answer.data.get("id", ""))
    case.note("recommendation", f"saved as {saved}" if saved else f"not saved: {answer.text[:200]}")
    if case.state.draft is not None:
        advice = draft.recommendation.model_copy(update={"saved": saved})
        case.state.draft = draft.model_copy(update={"recommendation": advice})
