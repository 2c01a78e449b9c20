"""metrics.k8s.io: what `kubectl top` and whoever watches usage read, computed at the moment of asking."""

from __future__ import annotations

from kubesteward_tools.twin import listing
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.route import Request, Route
from kubesteward_tools.twin.status import not_found
from kubesteward_tools.twin.usage import node_metrics, pod_metrics
from kubesteward_tools.world.store import Object


def answer(cluster: SimulatedCluster, asked: Request, route: Route) -> Object:
    """One PodMetrics or NodeMetrics, or a list of them. Raises ApiError 404 for who is not measured."""
    items = _measured(cluster, route)
    if route.name:
        named = [item for item in items if item["metadata"]["name"] == route.name]
        if not named:
            raise not_found(route.kind, route.name)
        return named[0]
    keep = listing.predicate(asked.query)
    return listing.page(route.kind, [item for item in items if keep(item)], cluster.store.revision, asked.query)


def _measured(cluster: SimulatedCluster, route: Route) -> list[Object]:
    store, now = cluster.store, cluster.clock.now
    if route.kind.plural == "nodes":
        return [found for node in store.objects("nodes") if (found := node_metrics(store, node, now))]
    pods = store.objects("pods", route.namespace or None)
    return [found for pod in pods if (found := pod_metrics(pod, now))]
