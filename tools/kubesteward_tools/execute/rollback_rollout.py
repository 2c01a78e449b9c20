"""Proposes to take a workload back to an earlier revision."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kubesteward_policies.change import Change
from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup.arguments import Cluster, Kind, Name, Namespace
from kubesteward_tools.lookup.scope import one
from kubesteward_tools.lookup.targets import find
from kubesteward_tools.proposals import rollouts
from kubesteward_tools.tool import Desk, tool


@tool(Tier.EXECUTE, title="Roll back", destructive=True)
async def rollback_rollout(
    desk: Desk,
    *,
    kind: Kind,
    name: Name,
    revision: Annotated[int, Field(ge=0, description="0: the one before")] = 0,
    namespace: Namespace = "",
    cluster: Cluster = "",
) -> Change:
    """Undo a roll-out of a Deployment, StatefulSet or DaemonSet."""
    return await rollouts.rollback(await find(await one(desk, cluster), kind, name, namespace), revision)
