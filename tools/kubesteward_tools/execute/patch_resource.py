"""Changes any object by a patch."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from kubesteward_policies.change import Change
from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup import changes
from kubesteward_tools.lookup.arguments import Cluster, Kind, Name, Namespace
from kubesteward_tools.lookup.scope import one
from kubesteward_tools.lookup.targets import find
from kubesteward_tools.tool import Desk, tool


@tool(Tier.EXECUTE, title="Patch an object", destructive=True, idempotent=False)
async def patch_resource(
    desk: Desk,
    *,
    kind: Kind,
    name: Name,
    patch: Annotated[dict[str, Any] | list[dict[str, Any]], Field(description="As kubectl patch takes it")],
    patch_type: Literal["strategic", "merge", "json", "apply"] = "strategic",
    namespace: Namespace = "",
    cluster: Cluster = "",
) -> Change:
    """Patch an object, rehearsed and gated."""
    world = await one(desk, cluster)
    return changes.patch(await find(world, kind, name, namespace), patch, patch_type)
