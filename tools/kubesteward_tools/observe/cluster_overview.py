"""One page about a cluster: is it well, and if not, where does it hurt."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from kubesteward_policies.tiers import Tier
from kubesteward_tools.errors import SteadyError
from kubesteward_tools.lookup.arguments import Cluster, Format, ManyClusters
from kubesteward_tools.lookup.notes import every
from kubesteward_tools.lookup.problems import WORKLOADS, problems
from kubesteward_tools.lookup.scope import Scope, each, scoped, seen
from kubesteward_tools.lookup.shown import sentence
from kubesteward_tools.tool import Answer, Desk, tool

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

_READ = (
    "namespaces", "nodes", "pods", "events", "persistentvolumeclaims", "resourcequotas", "poddisruptionbudgets.policy",
    "replicasets.apps", "jobs.batch", *WORKLOADS,
)  # fmt: skip
_PROBLEMS = {"concise": 10, "detailed": 40}


@tool(Tier.OBSERVE, title="Cluster overview", open_world=True)
async def cluster_overview(
    desk: Desk, *, response_format: Format = "concise", cluster: Cluster = "", clusters: ManyClusters = None
) -> Answer:
    """Start here: version, health, counts and the worst problems of a cluster."""
    scope = await scoped(desk, cluster, clusters)
    await seen(scope, _READ)
    now = scope.moments(desk.now())
    found = await each(scope, lambda world: _overview(world, now[world.cluster], _PROBLEMS[response_format]))
    pages = [overview for _, overview in found]
    modes = [mode for world in scope.worlds for mode in await desk.safe_mode(world.cluster)]
    modes = list(dict.fromkeys(modes))
    brains = list(map(sentence, desk.brain_troubles()))
    lines = [*scope.lines(), *map(sentence, modes), *brains, *(line for page in pages for line in _lines(scope, page))]
    troubles = "\n".join(_trouble(scope, page, item) for page in pages for item in page["problems"])
    told = {name: found for name, found in (("safe_mode", modes), ("brain", brains)) if found}
    data = {"scope": scope.data(), "overviews": pages, **told}
    return Answer("\n".join(lines), data, untrusted=troubles, source="object states and events")


async def _overview(world: World, now: float, most: int) -> dict[str, Any]:
    store = world.store
    try:
        version = sentence(await world.version(), 40)
    except SteadyError as error:
        version = f"unknown ({sentence(error.message, 100)})"
    count, worst = await asyncio.to_thread(problems, store.fork(), now, most)
    nodes = list(every(store, "nodes"))
    workloads = [note for resource in WORKLOADS for note in every(store, resource)]
    pods = Counter(note.word for note in every(store, "pods"))
    return {
        "cluster": world.cluster,
        "version": version,
        "healthy": not count,
        "nodes": {"total": len(nodes), "ready": sum(node.ready is True for node in nodes)},
        "namespaces": store.count("namespaces"),
        "pods": {sentence(word, 60): count for word, count in pods.most_common(8)},
        "workloads": {"total": len(workloads), "ready": sum(workload.ready is True for workload in workloads)},
        "problem_count": count,
        "problems": worst,
    }


def _lines(scope: Scope, page: dict[str, Any]) -> list[str]:
    nodes, workloads = page["nodes"], page["workloads"]
    pods = ", ".join(f"{count} {word}" for word, count in page["pods"].items()) or "none"
    head = f"{page['cluster']}: " if scope.many else ""
    shown = len(page["problems"])
    count = f"{page['problem_count']} problems" + (f", the worst {shown}" if shown < page["problem_count"] else "")
    return [
        f"{head}Kubernetes {page['version']}; nodes {nodes['ready']}/{nodes['total']} ready; "
        f"{page['namespaces']} namespaces; workloads {workloads['ready']}/{workloads['total']} ready",
        f"Pods: {pods}",
        f"{count}:" if page["problems"] else "No problems found.",
    ]


def _trouble(scope: Scope, page: dict[str, Any], item: dict[str, Any]) -> str:
    where = f"{page['cluster']} " if scope.many else ""
    return f"{where}{item['object']}: {item['problem']}" + (f" - {item['detail']}" if item["detail"] else "")
