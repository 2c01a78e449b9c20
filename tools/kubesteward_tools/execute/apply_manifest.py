"""Proposes server-side apply of a manifest, and the pruning of what it has left out."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kubesteward_policies.change import Change
from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup.arguments import NAME, Cluster, Namespace
from kubesteward_tools.lookup.scope import one
from kubesteward_tools.tool import Desk, tool


@tool(Tier.EXECUTE, title="Apply a manifest", destructive=True, idempotent=True)
async def apply_manifest(
    desk: Desk,
    *,
    yaml: Annotated[str, Field(min_length=1, max_length=200_000)],
    force_conflicts: bool = False,
    prune: Annotated[str, Field(max_length=2 * NAME, description="key=value that all carry")] = "",
    prune_count: Annotated[int | None, Field(ge=0)] = None,
    namespace: Namespace = "",
    cluster: Cluster = "",
) -> Change:
    """Server-side apply of one or many documents, ordered; prune deletes what they leave out."""
    from kubesteward_tools.proposals import manifests

    world = await one(desk, cluster)
    return await manifests.apply(
        world, yaml, namespace, force_conflicts=force_conflicts, prune=prune, prune_count=prune_count
    )
