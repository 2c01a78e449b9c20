"""Names the clusters there are, without connecting to any."""

from __future__ import annotations

import asyncio
from typing import Any

from kubesteward_policies.tiers import Tier
from kubesteward_tools.cluster.sets import MARK
from kubesteward_tools.errors import SteadyError
from kubesteward_tools.lookup.scope import Scope
from kubesteward_tools.lookup.shown import sentence
from kubesteward_tools.text.table import table
from kubesteward_tools.tool import Answer, Desk, tool

_HEADS = ("current", "name", "state", "version", "as_of", "stale", "not_seen")


@tool(Tier.OBSERVE, title="Clusters")
async def list_clusters(desk: Desk) -> Answer:
    """Clusters that can be asked, the current one marked, and sets of them; nothing is connected."""
    asked = (_item(desk, info.name, info.state, current=info.current) for info in desk.clusters.describe())
    items = list(await asyncio.gather(*asked))
    sets = {MARK + name: list(members) for name, members in sorted(desk.clusters.sets.items())}
    if not items:
        text = "There is no cluster: set KUBECONFIG, or start the server with --embedded for a simulated one."
        return Answer(text, {"clusters": [], "sets": sets})
    modes = await desk.safe_mode()
    brains = list(map(sentence, desk.brain_troubles()))
    lines = [*map(sentence, modes), *brains, table(list(_HEADS), [_row(item) for item in items])]
    lines += [f"{name}: {', '.join(members)}" for name, members in sets.items()]
    told = {name: found for name, found in (("safe_mode", list(modes)), ("brain", brains)) if found}
    return Answer("\n".join(lines), {"clusters": items, "sets": sets, **told})


async def _item(desk: Desk, name: str, state: str, *, current: bool) -> dict[str, Any]:
    item: dict[str, Any] = {"name": name, "current": current, "state": sentence(state, 160)}
    if state != "connected":
        return item
    world = await desk.clusters.world(name)
    scope = Scope([world])
    for resource in sorted(world.forbidden):
        scope.miss(world, resource)
    item |= {key: value for key, value in scope.data()["clusters"][0].items() if key != "cluster"}
    item["not_seen"] = scope.not_seen
    try:
        return item | {"version": sentence(await world.version(), 40)}
    except SteadyError as error:
        return item | {"state": sentence(error.message, 160)}


def _row(item: dict[str, Any]) -> list[str]:
    """`not_seen` is short here: the kinds that cannot be seen, and whether some namespaces of them are."""
    shown = {**item, "current": "*" if item["current"] else ""}
    if "as_of" in item:
        shown["stale"] = f"{item['staleness_seconds']:.0f}s"
        shown["not_seen"] = ",".join(_short(what, why) for what, why in sorted(item["not_seen"].items()))
    return [str(shown.get(head, "")) for head in _HEADS]


def _short(what: str, why: str) -> str:
    resource = what.rpartition(" ")[2]
    return f"{resource} (in part)" if why.startswith("seen in ") else resource
