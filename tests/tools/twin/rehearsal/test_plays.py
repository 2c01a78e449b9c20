"""How a change is played: as one up to where a pod starts, evictions at once, and never without end."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tools.twin.rehearsal.clusters import (
    BUDGETS,
    DEPLOYMENTS,
    NOW,
    PODS,
    RESTART,
    SERVICES,
    budget,
    call,
    cluster_with,
    deployment,
    image,
    patch,
    rehearsed,
    rolling,
    scale,
    service,
)

from kubesteward_policies.change import JSON, MERGE_PATCH, ApiCall
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.identity import ADMIN
from kubesteward_tools.twin.kubelet.outlook import Best, Outlook, Worst
from kubesteward_tools.twin.play import Play, Undecided
from kubesteward_tools.world.store import Key


def contents(play: Play) -> list[tuple[Key, Any]]:
    store = play.cluster.store
    return [(key, store.get(key)) for resource in store.resources() for key in store.keys(resource)]


def seen(play: Play) -> tuple[Any, ...]:
    watcher = play.watcher
    return watcher.steps, watcher.lowest, watcher.budget_lowest, watcher.touched, watcher.stopped, play.answers


def drain(cluster: SimulatedCluster, node: str) -> list[ApiCall]:
    pods = [key for key in cluster.store.pods_on(node) if key.namespace == "default"]
    evictions = [call("create", f"{PODS}/{key.name}/eviction", {"metadata": {"name": key.name}}, JSON) for key in pods]
    return [call("patch", f"/api/v1/nodes/{node}", {"spec": {"unschedulable": True}}, MERGE_PATCH), *evictions]


@pytest.fixture(scope="module")
def cluster() -> SimulatedCluster:
    web = deployment(replicas=6, strategy=rolling(1, 1))
    return cluster_with((DEPLOYMENTS, web), (SERVICES, service()), (BUDGETS, budget(3)))


@pytest.mark.parametrize("outlook", [Best(), Worst()], ids=["best", "worst"])
@pytest.mark.parametrize("change", ["restart", "image", "grow", "drain"])
def test_a_play_that_went_on_from_where_a_pod_starts_is_one_that_was_played_from_the_start(
    cluster: SimulatedCluster, change: str, outlook: Outlook
) -> None:
    calls = {
        "restart": [patch(f"{DEPLOYMENTS}/web", RESTART)],
        "image": [image("web", "2"), scale("web", 4)],
        "grow": [scale("web", 9)],
        "drain": drain(cluster, "node-1") or drain(cluster, cluster.store.objects("nodes")[0]["metadata"]["name"]),
    }[change]
    whole = Play(cluster.store, calls, outlook, NOW + 60, 0, ADMIN)
    assert whole.run()
    begun = Play(cluster.store, calls, Undecided(), NOW + 60, 0, ADMIN)
    assert not begun.run()
    forked = begun.fork()
    for other in (Worst(), Best()):  # what becomes of others that went on from there is of no account
        unlike = begun.fork()
        unlike.decide(other)
        assert unlike.run()
    forked.decide(outlook)
    assert forked.run()
    assert seen(whole) == seen(forked)
    assert contents(whole) == contents(forked)


def test_where_no_pod_starts_there_is_nothing_to_decide(cluster: SimulatedCluster) -> None:
    assert Play(cluster.store, [scale("web", 2)], Undecided(), NOW + 60, 0, ADMIN).run()


def test_evictions_that_follow_each_other_are_made_at_once() -> None:
    """As kubectl drain makes them: nobody waits for the new pod of the first."""
    cluster = cluster_with((DEPLOYMENTS, deployment(replicas=2)), (SERVICES, service()), nodes=1)
    (node,) = cluster.store.keys("nodes")
    evictions = drain(cluster, node.name)[1:]
    found = rehearsed(cluster, *evictions)
    (web,) = [item for item in found.availability if item.object.startswith("deployment")]
    assert (web.best_min, web.best_after) == (0, 2)


def test_an_eviction_that_a_budget_refuses_is_made_again_when_new_pods_are_ready() -> None:
    objects = [(DEPLOYMENTS, deployment(replicas=3)), (SERVICES, service()), (BUDGETS, budget(2))]
    cluster = cluster_with(*objects, nodes=1)
    (node,) = cluster.store.keys("nodes")
    found = rehearsed(cluster, *drain(cluster, node.name)[1:])
    assert [answer.allowed for answer in found.admission] == [True, True, True]
    (web,) = [item for item in found.availability if item.object.startswith("deployment")]
    assert web.best_min == 2


def test_a_replica_set_whose_pods_are_never_its_own_is_left_alone_and_named() -> None:
    """The API server refuses such a one, but a bundle of files may hold it."""
    cluster = cluster_with((DEPLOYMENTS, deployment(replicas=1)))
    (key,) = cluster.store.keys("replicasets.apps")
    stored = cluster.store.get(key) or {}
    template = {**stored["spec"]["template"], "metadata": {"labels": {"app": "other"}}}
    cluster.store.put(key, {**stored, "spec": {**stored["spec"], "template": template}})
    (pod,) = cluster.store.keys("pods", "default")
    found = rehearsed(cluster, call("delete", f"{PODS}/{pod.name}"))
    assert found.verdict in {"unknown", "blocked"}
    assert f"replicaset default/{key.name} makes its controller work without end" in found.assumptions
