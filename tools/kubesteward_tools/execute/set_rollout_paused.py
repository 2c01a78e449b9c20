"""Proposes to pause or to resume a Deployment's roll-out."""

from __future__ import annotations

from kubesteward_policies.change import Change
from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup.arguments import Cluster, Kind, Name, Namespace
from kubesteward_tools.lookup.scope import one
from kubesteward_tools.lookup.targets import find
from kubesteward_tools.proposals import rollouts
from kubesteward_tools.tool import Desk, tool


@tool(Tier.EXECUTE, title="Pause or resume", destructive=True, idempotent=True)
async def set_rollout_paused(
    desk: Desk, *, kind: Kind = "Deployment", name: Name, paused: bool, namespace: Namespace = "", cluster: Cluster = ""
) -> Change:
    """Pause or resume a Deployment's roll-out."""
    return rollouts.pause(await find(await one(desk, cluster), kind, name, namespace), on=paused)
