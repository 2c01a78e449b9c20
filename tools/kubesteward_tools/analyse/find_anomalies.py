"""What is strange: against its own past, its siblings, its states and its log."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup.arguments import NAME, Cluster, Namespace, Since
from kubesteward_tools.lookup.scope import Scope, one
from kubesteward_tools.lookup.shown import tidy
from kubesteward_tools.tool import Answer, Desk, tool


@tool(Tier.ANALYSE, title="Find anomalies", open_world=True)
async def find_anomalies(
    desk: Desk,
    *,
    scope: Annotated[str, Field(max_length=2 * NAME, description="kind/name, or a namespace; default: all")] = "",
    namespace: Namespace = "",
    window: Since = "1h",
    limit: Annotated[int, Field(ge=1, le=100)] = 15,
    cluster: Cluster = "",
) -> Answer:
    """What is unlike its past or its siblings, flapping, stuck, or new in a log; says what could not be judged."""
    from kubesteward_tools.anomalies import report  # loaded with the detectors, when somebody asks
    from kubesteward_tools.anomalies.asking import ask

    span = report.span(window)
    world = await one(desk, cluster)
    found = await ask(world, desk.now(), target=scope, namespace=namespace, window=span)
    seen = Scope([world], found.subject.namespace)
    for resource, why in world.forbidden.items():
        seen.miss(world, resource, why)
    lines = [*seen.lines(), report.head(found), *report.unjudged(found)]
    data = {"scope": seen.data(), **report.data(found, limit)}
    listed = "\n".join(report.listed(found, limit))
    return Answer("\n".join(lines), tidy(data), untrusted=listed, source="anomalies")
