"""Rehearses a change on a fork of the world: what would happen, at the best and at the worst."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup import changes
from kubesteward_tools.lookup.arguments import Cluster, Namespace
from kubesteward_tools.lookup.scope import one
from kubesteward_tools.tool import Answer, Desk, tool
from kubesteward_tools.twin.rehearse import rehearse


@tool(Tier.ANALYSE, title="Rehearse a change")
async def simulate_impact(
    desk: Desk,
    *,
    action: Literal["apply", "delete", "patch", "restart", "scale"],
    kind: Annotated[str, Field(max_length=100)] = "Deployment",
    name: Annotated[str, Field(max_length=253)] = "",
    namespace: Namespace = "",
    replicas: Annotated[int | None, Field(ge=0, le=10_000)] = None,
    patch: dict[str, Any] | list[dict[str, Any]] | None = None,
    patch_type: Literal["strategic", "merge", "json", "apply"] = "strategic",
    manifest: Annotated[dict[str, Any] | None, Field(description="For apply")] = None,
    cluster: Cluster = "",
) -> Answer:
    """Rehearse a change without making it: admission, budgets, quota, scheduling, availability, blast radius."""
    world = await one(desk, cluster)
    await world.ensure_for_rehearsal()
    wanted = {
        "action": action,
        "kind": kind,
        "name": name,
        "namespace": namespace,
        "replicas": replicas,
        "patch": patch,
        "patch_type": patch_type,
        "manifest": manifest,
    }
    change = await changes.by_name(world, wanted, desk.now())
    found = rehearse(world.store, change.calls, now=desk.now(), unseen=world.forbidden)
    data = {"cluster": world.cluster, "change": change.as_json(), "rehearsal": found.model_dump(mode="json")}
    head = f"{change.summary} on {world.cluster}: {found.verdict}"
    return Answer(head, data, untrusted=found.render(), source=f"rehearsal on {world.cluster}")
