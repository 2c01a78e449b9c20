"""Rehearses a change on the twin and says what would come of it. Nothing is sent to the cluster."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from kubesteward_policies.change import Change
from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup.arguments import NAME, Cluster, Namespace
from kubesteward_tools.lookup.scope import Scope, one
from kubesteward_tools.lookup.shown import tidy
from kubesteward_tools.plans.supposed import Supposed, What, suppose
from kubesteward_tools.proposals.proposal import Action, Proposal, change_for, rehearsed
from kubesteward_tools.text.budget import cap
from kubesteward_tools.text.fence import clean
from kubesteward_tools.text.redact import redact, redact_object
from kubesteward_tools.tool import Answer, Desk, tool

if TYPE_CHECKING:
    from kubesteward_tools.twin.rehearsal import Rehearsal
    from kubesteward_tools.world.world import World

_LONGEST = {"concise": 6_000, "detailed": 30_000, "markdown": 30_000}
_STEPS = {"concise": 0, "detailed": 60, "markdown": 0}
_DRAWN = 20
_LISTED = 20
Asked = Literal[Action, "fail_node", "fail_zone"]
_PARAMS = "scale: replicas; set_image: image, container; patch: patch, patch_type; rollback: revision"

Form = Literal["concise", "detailed", "markdown"]


@tool(Tier.ANALYSE, title="Rehearse a change")
async def simulate_impact(
    desk: Desk,
    *,
    action: Asked,
    kind: Annotated[str, Field(max_length=NAME)] = "",
    name: Annotated[str, Field(max_length=NAME)] = "",
    namespace: Namespace = "",
    params: Annotated[dict[str, Any] | None, Field(description=_PARAMS)] = None,
    manifest: Annotated[str, Field(max_length=200_000, description="YAML for apply")] = "",
    response_format: Form = "concise",
    cluster: Cluster = "",
) -> Answer:
    """Rehearse a change on a twin: budgets, quota, scheduling, availability at best and at worst."""
    world = await one(desk, cluster)
    if action in {"fail_node", "fail_zone"}:
        what: What = "node" if action == "fail_node" else "zone"
        return await _supposed(world, await suppose(world, what, name, desk.now()), response_format)
    change = await change_for(world, Proposal(action, kind, name, namespace, params, manifest), desk.now())
    found = await rehearsed(world, change, desk.now())
    scope = Scope([world], change.target.namespace)
    for resource, why in world.forbidden.items():
        scope.miss(world, resource, why)
    if response_format == "markdown":
        lines = [*scope.lines(), "", _report(found, change.summary, change.cluster)]
    else:
        lines = [*scope.lines(), clean(change.summary, 500), _page(found, _STEPS[response_format])]
    said = "\n".join(lines)
    text = cap(redact(clean(said, len(said) + 1)), _LONGEST[response_format])
    data = {"scope": scope.data(), **_data(change, found, _STEPS[response_format])}
    return Answer(text, tidy(redact_object(data)))


async def _supposed(world: World, question: Supposed, form: Form) -> Answer:
    """A node or a zone that fails is nobody's change: there are no calls, and nothing that could be proposed."""
    found = await asyncio.to_thread(question.rehearse)
    scope = Scope([world], "")
    for resource, why in world.forbidden.items():
        scope.miss(world, resource, why)
    shown = _report(found, question.summary, world.cluster) if form == "markdown" else _page(found, _STEPS[form])
    said = "\n".join([*scope.lines(), *([""] if form == "markdown" else []), shown])
    text = cap(redact(clean(said, len(said) + 1)), _LONGEST[form])
    data = {"hypothetical": True, "summary": found.hypothesis, "verdict": found.verdict}
    rehearsal = _shown(found, _STEPS[form])
    return Answer(text, tidy(redact_object({"scope": scope.data(), **data, "rehearsal": rehearsal})))


def _page(found: Rehearsal, steps: int) -> str:
    timeline = [f"  {step.t:g}s {step.object}: {step.what}" for step in found.timeline[:steps]]
    return "\n".join([found.render(), *(["Timeline:"] if timeline else []), *timeline])


def _report(found: Rehearsal, summary: str, cluster: str) -> str:
    """For a chat or a pull request, with Mermaid's pictures."""
    from kubesteward_tools.pictures.markdown import report

    return report(found, summary, cluster, most=_DRAWN)


def _data(change: Change, found: Rehearsal, steps: int) -> dict[str, Any]:
    """Without the timeline, unless it is asked for; long lists are cut, their lengths told."""
    calls = [f"{call.verb} {call.path}" for call in change.calls]
    shown = _shown(found, steps)
    return {"summary": change.summary, "calls": calls[:_LISTED], "verdict": found.verdict, "rehearsal": shown}


def _shown(found: Rehearsal, steps: int) -> dict[str, Any]:
    rehearsal = found.model_dump(mode="json")
    rehearsal["timeline"] = rehearsal["timeline"][:steps]
    rehearsal["effects"] = {
        key: value[:_LISTED] if isinstance(value, list) else value for key, value in rehearsal["effects"].items()
    }
    return rehearsal
