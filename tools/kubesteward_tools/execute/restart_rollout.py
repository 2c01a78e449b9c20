"""Proposes to restart a workload's pods, rolling."""

from __future__ import annotations

from kubesteward_policies.change import Change
from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup.arguments import Cluster, Kind, Name, Namespace
from kubesteward_tools.lookup.scope import one
from kubesteward_tools.lookup.targets import find
from kubesteward_tools.proposals import workloads
from kubesteward_tools.tool import Desk, tool


@tool(Tier.EXECUTE, title="Restart a roll-out", destructive=True)
async def restart_rollout(
    desk: Desk, *, kind: Kind, name: Name, namespace: Namespace = "", cluster: Cluster = ""
) -> Change:
    """Restart a Deployment, StatefulSet or DaemonSet, rolling."""
    return workloads.restart(await find(await one(desk, cluster), kind, name, namespace), desk.now())
