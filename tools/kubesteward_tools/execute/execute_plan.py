"""Proposes all steps of a plan as one change."""

from __future__ import annotations

from kubesteward_policies.change import Change
from kubesteward_policies.tiers import Tier
from kubesteward_tools.errors import AskDifferently, InvalidArguments
from kubesteward_tools.lookup.scope import one
from kubesteward_tools.planning.drafting import draft, together
from kubesteward_tools.tool import Desk, tool


@tool(Tier.EXECUTE, title="Execute a plan", destructive=True)
async def execute_plan(desk: Desk, *, plan_id: str) -> Change:
    """Execute a plan step by step, up to the first failure."""
    plan = await desk.records.plan(plan_id)
    world = await one(desk, plan["cluster"])
    todo = f"plan_change(plan_id={plan_id!r}) plans it anew."
    if world.server != plan["server"]:
        raise AskDifferently(f"{world.cluster!r} is another API server than when this was planned.", todo=todo)
    try:
        steps = [item.change for item in await draft(world, plan["proposals"], plan["at"], rehearse=False)]
    except InvalidArguments as error:
        raise AskDifferently(f"the cluster has moved since {plan_id} was made: {error.message}", todo=todo) from None
    moved = [number for number, step in enumerate(steps, 1) if step.digest != plan["digests"][number - 1]]
    if moved:
        raise AskDifferently(f"the cluster has moved: step {moved[0]} of {plan_id} has other calls now.", todo=todo)
    return together(plan_id, steps)
