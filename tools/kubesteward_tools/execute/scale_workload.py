"""Changes how many pods a workload has."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kubesteward_policies.change import Change
from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup import changes
from kubesteward_tools.lookup.arguments import Cluster, Kind, Name, Namespace
from kubesteward_tools.lookup.scope import one
from kubesteward_tools.lookup.targets import find
from kubesteward_tools.tool import Desk, tool


@tool(Tier.EXECUTE, title="Scale a workload", destructive=True, idempotent=True)
async def scale_workload(
    desk: Desk,
    *,
    kind: Kind,
    name: Name,
    replicas: Annotated[int, Field(ge=0, le=10_000)],
    namespace: Namespace = "",
    cluster: Cluster = "",
) -> Change:
    """Set the replicas of a workload, rehearsed and gated."""
    world = await one(desk, cluster)
    return changes.scale(await find(world, kind, name, namespace), replicas)
