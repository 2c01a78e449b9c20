"""One page about one cluster: its version, how fresh the view of it is, what there is, and what is wrong most."""

from __future__ import annotations

from typing import Any

from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup.arguments import Cluster
from kubesteward_tools.lookup.scope import scoped, seen
from kubesteward_tools.tool import Answer, Desk, tool
from kubesteward_tools.twin.disruption import is_ready
from kubesteward_tools.twin.quota import is_terminal
from kubesteward_tools.world.store import Object, Store

_COUNTED = ("nodes", "namespaces", "pods", "deployments.apps", "services")
_MOST = 8


@tool(Tier.OBSERVE, title="Overview of a cluster", open_world=True)
async def cluster_overview(desk: Desk, *, cluster: Cluster = "") -> Answer:
    """Version, freshness, counts and the worst problems of a cluster."""
    scope = await scoped(desk, cluster, None)
    await seen(scope, (*_COUNTED, "events"))
    world = scope.worlds[0]
    store, version = world.store, await world.version()
    counts = {resource.partition(".")[0]: store.count(resource) for resource in _COUNTED}
    problems = _problems(store)
    lines = [*scope.lines(), f"Kubernetes {version}", ", ".join(f"{value} {name}" for name, value in counts.items())]
    lines.append(f"{len(problems)} problems" if problems else "nothing is wrong with nodes, pods or deployments")
    shown = "\n".join(problems[:_MOST])
    data: dict[str, Any] = {"scope": scope.data(), "version": version, "counts": counts, "problems": problems[:_MOST]}
    return Answer("\n".join(lines), data, untrusted=shown, source=world.cluster)


def _problems(store: Store) -> list[str]:
    found = [f"node {node['metadata']['name']} is not ready" for node in store.objects("nodes") if not is_ready(node)]
    for item in store.objects("deployments.apps"):
        wanted, has = item["spec"].get("replicas", 1), (item.get("status") or {}).get("availableReplicas", 0)
        if has < wanted:
            found.append(f"deployment {_path(item)}: {has} of {wanted} available")
    live = (pod for pod in store.objects("pods") if not is_terminal(pod))
    return found + [f"pod {_path(pod)}: {why}" for pod in live if (why := _why(pod))]


def _why(pod: Object) -> str:
    """What keeps a pod from being ready, or what has killed it before."""
    status = pod.get("status") or {}
    for item in status.get("containerStatuses") or ():
        if reason := (item.get("state") or {}).get("waiting", {}).get("reason"):
            return str(reason)
        if item.get("restartCount", 0) and (last := (item.get("lastState") or {}).get("terminated")):
            return f"restarted {item['restartCount']} times, last: {last.get('reason')}"
    return "" if is_ready(pod) else str(status.get("phase", "Pending"))


def _path(obj: Object) -> str:
    return f"{obj['metadata'].get('namespace')}/{obj['metadata']['name']}"
