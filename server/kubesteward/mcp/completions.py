"""Completions for the arguments cluster, namespace, kind and name.

They answer from what is already known: a key pressed in a menu must not be what connects to a cluster.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from mcp_types import CompleteRequestParams, CompleteResult, Completion

from kubesteward.mcp.identity import Context, Identity
from kubesteward_tools.errors import SteadyError

if TYPE_CHECKING:
    from kubesteward.app import App
    from kubesteward_tools.cluster.clusters import Clusters
    from kubesteward_tools.world.world import World

MOST = 100
"""The specification's limit for one answer."""


class Completions:
    def __init__(self, app: App, identity: Identity) -> None:
        self._app = app
        self._identity = identity

    async def complete(self, ctx: Context, params: CompleteRequestParams) -> CompleteResult:
        given = (params.context.arguments if params.context else None) or {}
        try:
            caller = self._identity.reader(ctx)
            self._app.rates.read(caller.principal)
            await self._app.ready()
            candidates = await self._candidates(self._app.desk(caller).clusters, params.argument.name, given)
        except SteadyError:
            candidates = []
        prefix = params.argument.value.lower()
        fitting = sorted({value for value in candidates if value[: len(prefix)].lower() == prefix})
        return CompleteResult(
            completion=Completion(values=fitting[:MOST], total=len(fitting), has_more=len(fitting) > MOST)
        )

    async def _candidates(self, clusters: Clusters, argument: str, given: Mapping[str, str]) -> Iterable[str]:
        if argument == "cluster":
            return clusters.names()
        if argument not in {"namespace", "kind", "name"}:
            return []
        world = await clusters.world(given.get("cluster") or None)
        if argument == "kind":
            return [resource.kind for resource in world.kinds.all()]
        if argument == "namespace":
            return await _names(world, "namespaces", "")
        return (
            await _names(world, world.kinds.find(given["kind"]).resource, given.get("namespace", ""))
            if "kind" in given
            else []
        )


async def _names(world: World, resource: str, namespace: str) -> list[str]:
    await world.ensure(resource)
    return [key.name for key in world.store.keys(resource, namespace or None)]
