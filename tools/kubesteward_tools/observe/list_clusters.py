"""Names the clusters there are, without connecting to any."""

from __future__ import annotations

import asyncio
from typing import Any

from kubesteward_policies.tiers import Tier
from kubesteward_tools.errors import SteadyError
from kubesteward_tools.lookup.shown import sentence
from kubesteward_tools.text.table import table
from kubesteward_tools.tool import Answer, Desk, tool
from kubesteward_tools.twin.clock import timestamp


@tool(Tier.OBSERVE, title="Clusters")
async def list_clusters(desk: Desk) -> Answer:
    """Clusters that can be asked, the current one marked; nothing is connected."""
    infos = desk.clusters.describe()
    items = await asyncio.gather(*(_item(desk, info.name, info.state, current=info.current) for info in infos))
    if not items:
        text = "There is no cluster: set KUBECONFIG, or start the server with --embedded for a simulated one."
        return Answer(text, {"clusters": []})
    heads = ["current", "name", "state", "version", "as_of", "stale", "not_seen"]
    rows = [["*" if item["current"] else "", *(item.get(head, "") for head in heads[1:])] for item in items]
    return Answer(table(heads, rows), {"clusters": list(items)})


async def _item(desk: Desk, name: str, state: str, *, current: bool) -> dict[str, Any]:
    item: dict[str, Any] = {"name": name, "current": current, "state": sentence(state, 160)}
    if state != "connected":
        return item
    world = await desk.clusters.world(name)
    try:
        version = await world.version()
    except SteadyError as error:
        return item | {"state": sentence(error.message, 160)}
    return item | {
        "version": sentence(version, 40),
        "as_of": timestamp(world.as_of()),
        "stale": f"{world.staleness():.0f}s",
        "not_seen": ",".join(sorted(world.forbidden)),
    }
