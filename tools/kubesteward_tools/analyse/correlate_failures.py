"""What failures have in common: one cause of many, in one cluster or in several at once."""

from __future__ import annotations

from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup.arguments import Cluster, ManyClusters, Namespace, Since
from kubesteward_tools.lookup.scope import scoped
from kubesteward_tools.lookup.shown import tidy
from kubesteward_tools.text.budget import cap
from kubesteward_tools.tool import Answer, Desk, tool

_LONGEST = 8_000


@tool(Tier.ANALYSE, title="Correlate", open_world=True)
async def correlate_failures(
    desk: Desk,
    *,
    namespace: Namespace = "",
    window: Since = "30m",
    cluster: Cluster = "",
    clusters: ManyClusters = None,
) -> Answer:
    """What many failures share: their cause; cross-cluster bursts."""
    from kubesteward_tools.correlation import asking, report  # as diagnose's, its patterns are compiled when asked
    from kubesteward_tools.correlation.bursts import bursts

    seconds = asking.span(window)
    scope = await scoped(desk, cluster, clusters, namespace)
    seen = await asking.look(scope, desk.now(), seconds)
    found = bursts(seen, seconds)
    text = cap("\n".join([*scope.lines(), *report.lines(seen, found, window)]), _LONGEST)
    data = {"scope": scope.data(), "window_seconds": seconds, **report.records(seen, found)}
    return Answer(text, tidy(data), untrusted=report.messages(seen), source="events and object states")
