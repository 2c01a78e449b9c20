"""What will be used up, and when: straight lines through what was measured, with their doubt."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup.arguments import NAME, Cluster, Namespace
from kubesteward_tools.lookup.moments import moment
from kubesteward_tools.lookup.scope import alone, one
from kubesteward_tools.lookup.shown import tidy
from kubesteward_tools.text.budget import cap
from kubesteward_tools.tool import Answer, Desk, tool

_LONGEST = 8_000
_SHOWN = 20
_SIZED = 10


@tool(Tier.ANALYSE, title="Forecast")
async def forecast(
    desk: Desk,
    *,
    target: Annotated[str, Field(max_length=2 * NAME, description="kind/name")] = "",
    namespace: Namespace = "",
    metric: Literal["", "cpu", "memory", "disk", "pods", "quota", "certificates", "sizing"] = "",
    horizon: Annotated[str, Field(max_length=20)] = "7d",
    cluster: Cluster = "",
) -> Answer:
    """What runs out when, at 95 %; sizing: fitting requests and limits."""
    if metric == "sizing":
        return await _sizes(desk, target, namespace, cluster)
    from kubesteward_tools.forecasting import forecast as forecasts
    from kubesteward_tools.forecasting.shown import lines

    span = forecasts.ahead(horizon)
    world = await one(desk, cluster)
    found = await forecasts.forecast(
        world, moment(world, desk.now()), target=target, namespace=namespace, metric=metric, horizon=span
    )
    scope = alone(world, namespace)
    text = cap("\n".join([*scope.lines(), *lines(found, _SHOWN)]), _LONGEST)
    data = {
        "scope": scope.data(),
        "horizon_seconds": span,
        "forecasts": [item.data() for item in found.found[:_SHOWN]],
        "not_shown": max(len(found.found) - _SHOWN, 0),
        "judged": found.judged,
        "looked_at": found.looked,
        "not_known": found.missing,
    }
    return Answer(text, tidy(data))


async def _sizes(desk: Desk, target: str, namespace: str, cluster: str) -> Answer:
    """The same samples, asked for the other way round: not when a bound is met, but whether it is the right one."""
    from kubesteward_tools.forecasting.rightsizing import proposal, rightsize
    from kubesteward_tools.forecasting.sized import paragraphs, record, worst
    from kubesteward_tools.proposals.offered import offered

    world = await one(desk, cluster)
    now = moment(world, desk.now())
    found = await rightsize(world, now, target=target, namespace=namespace)
    scope = alone(world, namespace)
    shown = worst(found, _SIZED)
    data = {"scope": scope.data(), **record(found, shown)}
    for told, sizing in zip(data["workloads"], shown, strict=True):
        told.update(await offered(world, proposal(sizing), now))
    rehearse = ["simulate_impact rehearses a patch (action=patch)."] if any(item.patch for item in found.found) else []
    lines = [*scope.lines(), *paragraphs(found, _SIZED, "ask for a namespace or a workload"), *rehearse]
    return Answer(cap("\n".join(lines), _LONGEST), tidy(data))
