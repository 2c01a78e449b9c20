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


@tool(Tier.ANALYSE, title="Forecast")
async def forecast(
    desk: Desk,
    *,
    target: Annotated[str, Field(max_length=2 * NAME, description="kind/name; default: all")] = "",
    namespace: Namespace = "",
    metric: Literal["", "cpu", "memory", "disk", "pods", "quota", "certificates"] = "",
    horizon: Annotated[str, Field(max_length=20)] = "7d",
    cluster: Cluster = "",
) -> Answer:
    """What runs out within horizon, soonest first, with 95 % intervals."""
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
