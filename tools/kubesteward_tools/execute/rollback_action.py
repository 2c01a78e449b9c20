"""Proposes to take an earlier action back."""

from __future__ import annotations

from kubesteward_policies.change import Change
from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup.scope import one
from kubesteward_tools.proposals.undo import undo
from kubesteward_tools.tool import Desk, tool


@tool(Tier.EXECUTE, title="Roll an action back", destructive=True)
async def rollback_action(desk: Desk, *, action_id: str) -> Change:
    """Put back what an action changed; later changes of others stay."""
    done = await desk.records.done(action_id)
    return await undo(await one(desk, done.change.cluster), done)
