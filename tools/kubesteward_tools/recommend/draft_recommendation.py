"""Keeps a recommendation for a person to read, every action in it rehearsed on the spot."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from kubesteward_policies.tiers import Tier
from kubesteward_tools.errors import InvalidArguments, SteadyError
from kubesteward_tools.lookup.arguments import Cluster
from kubesteward_tools.lookup.scope import Scope, one
from kubesteward_tools.lookup.shown import sentence, tidy
from kubesteward_tools.proposals.proposal import Proposal, change_for, rehearsed
from kubesteward_tools.text.redact import redact_object
from kubesteward_tools.tool import Answer, Desk, tool
from kubesteward_tools.twin.clock import timestamp

_CONCERNS = 3


@tool(Tier.RECOMMEND, title="Draft a recommendation")
async def draft_recommendation(
    desk: Desk,
    *,
    title: Annotated[str, Field(min_length=1, max_length=200)],
    severity: Literal["info", "low", "medium", "high", "critical"],
    reasoning: Annotated[str, Field(min_length=1, max_length=8000, description="Evidence and why it follows")],
    proposed_actions: Annotated[
        list[dict[str, Any]] | None,
        Field(max_length=10, description="Each {action, kind, name, namespace, params} as in simulate_impact"),
    ] = None,
    cluster: Cluster = "",
) -> Answer:
    """Save a recommendation; its actions are rehearsed and not executed."""
    world = await one(desk, cluster)
    actions = []
    for number, given in enumerate(proposed_actions or (), 1):
        try:
            change = await change_for(world, Proposal.of(given), desk.now())
        except SteadyError as error:
            raise InvalidArguments(f"action {number}: {error.message}", todo=error.todo) from None
        found = await rehearsed(world, change, desk.now())
        kept = found.model_dump(mode="json", exclude={"timeline"})
        actions.append({"proposed": given, **change.as_json(), "verdict": found.verdict, "rehearsal": kept})
    body = {"title": title, "severity": severity, "reasoning": reasoning, "cluster": world.cluster, "actions": actions}
    recommendation = tidy(redact_object({**body, "as_of": timestamp(world.as_of())}))
    saved = await desk.records.save_recommendation(recommendation)
    lines = [*Scope([world]).lines(), f"Saved recommendation {saved} ({severity}): {sentence(title)}"]
    lines += [line for action in recommendation["actions"] for line in _lines(action)]
    brief = [{key: action[key] for key in ("summary", "verdict")} for action in recommendation["actions"]]
    return Answer("\n".join(lines), {"id": saved, "scope": Scope([world]).data(), "actions": brief})


def _lines(action: dict[str, Any]) -> list[str]:
    concerns = action["rehearsal"]["findings"]
    shown = [f"  {item['severity']}: {sentence(item['message'])} [{item['rule']}]" for item in concerns[:_CONCERNS]]
    return [f"{action['verdict']}: {sentence(action['summary'])}", *shown]
