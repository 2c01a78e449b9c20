"""Logs of a pod or of all pods of a workload, merged by time, whole or only what a hint or pattern asks for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup.arguments import Cluster, Format, ManyClusters, Namespace, Since
from kubesteward_tools.tool import Answer, Desk, tool


@tool(Tier.OBSERVE, title="Logs", open_world=True)
async def get_logs(
    desk: Desk,
    *,
    target: Annotated[str, Field(min_length=1, max_length=500, description="Pod, or kind/name: all its pods")],
    namespace: Namespace = "",
    container: Annotated[str, Field(max_length=63)] = "",
    previous: Annotated[bool, Field(description="The run before the last restart")] = False,
    since: Since = "",
    tail: Annotated[
        int,
        Field(ge=0, le=20_000, description="Last lines per container; 0: 1000, or 10000 with since, hint or pattern"),
    ] = 0,
    hint: Annotated[
        str, Field(max_length=300, description="What to look for, in words: database errors, out of memory")
    ] = "",
    pattern: Annotated[str, Field(max_length=500, description="RE2; picks records, with two neighbours")] = "",
    response_format: Format = "concise",
    cluster: Cluster = "",
    clusters: ManyClusters = None,
) -> Answer:
    """Logs, merged by time. Like lines are one with its count, <*> for what varies; errors outlast cuts."""
    # Its many patterns are compiled when a log is first asked for, not while the server starts.
    from kubesteward_tools.lookup.logreport import Question, report

    question = Question(target, container, previous, since, tail, hint, pattern, response_format)
    return await report(desk, question, cluster, clusters, namespace)
