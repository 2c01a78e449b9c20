"""Proposes to run one diagnostic command in a container. The gate has the list of those that may be run."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kubesteward_policies.change import Change
from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup.arguments import NAME, Cluster, Name, Namespace
from kubesteward_tools.lookup.scope import one
from kubesteward_tools.lookup.targets import find
from kubesteward_tools.proposals import commands
from kubesteward_tools.tool import Desk, tool

Argument = Annotated[str, Field(max_length=1000)]


@tool(Tier.EXECUTE, title="Run a command", destructive=True, open_world=True)
async def exec_in_pod(
    desk: Desk,
    *,
    pod: Name,
    command: Annotated[list[Argument], Field(min_length=1, max_length=50)],
    container: Annotated[str, Field(max_length=NAME)] = "",
    namespace: Namespace = "",
    cluster: Cluster = "",
) -> Change:
    """Run an allow-listed diagnostic command, without a shell. Its output is in get_action."""
    return commands.run(await find(await one(desk, cluster), "Pod", pod, namespace), command, container)
