"""What is strange: against its own past, its siblings, its states and its log."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup.arguments import NAME, Cluster, Namespace, Since
from kubesteward_tools.lookup.scope import alone, one
from kubesteward_tools.lookup.shown import tidy
from kubesteward_tools.tool import Answer, Desk, tool

_SHOWN = 15


@tool(Tier.ANALYSE, title="Find anomalies", open_world=True)
async def find_anomalies(
    desk: Desk,
    *,
    scope: Annotated[str, Field(max_length=2 * NAME, description="kind/name or namespace; default: all")] = "",
    namespace: Namespace = "",
    window: Since = "1h",
    cluster: Cluster = "",
) -> Answer:
    """What is unlike its past or siblings, flapping, stuck, fragile or new in logs; says what was not judged."""
    from kubesteward_tools.anomalies import report  # loaded with the detectors, when somebody asks
    from kubesteward_tools.anomalies.asking import ask

    span = report.span(window)
    world = await one(desk, cluster)
    found = await ask(world, desk.now(), target=scope, namespace=namespace, window=span)
    seen = alone(world, found.subject.namespace)
    weak = report.weak_spots(found, _SHOWN, "a namespace or kind/name lists its own", listed=found.narrow)
    counted, told = ([], weak) if found.narrow else (weak, [])
    lines = [*seen.lines(), report.head(found), *counted, *report.unjudged(found)]
    data = {"scope": seen.data(), **report.data(found, _SHOWN)}
    listed = "\n".join([*report.listed(found, _SHOWN), *told, *report.unread(found)])
    return Answer("\n".join(lines), tidy(data), untrusted=listed, source="anomalies")
