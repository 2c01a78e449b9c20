"""Weak spots in the topology are said with their numbers; what is only small, or new, is left alone."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tools.correlation.worlds import NOW, Lab, calling

from kubesteward.embedded.scenarios import build
from kubesteward_tools.analytics import shapes
from kubesteward_tools.analytics.shape import Shape
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.twin.clock import timestamp
from kubesteward_tools.twin.resources import by_kind
from kubesteward_tools.world.graph import Graph
from kubesteward_tools.world.store import Key


def found(lab: Lab, **more: Any) -> list[Shape]:
    return shapes.shapes(lab.scene(), **more)


def codes(lab: Lab, **more: Any) -> list[str]:
    return [one.code.removeprefix("topology.") for one in found(lab, **more)]


@pytest.mark.parametrize("nodes", [3, 5])
def test_the_healthy_cluster_has_nothing_but_the_budget_that_never_opens(nodes: int) -> None:
    store = build("healthy", nodes, NOW).store
    scene = Scene(store, Graph(store, by_kind, lambda _resource, _namespace: True), NOW)

    assert [(one.code, one.key.name, one.severity) for one in shapes.shapes(scene)] == [
        ("topology.closed_budget", "payments", "low")
    ]


@pytest.mark.parametrize(("clients", "replicas", "said"), [(3, 1, True), (2, 1, False), (3, 2, False)])
def test_a_single_replica_matters_where_many_call_it(clients: int, replicas: int, said: bool) -> None:
    lab = Lab()
    lab.deployment("db", replicas)
    for number in range(clients):
        lab.deployment(f"client-{number}", spec=calling("db"))

    assert codes(lab) == (["single_replica"] if said else [])


def test_a_service_that_hangs_on_one_of_many_pods_is_said_once_they_had_time_to_start() -> None:
    lab = Lab()
    pods = lab.deployment("web", 4)
    lab.fail(pods[1:])

    [one] = found(lab)

    assert (one.code, one.severity, one.key) == ("topology.lone_endpoint", "high", Key("services", "shop", "web"))
    assert one.numbers == {"ready": 1, "pods": 4}

    for pod in pods:
        obj = lab.objects[pod]
        lab.objects[pod] = {**obj, "metadata": {**obj["metadata"], "creationTimestamp": timestamp(NOW - 60)}}

    assert found(lab) == []


def test_replicas_on_one_node_are_said_only_where_others_would_take_them() -> None:
    lab = Lab(6, 3)
    pods = lab.deployment("web", 2)
    for pod in pods:
        lab.objects[pod] = {**lab.objects[pod], "spec": {**lab.objects[pod]["spec"], "nodeName": "n0"}}

    assert codes(lab) == ["one_node"]
    for pod in pods:
        pinned = {"nodeSelector": {"kubernetes.io/hostname": "n0"}}
        lab.objects[pod] = {**lab.objects[pod], "spec": {**lab.objects[pod]["spec"], **pinned}}
    assert codes(lab) == []


def test_replicas_in_one_zone_are_said() -> None:
    lab = Lab(6, 3)
    for number, pod in enumerate(lab.deployment("web", 4)):
        node = f"n{number % 2 * 3}"  # both of the first zone
        lab.objects[pod] = {**lab.objects[pod], "spec": {**lab.objects[pod]["spec"], "nodeName": node}}

    [one] = found(lab)

    assert (one.code, one.numbers) == ("topology.one_zone", {"pods": 4, "other_zones": 2})


@pytest.mark.parametrize(("healthy", "allowed", "said"), [(2, 0, True), (2, 1, False), (1, 0, False)])
def test_a_budget_that_allows_nothing_is_said_while_all_its_pods_are_well(
    healthy: int, allowed: int, said: bool
) -> None:
    lab = Lab()
    lab.deployment("web")
    status = {"expectedPods": 2, "currentHealthy": healthy, "desiredHealthy": 2, "disruptionsAllowed": allowed}
    spec = {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}
    lab.put("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets.policy", "shop", "web", spec=spec, status=status)

    assert codes(lab) == (["closed_budget"] if said else [])


def test_a_node_that_is_used_far_over_its_peers_is_hot_and_a_full_cluster_is_not() -> None:
    lab = Lab(5, 1)
    cool = {f"n{number}": {"cpu": 0.4, "memory": 0.3} for number in range(5)}

    assert codes(lab, usage=cool) == []
    assert codes(lab, usage={**cool, "n3": {"cpu": 0.97, "memory": 0.3}}) == ["hot_cpu"]
    assert codes(lab, usage={name: {"cpu": 0.97} for name in cool}) == []


def dependency(lab: Lab, *args: str, **env: str) -> None:
    variables = [{"name": name, "value": value} for name, value in env.items()]
    spec = {"containers": [{"name": "db", "image": "db:1", "args": list(args), "env": variables}]}
    lab.deployment("db", 2, spec=spec)


LIMITS = [("-c", "max_connections=100"), ("--max-connections=100",), ("--maxclients", "100")]


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize(("pool", "severity"), [("20", "high"), ("15", "medium"), ("14", "medium"), ("5", None)])
def test_pools_are_added_up_against_the_limit(limit: tuple[str, ...], pool: str, severity: str | None) -> None:
    lab = Lab()
    dependency(lab, *limit)
    for number in range(2):
        lab.deployment(f"client-{number}", 3, spec=calling("db", ("DB_POOL_SIZE", pool)))

    shown = found(lab)

    assert [one.severity for one in shown] == ([severity] if severity else [])
    if severity:
        assert shown[0].numbers["limit"] == 100
        assert shown[0].numbers["pools"] == 6 * int(pool)
        assert "Assumed: one pool in each pod" in shown[0].sentence


def test_a_limit_and_a_pool_may_stand_in_config_maps_and_addresses() -> None:
    lab = Lab()
    lab.put("v1", "ConfigMap", "configmaps", "shop", "tuning", data={"db.conf": "fsync = on\nmax_connections = 50\n"})
    spec = {"containers": [{"name": "db", "image": "db:1"}], "volumes": [{"configMap": {"name": "tuning"}}]}
    lab.deployment("db", 2, spec=spec)
    lab.deployment("a", 2, spec=calling("db", path="?connection_limit=25"))
    lab.deployment("b", 2, spec=calling("db"))

    [one] = found(lab)

    assert one.numbers == {"limit": 50, "pools": 50, "pools_at_most": 50, "clients": 1, "not_counted": 1}
    assert "1 more client without a named pool size is not counted" in one.sentence


def test_an_autoscaler_may_take_the_pools_over_the_limit() -> None:
    lab = Lab()
    dependency(lab, MAX_CONNECTIONS="100")
    lab.deployment("a", 2, spec=calling("db", ("DB_POOL_SIZE", "10")))
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"}
    spec = {"scaleTargetRef": target, "maxReplicas": 12}
    place = "horizontalpodautoscalers.autoscaling", "shop", "a"
    lab.put("autoscaling/v2", "HorizontalPodAutoscaler", *place, spec=spec)

    [one] = found(lab)

    assert (one.severity, one.numbers["pools"], one.numbers["pools_at_most"]) == ("low", 20, 120)


def test_a_pool_for_something_else_is_not_counted() -> None:
    lab = Lab()
    dependency(lab, "--max_connections=10")
    lab.deployment("cache")
    both = calling("db", ("CACHE_ADDR", "cache.shop.svc:6379"), ("CACHE_POOL_SIZE", "500"))
    lab.deployment("a", 2, spec=both)

    assert found(lab) == []
