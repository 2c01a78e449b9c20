"""Proposes to close a node to new pods, to open it again, or to empty it."""

from __future__ import annotations

from kubesteward_policies.change import Change
from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup.arguments import Cluster, Name
from kubesteward_tools.lookup.scope import one
from kubesteward_tools.lookup.targets import find
from kubesteward_tools.proposals import nodes
from kubesteward_tools.tool import Desk, tool


@tool(Tier.EXECUTE, title="Cordon a node", destructive=True, idempotent=True)
async def cordon_node(desk: Desk, *, name: Name, on: bool = True, cluster: Cluster = "") -> Change:
    """Close a node to new pods; on=false opens it again."""
    return nodes.cordon(await find(await one(desk, cluster), "Node", name), on=on)


@tool(Tier.EXECUTE, title="Drain a node", destructive=True, idempotent=True)
async def drain_node(
    desk: Desk, *, name: Name, force: bool = False, delete_emptydir_data: bool = False, cluster: Cluster = ""
) -> Change:
    """Cordon a node and evict its pods within their budgets; DaemonSets' stay. force: also pods without controller."""
    world = await one(desk, cluster)
    found = await find(world, "Node", name)
    await world.ensure("pods")
    return nodes.drain(found, force=force, delete_emptydir_data=delete_emptydir_data)
