"""The steps of an investigation, in their order. Each ends with the state stored, so that whoever has it can go on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from kubesteward.reasoning.brains.base import BrainError, BrainForbidden
from kubesteward.reasoning.loop import answer, causality, conversation, factcheck, intent, packet, recommendation
from kubesteward.reasoning.loop.calls import Calls
from kubesteward.reasoning.loop.case import Case
from kubesteward.reasoning.loop.guards import Enough
from kubesteward.reasoning.loop.state import Investigation
from kubesteward_tools.errors import Refused

Work = Callable[[Case, Calls], Awaitable[str | None]]
"""Does a step; returns the name of the next one, None for the one that follows."""


async def _intent(case: Case, calls: Calls) -> None:
    await intent.understand(case, calls)


async def _context(case: Case, calls: Calls) -> str | None:
    """What is known goes into the packet. The same question about an unchanged world has its answer already."""
    await packet.gather(case, calls)
    before = case.known(case.state)
    if before is None:
        return None
    state = case.state
    state.hypotheses, state.evidence, state.calls = before.hypotheses, before.evidence, before.calls
    state.draft, state.reused = before.draft, before.id
    state.brain, state.model = before.brain, before.model
    case.note("context", f"nothing has changed since {before.id}, which asked the same: its answer is checked anew")
    return "causality"


async def _evidence(case: Case, calls: Calls) -> None:
    """Hypotheses and evidence are one conversation. What ends it early still leads to an answer."""
    try:
        await conversation.think(case, calls)
    except Enough as limit:
        case.note("guard", str(limit))
        case.state.draft = answer.undecided(case.state, str(limit))


async def _causality(case: Case, calls: Calls) -> str | None:
    return None if await causality.validate(case, calls) else _again(case)


async def _fact_check(case: Case, calls: Calls) -> str | None:
    return None if await factcheck.check(case, calls) else _again(case)


def _again(case: Case) -> str:
    """Think once more; what was reused was wrong for this world, and is begun anew."""
    state = case.state
    if state.reused:
        state.reused, state.messages, state.calls = "", [], []
        state.hypotheses, state.evidence = [], []
    return "evidence"


async def _recommendation(case: Case, calls: Calls) -> None:
    await recommendation.recommend(case, calls)


STEPS: Mapping[str, Work] = {
    "intent": _intent,
    "context": _context,
    "evidence": _evidence,
    "causality": _causality,
    "fact_check": _fact_check,
    "recommendation": _recommendation,
}
_ORDER = tuple(STEPS)


async def run(case: Case) -> Investigation:
    """From wherever it stands to its end. Never raises for what a brain does; a person's wish and a broken store do.

    Raises:
        Interrupted: somebody wants it to pause or to end. StoreUnusable: nothing can be stored.
    """
    state = case.state
    calls = await _calls(case)
    state.phase = state.phase or _ORDER[0]
    case.save()
    while state.phase:
        try:
            following = await STEPS[state.phase](case, calls)
        except (BrainError, Refused) as error:
            if case.fallback is None or case.brain is case.fallback:
                raise
            _fall_back(case, error)
            continue
        at = _ORDER.index(state.phase)
        state.phase = following or (_ORDER[at + 1] if at + 1 < len(_ORDER) else "")
        if not state.phase:
            state.status = "done"
        case.save()
    return state


async def _calls(case: Case) -> Calls:
    offered = await case.hands.tools()
    listed = {"tools": [tool.to_json() for tool in offered]}
    case.archive.record(case.state.id, "tools", "tools", listed)
    return Calls(case, offered)


def _fall_back(case: Case, error: Exception) -> None:
    """The built-in brain costs nothing and needs nobody: it goes on, and says that it does."""
    assert case.fallback is not None  # noqa: S101 - looked at before
    state = case.state
    offline = isinstance(error, BrainError) and not isinstance(error, BrainForbidden)
    what = "brain offline" if offline else "brain not asked"
    state.brain_status = f"{what}: {case.brain.name}: {error}"
    case.note("brain", f"{state.brain_status} The built-in brain goes on.")
    case.brain = case.fallback
    state.messages, state.draft = [], None
    state.asked["brain"] = case.fallback.name  # whoever takes this up goes on with the one that can read it
    case.save()
