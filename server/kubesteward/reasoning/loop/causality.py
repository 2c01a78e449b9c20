"""A cause comes before what it causes, and there is a way in the graph from the one to the other. Both are looked up;
a conclusion that fails is sent back once, and then stands with less confidence.
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


async def validate(case: Case, calls: Calls) -> bool:
    """Whether the conclusion may go on to the fact check; else the brain has to think again."""
    state = case.state
    draft = state.draft
    assert draft is not None  # noqa: S101 - the step before made it
    if draft.culprit is None or draft.status != "ANSWERED":
        case.note("causality", "nothing is blamed, so there is nothing to validate")
        return True
    where = {"cluster": state.asked["cluster"]} if state.asked.get("cluster") else {}
    doubts = [
        *await _unconnected(case, calls, draft.culprit, where),
        *await _too_late(case, calls, draft, state.asked.get("cluster", "")),
    ]
    if not doubts:
        case.note("causality", f"{draft.culprit} comes before the effect and is connected to it")
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


async def _unconnected(case: Case, calls: Calls, culprit: Culprit, where: dict[str, str]) -> list[str]:
    """Without a target, what is complained about is the cluster, and everything is connected to that."""
    target = case.state.intent.target
    if target is None or (target.name, target.namespace) == (culprit.name, culprit.namespace):
        return []
    if culprit.kind in {"Namespace", "ResourceQuota", "LimitRange"} and target.namespace in {
        culprit.name,
        culprit.namespace,
    }:
        return []
    reach = set[str]()
    for one in (target, culprit):
        answer = await calls.silent(
            "get_topology", resource=f"{one.kind}/{one.name}", namespace=one.namespace, depth=DEPTH, **where
        )
        if answer.is_error:
            return []  # what is not in the graph cannot be told to be unconnected
        ids = {str(node.get("id")) for node in answer.data.get("nodes") or []}
        if reach & ids or (_id(culprit) in ids and one is target):
            return []
        reach |= ids
    return [f"there is no way in the graph from {culprit} to {target}"]


def _id(one: Culprit) -> str:
    return f"{one.kind}/{one.namespace}/{one.name}" if one.namespace else f"{one.kind}/{one.name}"


async def _too_late(case: Case, calls: Calls, draft: Draft, cluster: str) -> list[str]:
    """An object that was made after the trouble began has not caused it; nor has what is still to come."""
    culprit, began = draft.culprit, seconds(draft.since)
    if culprit is None or not began:
        return []
    facts = Facts(calls.silent, cluster)
    try:
        obj = await facts.object(culprit)
    except LookupError:
        return []
    found = []
    if facts.now and began > facts.now + _ROOM:
        found.append(f"{draft.since} is still to come")
    made = created(obj) if obj and culprit.kind not in _FLEETING else 0.0
    if made and made > began + _ROOM:
        found.append(f"{culprit} was made {(made - began) / 60:.0f} minutes after the trouble began ({draft.since})")
    return found
