"""Writes a recommendation down for people, each of its proposed actions rehearsed on the spot."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup import changes
from kubesteward_tools.lookup.arguments import Cluster
from kubesteward_tools.lookup.scope import one
from kubesteward_tools.text.redact import redact, redact_object
from kubesteward_tools.tool import Answer, Desk, tool
from kubesteward_tools.twin.rehearse import rehearse


@tool(Tier.RECOMMEND, title="Draft a recommendation", idempotent=False)
async def draft_recommendation(
    desk: Desk,
    *,
    title: Annotated[str, Field(min_length=1, max_length=200)],
    severity: Literal["info", "warning", "critical"],
    reasoning: Annotated[str, Field(max_length=8000)],
    proposed_actions: Annotated[
        list[dict[str, Any]], Field(max_length=10, description="Each as for simulate_impact: action, kind, name, ...")
    ],
    cluster: Cluster = "",
) -> Answer:
    """Keep a recommendation; its actions are rehearsed and nothing is changed."""
    world = await one(desk, cluster)
    await world.ensure_for_rehearsal()
    actions = []
    for wanted in proposed_actions:
        change = await changes.by_name(world, wanted, desk.now())
        found = rehearse(world.store, change.calls, now=desk.now(), unseen=world.forbidden)
        actions.append({"change": change.as_json(), "rehearsal": found.model_dump(mode="json")})
    kept = {
        "title": redact(title),
        "severity": severity,
        "reasoning": redact(reasoning),
        "cluster": world.cluster,
        "proposed_actions": redact_object(actions),
    }
    kept["id"] = await desk.records.save_recommendation(kept)
    lines = [f"{item['change']['summary']}: {item['rehearsal']['verdict']}" for item in actions]
    return Answer("\n".join([f"Kept as {kept['id']}: {kept['title']}", *lines]), kept)
