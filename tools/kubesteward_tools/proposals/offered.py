"""A fix as an answer offers it: the arguments with which simulate_impact rehearses it, and what it would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubesteward_tools.errors import SteadyError
from kubesteward_tools.proposals.proposal import Proposal, change_for

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World


async def offered(world: World, proposal: Proposal | None, now: float) -> dict[str, Any] | None:
    """None where there is none, or where it cannot be made so."""
    if proposal is None:
        return None
    try:
        change = await change_for(world, proposal, now)
    except SteadyError:
        return None
    action = {"action": proposal.action, "kind": proposal.kind, "name": proposal.name, "namespace": proposal.namespace}
    return {**action, "params": dict(proposal.params or {}), "summary": change.summary}
