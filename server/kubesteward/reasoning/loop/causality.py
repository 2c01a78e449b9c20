"""A cause comes before what it causes, and there is a way in the graph from the one to the other. Both are looked up;
a conclusion that fails is sent back once, and then stands with less confidence. What cannot be looked up is no doubt,
and the explanation says that it was not looked up.
"""

from __future__ import annotations

from kubesteward.reasoning.brains.base import Message, Text
from kubesteward.reasoning.facts.lookup import Facts, seconds
from kubesteward.reasoning.facts.read import created
from kubesteward.reasoning.loop.calls import Calls
from kubesteward.reasoning.loop.case import Case
from kubesteward.reasoning.loop.state import Culprit, Draft

DEPTH = 4
DOUBTED = 0.5
"""What is left of the confidence in a cause that comes too late or has nothing to do with the effect."""
_FLEETING = frozenset({"Pod", "ReplicaSet", "Job", "Namespace"})
_ROOM = 300.0
"""Seconds by which a beginning may be told too early."""
_CHANGES = frozenset({"rollout", "restart", "config", "scale", "change"})
"""Kinds of changes, of an object's making apart, that may be what a roll-out broke."""


async def validate(case: Case, calls: Calls) -> bool:
    """Whether the conclusion may go on to the fact check; else the brain has to think again."""
    state = case.state
    draft = state.draft
    assert draft is not None  # noqa: S101 - the step before made it
    if draft.culprit is None or draft.status != "ANSWERED":
        case.note("causality", "nothing is blamed, so there is nothing to validate")
        return True
    apart, way = await _connected(case, calls, draft.culprit)
    late, order = await _before(calls, draft, draft.culprit, state.asked.get("cluster", ""))
    doubts = [doubt for doubt in (apart, late) if doubt]
    if not doubts:
        case.note("causality", f"{draft.culprit}: {way}; {order}")
        return True
    for doubt in doubts:
        case.note("causality", doubt)
    if not state.doubts:
        state.doubts, state.draft = 1, None
        told = "\n".join(f"- {doubt}" for doubt in doubts)
        state.say(Message("user", (Text(f"Your conclusion is doubted:\n{told}\nExplain it or conclude otherwise."),)))
        return False
    state.draft = draft.model_copy(update={"confidence": round(draft.confidence * DOUBTED, 2)})
    return True


async def _connected(case: Case, calls: Calls, culprit: Culprit) -> tuple[str, str]:
    """What speaks against it; else how it is connected to what is complained about."""
    target = case.state.intent.target
    if target is None:
        return "", "the cluster as a whole is complained about"
    if (target.name, target.namespace) == (culprit.name, culprit.namespace):
        return "", "it is what is complained about"
    spaces = {culprit.name, culprit.namespace}
    if culprit.kind in {"Namespace", "ResourceQuota", "LimitRange"} and target.namespace in spaces:
        return "", f"{target} is subject to it"
    where = {"cluster": case.state.asked["cluster"]} if case.state.asked.get("cluster") else {}
    reach = set[str]()
    for one in (target, culprit):
        answer = await calls.silent(
            "get_topology", resource=f"{one.kind}/{one.name}", namespace=one.namespace, depth=DEPTH, **where
        )
        if answer.is_error:
            return "", f"whether it is connected to {target} could not be looked up"
        ids = {str(node.get("id")) for node in answer.data.get("nodes") or []}
        if reach & ids or (_id(culprit) in ids and one is target):
            return "", f"there is a way in the graph from it to {target}"
        reach |= ids
    return f"there is no way in the graph from {culprit} to {target}", ""


def _id(one: Culprit) -> str:
    return f"{one.kind}/{one.namespace}/{one.name}" if one.namespace else f"{one.kind}/{one.name}"


async def _before(calls: Calls, draft: Draft, culprit: Culprit, cluster: str) -> tuple[str, str]:
    """What speaks against it; else what is known of the order in time. An object that was made after the trouble began
    has not caused it, nor has a roll-out that came after; nor has what is still to come.
    """
    began = seconds(draft.since)
    if not began:
        return "", "since when is not said, so the order in time was not looked up"
    facts = Facts(calls.silent, cluster)
    try:
        obj = await facts.object(culprit)
    except LookupError:
        return "", "when it was made could not be looked up"
    if facts.now and began > facts.now + _ROOM:
        return f"{draft.since} is still to come", ""
    if obj is None:
        return "", "it is not there, so there is no order in time"
    made = 0.0 if culprit.kind in _FLEETING else created(obj)
    if made > began + _ROOM:
        return f"{culprit} was made {(made - began) / 60:.0f} minutes after the trouble began ({draft.since})", ""
    if "rollout" in draft.category.lower() and (first := await _first_change(facts, culprit)) > began + _ROOM:
        return f"the first change of {culprit} came {(first - began) / 60:.0f} minutes after the trouble began", ""
    known = "it was there when" if made else "it may have been made anew since"
    return "", f"{known} the trouble began ({draft.since})"


async def _first_change(facts: Facts, culprit: Culprit) -> float:
    """Of the last two days, epoch seconds; 0.0 where none is known."""
    named = f"{culprit.kind}/{culprit.name}"
    known = [item for item in await facts.changes(culprit) if item.get("object") == named]
    times = [seconds(str(item.get("at", ""))) for item in known if item.get("kind") in _CHANGES]
    return min(times, default=0.0)
