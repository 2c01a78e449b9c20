"""A fix as an answer offers it: the arguments with which simulate_impact rehearses it, and what it would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubesteward_tools.errors import SteadyError
from kubesteward_tools.proposals.proposal import Proposal, change_for

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World


async def offered(world: World, proposal: Proposal | None, now: float) -> dict[str, Any]:
    """`proposed` and `proposed_summary`; nothing where there is no fix, or where it cannot be made so."""
    if proposal is None:
        return {}
    try:
        change = await change_for(world, proposal, now)
    except SteadyError:
        return {}
    return {"proposed": proposal.arguments, "proposed_summary": change.summary}
