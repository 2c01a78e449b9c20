"""Proposes to delete one object."""

from __future__ import annotations

from kubesteward_policies.change import Change
from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup.arguments import Cluster, Grace, Kind, Name, Namespace
from kubesteward_tools.lookup.scope import one
from kubesteward_tools.lookup.targets import find
from kubesteward_tools.proposals import objects
from kubesteward_tools.proposals.objects import Propagation
from kubesteward_tools.tool import Desk, tool


@tool(Tier.EXECUTE, title="Delete an object", destructive=True)
async def delete_resource(
    desk: Desk,
    *,
    kind: Kind,
    name: Name,
    propagation: Propagation = "background",
    grace_seconds: Grace = None,
    namespace: Namespace = "",
    cluster: Cluster = "",
) -> Change:
    """Delete one object; what it owns goes too unless orphaned."""
    found = await find(await one(desk, cluster), kind, name, namespace)
    return objects.delete(found, propagation, grace_seconds)
