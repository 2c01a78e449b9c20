"""Proposes to evict one pod, within its budgets."""

from __future__ import annotations

from kubesteward_policies.change import Change
from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup.arguments import Cluster, Grace, Name, Namespace
from kubesteward_tools.lookup.scope import one
from kubesteward_tools.lookup.targets import find
from kubesteward_tools.proposals import nodes
from kubesteward_tools.tool import Desk, tool


@tool(Tier.EXECUTE, title="Evict a pod", destructive=True)
async def evict_pod(
    desk: Desk, *, name: Name, grace_seconds: Grace = None, namespace: Namespace = "", cluster: Cluster = ""
) -> Change:
    """Evict one pod if its disruption budgets allow."""
    return nodes.evict(await find(await one(desk, cluster), "Pod", name, namespace), grace_seconds)
