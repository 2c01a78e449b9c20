"""Has the reasoning inside find out why: hypotheses, evidence, checked claims, and a fix that was rehearsed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from kubesteward_policies.tiers import Tier
from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.lookup.arguments import NAME, Cluster, Namespace
from kubesteward_tools.lookup.shown import sentence, tidy
from kubesteward_tools.text.budget import cap
from kubesteward_tools.text.fence import clean
from kubesteward_tools.text.redact import redact, redact_object
from kubesteward_tools.tool import Answer, Desk, tool

LONGEST_WAIT = 25.0
"""Seconds. Hosts cut calls off without a word: a handle is returned well before."""
_LONGEST = 8_000
Order = Literal["", "pause", "resume", "cancel"]


@tool(Tier.RECOMMEND, title="Investigate", open_world=True)
async def investigate(
    desk: Desk,
    *,
    question: Annotated[str, Field(max_length=2000)] = "",
    target: Annotated[str, Field(max_length=2 * NAME, description="kind/name")] = "",
    namespace: Namespace = "",
    cluster: Cluster = "",
    budget: Annotated[float | None, Field(ge=0, le=1000, description="Most dollars; agrees to spend them")] = None,
    wait: Annotated[float, Field(ge=0, le=LONGEST_WAIT, description="Seconds")] = 20.0,
    investigation: Annotated[
        str, Field(max_length=100, description="Id of an earlier one, instead of a question")
    ] = "",
    order: Order = "",
) -> Answer:
    """Find a root cause by hypotheses and evidence. Returns the answer, or an id to ask again with."""
    if bool(question.strip()) == bool(investigation):
        raise InvalidArguments("give a question or an investigation.", todo="One of them, not both.")
    if order and not investigation:
        raise InvalidArguments("an order needs an investigation.", todo="Give its id.")
    name = investigation or await desk.investigations.begin(question, target, namespace, cluster, budget)
    if order:
        await desk.investigations.order(name, order)
    found = await desk.investigations.look(name, wait)
    data = tidy(redact_object(dict(found)))
    untrusted = cap(redact(clean("\n".join(_lines(found)), _LONGEST * 2)), _LONGEST)
    return Answer(_head(found), data, untrusted=untrusted, source=f"investigation {name}")


def _head(found: Mapping[str, Any]) -> str:
    name, run = found["id"], found["run"]
    if run == "done":
        return f"{name}: {found['status']}, confidence {found['confidence']:.2f}"
    if run == "running":
        where = found.get("step") or "its beginning"
        return f"{name} goes on, at {where}: investigate(investigation={name!r}) waits for it."
    further = "; order='resume' goes on with it." if run == "paused" else ""
    return f"{name} is {run}: {found.get('reason', '')}{further}"


def _lines(found: Mapping[str, Any]) -> list[str]:
    """The answer, or how far it is."""
    ideas = [
        f"{item['standing']:.2f} {item['category']}: {sentence(item['because'], 160)}"
        for item in found.get("hypotheses", ())
    ]
    if found["run"] != "done":
        steps = [f"{item['step']}: {sentence(item['detail'], 200)}" for item in found.get("explanation_trace", ())[-8:]]
        return [*ideas, *steps]
    advice = found["recommendation"]
    rehearsed = [f"rehearsed: {item.get('summary') or item['action']}: {item['verdict']}" for item in advice["actions"]]
    ruled_out = [f"ruled out: {item}" for item in found["ruled_out"]]
    brain = found["brain"]["status"]
    return [
        found["answer"],
        *([brain] if brain != "online" else []),
        *ideas,
        *ruled_out,
        *([f"recommended: {advice['text']}"] if advice["text"] else []),
        *rehearsed,
    ]
