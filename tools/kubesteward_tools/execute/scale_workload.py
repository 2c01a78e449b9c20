"""Proposes another number of replicas."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kubesteward_policies.change import Change
from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup.arguments import Cluster, Kind, Name, Namespace
from kubesteward_tools.lookup.scope import one
from kubesteward_tools.lookup.targets import find
from kubesteward_tools.proposals import workloads
from kubesteward_tools.tool import Desk, tool

Replicas = Annotated[int, Field(ge=0, le=workloads.MOST_REPLICAS)]


@tool(Tier.EXECUTE, title="Scale a workload", destructive=True, idempotent=True)
async def scale_workload(
    desk: Desk,
    *,
    kind: Kind,
    name: Name,
    replicas: Replicas,
    expected_replicas: Annotated[
        int | None, Field(ge=0, le=workloads.MOST_REPLICAS, description="Only if it has this many now")
    ] = None,
    namespace: Namespace = "",
    cluster: Cluster = "",
) -> Change:
    """Set the replicas of a workload."""
    return workloads.scale(await find(await one(desk, cluster), kind, name, namespace), replicas, expected_replicas)
