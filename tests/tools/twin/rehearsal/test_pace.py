"""Evictions that go one by one are rehearsed one by one: never more than one pod of a workload is missing."""

from __future__ import annotations

from typing import Any

from tests.tools.desk import NOW, shop

from kubesteward_policies.change import ApiCall
from kubesteward_policies.ref import Ref
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.rehearse import rehearse
from kubesteward_tools.world.store import Key


def evictions(cluster: SimulatedCluster) -> list[ApiCall]:
    body: dict[str, Any] = {"apiVersion": "policy/v1", "kind": "Eviction"}
    return [
        ApiCall(
            "create",
            f"/api/v1/namespaces/shop/pods/{key.name}/eviction",
            Ref("lab", "", "Pod", "shop", key.name),
            {**body, "metadata": {"name": key.name, "namespace": "shop"}},
        )
        for key in cluster.store.keys("pods", "shop")
    ]


def web(cluster: SimulatedCluster, *, paced: bool) -> tuple[int, int, int, int]:
    found = rehearse(cluster.store, evictions(cluster), now=NOW, paced=paced)
    (item,) = (item for item in found.availability if item.object == "deployment shop/web")
    return item.best_min, item.best_after, item.worst_min, item.worst_after


def test_at_once_all_are_gone_for_a_while_and_one_by_one_only_one_is() -> None:
    assert web(shop(), paced=False) == (0, 3, 0, 0)
    assert web(shop(), paced=True) == (2, 3, 2, 2)


def test_where_a_pod_would_not_be_replaced_the_next_is_not_evicted_and_that_is_told() -> None:
    cluster = shop()
    for key in list(cluster.store.keys("nodes")):
        cluster.api.patch("nodes", "", key.name, {"spec": {"unschedulable": True}}, "application/merge-patch+json")
    cluster.engine.settle()
    found = rehearse(cluster.store, evictions(cluster), now=NOW, paced=True)

    assert [(item.allowed, item.reason) for item in found.admission] == [(True, ""), (False, "NotReplaced")]
    assert found.verdict == "blocked"
    assert len(found.effects.pending) == 1


def test_pods_of_several_workloads_do_not_wait_for_each_other() -> None:
    cluster = shop()
    deployment = cluster.store.get(Key("deployments.apps", "shop", "web"))
    assert deployment is not None
    labels = {"app": "api"}
    spec = {**deployment["spec"], "selector": {"matchLabels": labels}, "replicas": 1}
    spec["template"] = {**spec["template"], "metadata": {"labels": labels}}
    cluster.api.create("deployments.apps", "shop", {"metadata": {"name": "api"}, "spec": spec})
    cluster.engine.settle()
    calls = evictions(cluster)
    found = rehearse(cluster.store, calls, now=NOW, paced=True)

    assert [item.allowed for item in found.admission] == [True] * len(calls)
    assert found.effects.pods_stopped == 4
