"""Small clusters to rehearse on, and changes to them."""

from __future__ import annotations

from typing import Any

from kubesteward_policies.change import APPLY_PATCH, MERGE_PATCH, STRATEGIC_PATCH, ApiCall, Verb
from kubesteward_policies.ref import Ref
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.rehearsal import Rehearsal
from kubesteward_tools.twin.rehearse import rehearse
from kubesteward_tools.twin.route import Request

NOW = 1_800_000_000.0
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
REPLICA_SETS = "/apis/apps/v1/namespaces/default/replicasets"
PODS = "/api/v1/namespaces/default/pods"
SERVICES = "/api/v1/namespaces/default/services"
QUOTAS = "/api/v1/namespaces/default/resourcequotas"
BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
NOWHERE = Ref("", "", "", "", "")
RESTART = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}


def deployment(name: str = "web", replicas: int = 3, cpu: str = "50m", **spec: Any) -> dict[str, Any]:
    container = {"name": "app", "image": "registry.example.com/app:1", "resources": {"requests": {"cpu": cpu}}}
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    wanted = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **spec}
    return {"metadata": {"name": name}, "spec": wanted}


def rolling(surge: int | str, unavailable: int | str) -> dict[str, Any]:
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}


def service(name: str = "web", **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"selector": labels or {"app": name}, "ports": [{"port": 80}]}}


def budget(least: int | str, app: str = "web") -> dict[str, Any]:
    return {"metadata": {"name": app}, "spec": {"minAvailable": least, "selector": {"matchLabels": {"app": app}}}}


def quota(pods: int) -> dict[str, Any]:
    return {"metadata": {"name": "pods"}, "spec": {"hard": {"pods": str(pods)}}}


def cluster_with(*objects: tuple[str, dict[str, Any]], nodes: int = 3) -> SimulatedCluster:
    """A settled cluster in which each (path, body) was created."""
    cluster = SimulatedCluster.new(nodes=nodes, now=NOW)
    for path, body in objects:
        response = cluster.handle(Request("create", path, {}, "", body))
        assert response.status == 201, response.body
        assert cluster.engine.settle()
    return cluster


def call(verb: Verb, path: str, body: Any = None, content_type: str = STRATEGIC_PATCH) -> ApiCall:
    query = (("fieldManager", "test"),) if content_type == APPLY_PATCH else ()
    return ApiCall(verb, path, NOWHERE, body, content_type, query)


def patch(path: str, body: Any) -> ApiCall:
    return call("patch", path, body)


def scale(name: str, replicas: int) -> ApiCall:
    return call("patch", f"{DEPLOYMENTS}/{name}/scale", {"spec": {"replicas": replicas}}, MERGE_PATCH)


def image(name: str, tag: str) -> ApiCall:
    containers = [{"name": "app", "image": f"registry.example.com/app:{tag}"}]
    return patch(f"{DEPLOYMENTS}/{name}", {"spec": {"template": {"spec": {"containers": containers}}}})


def rehearsed(cluster: SimulatedCluster, *calls: ApiCall, seed: int = 0) -> Rehearsal:
    return rehearse(cluster.store, calls, now=cluster.clock.now + 60, seed=seed)


def blocking(found: Rehearsal) -> set[str]:
    """The rules whose findings block."""
    return {item.rule for item in found.findings if item.severity == "block"}


def warning(found: Rehearsal) -> set[str]:
    return {item.rule for item in found.findings if item.severity == "warn"}
