"""Every scenario builds, and shows what its file says."""

from __future__ import annotations

from typing import Any

import pytest

from kubesteward.embedded import pod_cells, scenarios
from kubesteward_policies.change import STRATEGIC_PATCH, ApiCall
from kubesteward_policies.ref import Ref
from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.logs import container_log
from kubesteward_tools.twin.rehearse import rehearse
from kubesteward_tools.world.store import Key

NOW = 1_800_000_000.0


def words(cluster: SimulatedCluster, app: str) -> list[str]:
    pods = cluster.store.objects("pods", "shop")
    return sorted(pod_cells.status(pod) for pod in pods if pod["metadata"]["labels"]["app"] == app)


def messages(cluster: SimulatedCluster) -> str:
    return "\n".join(event["message"] for event in cluster.store.objects("events", "shop"))


def limit(memory: str, request: str = "96Mi") -> dict[str, Any]:
    resources = {"limits": {"memory": memory}, "requests": {"memory": request}}
    return {"spec": {"template": {"spec": {"containers": [{"name": "checkout", "resources": resources}]}}}}


def verdict(cluster: SimulatedCluster, name: str, patch: dict[str, Any]) -> tuple[str, set[str]]:
    target = Ref("test", "apps", "Deployment", "shop", name)
    call = ApiCall("patch", f"/apis/apps/v1/namespaces/shop/deployments/{name}", target, patch, STRATEGIC_PATCH)
    found = rehearse(cluster.store, [call], now=NOW)
    return found.verdict, {item.rule for item in found.findings}


def test_the_list_of_scenarios() -> None:
    expected = ["empty", "healthy", "image-pull", "incident", "leak", "missing-config", "node-down", "quota"]

    assert expected == scenarios.names()


def test_an_unknown_scenario_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InvalidArguments, match=r"no scenario 'chaos'\. Choose one of: empty, healthy,"):
        scenarios.build("chaos", 3, NOW)


def test_an_empty_cluster_has_nodes_and_nothing_on_them() -> None:
    cluster = scenarios.build("empty", 5, NOW)

    assert (cluster.store.count("nodes"), cluster.store.count("pods")) == (5, 0)


def test_a_healthy_shop_runs() -> None:
    cluster = scenarios.build("healthy", 3, NOW)

    pods = cluster.store.objects("pods")
    assert {pod_cells.status(pod) for pod in pods} == {"Running"}
    assert [event for event in cluster.store.objects("events") if event["type"] == "Warning"] == []
    assert cluster.clock.now == NOW


def test_the_incident_is_a_memory_limit_that_is_too_small() -> None:
    cluster = scenarios.build("incident", 3, NOW)

    assert words(cluster, "checkout") == ["CrashLoopBackOff", "Running", "Running"]
    (broken,) = (pod for pod in cluster.store.objects("pods", "shop") if pod_cells.status(pod) != "Running")
    ended = broken["status"]["containerStatuses"][0]["lastState"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)
    assert "WARN heap at 94 of 96Mi, collecting" in [line.text for line in container_log(broken, "", NOW)]


def test_in_the_incident_the_old_limit_passes_and_more_does_not() -> None:
    cluster = scenarios.build("incident", 3, NOW)

    assert verdict(cluster, "checkout", limit("256Mi")) == ("warn", {"rollout.would_stall"})
    for more in (limit("512Mi"), limit("512Mi", request="512Mi")):
        word, rules = verdict(cluster, "checkout", more)
        assert word == "blocked"
        assert "quota.exceeded" in rules


def test_in_the_incident_payments_cannot_be_restarted() -> None:
    cluster = scenarios.build("incident", 3, NOW)
    restart = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}

    word, rules = verdict(cluster, "payments", restart)
    assert word == "blocked"
    assert "quota.exceeded" in rules


def test_the_old_limit_ends_the_incident() -> None:
    cluster = scenarios.build("incident", 3, NOW)

    cluster.api.patch("deployments.apps", "shop", "checkout", limit("256Mi"), STRATEGIC_PATCH)
    cluster.engine.advance(NOW + 60)

    assert words(cluster, "checkout") == ["Running"] * 3


@pytest.mark.parametrize(
    ("scenario", "app", "word", "message"),
    [
        ("image-pull", "catalog", "ImagePullBackOff", 'Failed to pull image "registry.example.com/shop/catalog:2.4.O"'),
        ("missing-config", "cart", "CreateContainerConfigError", 'configmap "cart-flags" not found'),
        ("quota", "web", "Running", "exceeded quota: shop"),
        ("node-down", "web", "Running", "Node is not ready"),
    ],
)
def test_the_events_of_a_scenario_say_what_is_wrong(scenario: str, app: str, word: str, message: str) -> None:
    cluster = scenarios.build(scenario, 3, NOW)

    assert word in words(cluster, app)
    assert message in messages(cluster)


def test_the_missing_configuration_can_be_created() -> None:
    cluster = scenarios.build("missing-config", 3, NOW)

    cluster.api.create("configmaps", "shop", {"metadata": {"name": "cart-flags"}, "data": {"fast": "1"}})
    cluster.engine.advance(NOW + 60)

    assert words(cluster, "cart") == ["Running", "Running"]


def test_a_node_that_is_down_takes_its_endpoints_with_it() -> None:
    cluster = scenarios.build("node-down", 3, NOW)

    lost = {pod["metadata"]["name"] for pod in map(cluster.store.get, cluster.store.pods_on("node-2")) if pod}
    ready = {
        item["targetRef"]["name"]
        for one in cluster.store.objects("endpointslices.discovery.k8s.io", "shop")
        for item in one["endpoints"]
        if item["conditions"]["ready"]
    }
    assert lost
    assert not lost & ready
    node = cluster.store.get(Key("nodes", "", "node-2"))
    assert node is not None
    assert "node.kubernetes.io/unreachable" in {taint["key"] for taint in node["spec"]["taints"]}
