"""A Deployment on the simulated cluster goes through its life as on a real one."""

from __future__ import annotations

from typing import Any

import pytest

from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.route import Request

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
STRATEGIC = "application/strategic-merge-patch+json"


def deployment(name: str, replicas: int = 3, image: str = "nginx:1.27", cpu: str = "50m") -> dict[str, Any]:
    container = {"name": "app", "image": image, "resources": {"requests": {"cpu": cpu}}}
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }


@pytest.fixture
def cluster() -> SimulatedCluster:
    return SimulatedCluster.new(now=1795222800.0)


def do(cluster: SimulatedCluster, verb: str, path: str, body: Any = None, content: str = "") -> int:
    status = cluster.handle(Request(verb, path, {}, content, body)).status
    assert cluster.engine.settle()
    return status


def status(cluster: SimulatedCluster, name: str = "web") -> dict[str, Any]:
    found: dict[str, Any] = cluster.api.get("deployments.apps", "default", name)["status"]
    return found


def test_a_deployment_gets_its_pods_spread_and_running(cluster: SimulatedCluster) -> None:
    assert do(cluster, "create", DEPLOYMENTS, deployment("web")) == 201

    pods = cluster.store.objects("pods")
    assert {pod["status"]["phase"] for pod in pods} == {"Running"}
    assert len({pod["spec"]["nodeName"] for pod in pods}) == 3
    assert status(cluster)["availableReplicas"] == 3


def test_a_service_gets_an_endpoint_for_each_ready_pod(cluster: SimulatedCluster) -> None:
    do(cluster, "create", DEPLOYMENTS, deployment("web"))
    service = {"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}
    do(cluster, "create", "/api/v1/namespaces/default/services", service)

    [endpoints] = cluster.store.objects("endpointslices.discovery.k8s.io")
    assert len(endpoints["endpoints"]) == 3


def test_a_new_image_replaces_every_pod(cluster: SimulatedCluster) -> None:
    do(cluster, "create", DEPLOYMENTS, deployment("web"))
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "nginx:1.28"}]}}}}
    assert do(cluster, "patch", f"{DEPLOYMENTS}/web", patch, STRATEGIC) == 200

    assert {pod["spec"]["containers"][0]["image"] for pod in cluster.store.objects("pods")} == {"nginx:1.28"}
    assert (status(cluster)["updatedReplicas"], status(cluster)["availableReplicas"]) == (3, 3)


def test_pods_that_fit_nowhere_stay_pending(cluster: SimulatedCluster) -> None:
    do(cluster, "create", DEPLOYMENTS, deployment("huge", replicas=1, cpu="5000"))

    [pod] = cluster.store.objects("pods")
    assert (pod["status"]["phase"], pod["spec"].get("nodeName")) == ("Pending", None)
    assert status(cluster, "huge").get("availableReplicas", 0) == 0


def test_scaling_down_removes_pods_and_keeps_the_rest(cluster: SimulatedCluster) -> None:
    do(cluster, "create", DEPLOYMENTS, deployment("web"))
    before = {pod["metadata"]["name"] for pod in cluster.store.objects("pods")}
    do(cluster, "patch", f"{DEPLOYMENTS}/web", {"spec": {"replicas": 1}}, STRATEGIC)

    [kept] = cluster.store.objects("pods")
    assert kept["metadata"]["name"] in before


def test_deleting_a_deployment_takes_its_replica_sets_and_pods_along(cluster: SimulatedCluster) -> None:
    do(cluster, "create", DEPLOYMENTS, deployment("web"))
    assert do(cluster, "delete", f"{DEPLOYMENTS}/web") == 200

    assert (cluster.store.count("pods"), cluster.store.count("replicasets.apps")) == (0, 0)


def test_the_same_seed_gives_the_same_names() -> None:
    def names(seed: int) -> set[str]:
        cluster = SimulatedCluster.new(now=0.0, seed=seed)
        do(cluster, "create", DEPLOYMENTS, deployment("web"))
        return {pod["metadata"]["name"] for pod in cluster.store.objects("pods")}

    assert names(1) == names(1)
    assert names(1) != names(2)


def test_an_eviction_that_came_to_nothing_counts_for_two_minutes(cluster: SimulatedCluster) -> None:
    do(cluster, "create", DEPLOYMENTS, deployment("web"))
    spec = {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}
    budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
    do(cluster, "create", budgets, {"metadata": {"name": "web"}, "spec": spec})
    [pod, *_] = [item["metadata"]["name"] for item in cluster.store.objects("pods")]
    eviction = {"metadata": {"name": pod}, "deleteOptions": {"preconditions": {"uid": "another"}}}
    assert do(cluster, "create", f"/api/v1/namespaces/default/pods/{pod}/eviction", eviction) == 409

    def allowed() -> int:
        found: int = cluster.api.get("poddisruptionbudgets.policy", "default", "web")["status"]["disruptionsAllowed"]
        return found

    assert allowed() == 0
    cluster.engine.advance(cluster.clock.now + 121)
    assert allowed() == 1
