"""Proposes a patch of any object."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from kubesteward_policies.change import Change
from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup.arguments import Cluster, Kind, Name, Namespace
from kubesteward_tools.lookup.scope import one
from kubesteward_tools.lookup.targets import find
from kubesteward_tools.proposals import objects
from kubesteward_tools.proposals.objects import PatchType
from kubesteward_tools.tool import Desk, tool

Patch = Annotated[
    dict[str, Any] | list[dict[str, Any]] | str, Field(description="Object, list of operations for json, or YAML text")
]


@tool(Tier.EXECUTE, title="Patch an object", destructive=True)
async def patch_resource(
    desk: Desk,
    *,
    kind: Kind,
    name: Name,
    patch: Patch,
    patch_type: PatchType = "strategic",
    namespace: Namespace = "",
    cluster: Cluster = "",
) -> Change:
    """Patch one object; merge is for custom kinds, apply is server-side."""
    return objects.patch(await find(await one(desk, cluster), kind, name, namespace), patch, patch_type)
