"""What if a node or a zone failed: who is down right after, who comes back, who does not, and nothing to execute."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from tests.tools.twin.rehearsal.clusters import (
    BUDGETS,
    DEPLOYMENTS,
    NOW,
    PODS,
    QUOTAS,
    SERVICES,
    budget,
    cluster_with,
    deployment,
    quota,
    service,
)
from tests.tools.twin.rehearsal.test_properties import clusters, copied, seldom

from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.failure import Failure, held_nodes
from kubesteward_tools.twin.hypothetical import Hypothetical, fail
from kubesteward_tools.twin.rehearse import rehearse
from kubesteward_tools.twin.worlds import store_of
from kubesteward_tools.world.store import Key

STATEFUL_SETS = "/apis/apps/v1/namespaces/default/statefulsets"
DAEMON_SETS = "/apis/apps/v1/namespaces/default/daemonsets"
VOLUMES = "/api/v1/persistentvolumes"
CLAIMS = "/api/v1/namespaces/default/persistentvolumeclaims"


def failed(cluster: SimulatedCluster, *nodes: str, zone: str = "") -> Hypothetical:
    return fail(cluster.store, nodes=nodes, zone=zone, now=cluster.clock.now + 60)


def rules(found: Hypothetical, severity: str = "") -> set[str]:
    return {item.rule for item in found.findings if severity in {"", item.severity}}


def ready(found: Hypothetical, name: str) -> tuple[int, int, int, int, int]:
    (item,) = (item for item in found.availability if item.object == name)
    return item.before, item.best_min, item.best_after, item.worst_min, item.worst_after


def node_of(cluster: SimulatedCluster, prefix: str) -> str:
    (pod,) = (pod for pod in cluster.store.objects("pods") if pod["metadata"]["name"].startswith(prefix))
    return str(pod["spec"]["nodeName"])


def stateful_set(replicas: int = 3) -> dict[str, Any]:
    made = deployment("db", replicas)
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    claims = [{"metadata": {"name": "data"}, "spec": claim}]
    return {**made, "spec": {**made["spec"], "serviceName": "db", "volumeClaimTemplates": claims}}


def zonal_volume(zone: str) -> dict[str, Any]:
    where = {"key": "topology.kubernetes.io/zone", "operator": "In", "values": [zone]}
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "",
        "csi": {"driver": "d", "volumeHandle": "v"},
        "claimRef": {"namespace": "default", "name": "data"},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [where]}]}},
    }
    return {"metadata": {"name": "zonal"}, "spec": spec}


def with_claim(made: dict[str, Any], claim: str = "data") -> dict[str, Any]:
    made["spec"]["template"]["spec"]["volumes"] = [{"name": "d", "persistentVolumeClaim": {"claimName": claim}}]
    return made


def claim(volume: str = "zonal", mode: str = "ReadWriteOnce") -> dict[str, Any]:
    size = {"requests": {"storage": "1Gi"}}
    spec = {"accessModes": [mode], "resources": size, "volumeName": volume, "storageClassName": ""}
    return {"metadata": {"name": "data"}, "spec": spec}


def test_replicas_on_other_nodes_keep_a_service_up_and_are_made_up_for() -> None:
    cluster = cluster_with((DEPLOYMENTS, deployment()), (SERVICES, service()))
    found = failed(cluster, "node-1")

    assert ready(found, "service default/web") == (3, 2, 3, 2, 2)
    assert ready(found, "deployment default/web") == (3, 2, 3, 2, 2)
    assert found.verdict == "safe"
    assert rules(found) == {"failure.reduced"}
    assert (found.hypothesis, found.failed_nodes) == ("node node-1", ("node-1",))


def test_a_single_replica_takes_its_service_down_until_it_is_evicted() -> None:
    cluster = cluster_with((DEPLOYMENTS, deployment(replicas=1)), (SERVICES, service()))
    found = failed(cluster, node_of(cluster, "web-"))

    assert ready(found, "service default/web") == (1, 0, 1, 0, 0)
    assert {"failure.service_down"} == rules(found, "block")
    assert {"failure.single_replica"} == rules(found, "warn")
    assert found.verdict == "blocked"
    assert [step.t for step in found.timeline] == sorted(step.t for step in found.timeline)
    assert {step.t for step in found.timeline if step.what == "stopping"} == {350.0}


def test_replicas_that_all_run_on_the_node_are_down_together() -> None:
    cluster = cluster_with((DEPLOYMENTS, deployment()), (SERVICES, service()), nodes=1)
    found = failed(cluster, "node-1")

    assert {"failure.workload_down", "failure.service_down", "failure.not_restored"} == rules(found, "block")
    assert found.stuck == ()
    assert any("nothing is evicted" in text for text in found.assumptions)


def test_pods_that_fit_nowhere_else_stay_pending() -> None:
    cluster = cluster_with((DEPLOYMENTS, deployment(replicas=3, cpu="3")), (SERVICES, service()))
    found = failed(cluster, "node-2")
    (item,) = (item for item in found.findings if item.rule == "failure.no_capacity")

    assert ready(found, "deployment default/web") == (3, 2, 2, 2, 2)
    assert "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu" in item.message
    assert found.verdict == "blocked"


def test_what_a_full_quota_keeps_from_coming_back_is_told_with_the_quota() -> None:
    cluster = cluster_with((DEPLOYMENTS, deployment()), (QUOTAS, quota(3)), nodes=3)
    found = failed(cluster, "node-1")
    (item,) = (item for item in found.findings if item.rule == "failure.refused")

    assert ready(found, "deployment default/web") == (3, 2, 2, 2, 2)
    assert "exceeded quota" in item.message
    assert found.verdict == "warn"


def test_a_stateful_set_waits_for_a_pod_that_nobody_can_stop() -> None:
    cluster = cluster_with((STATEFUL_SETS, stateful_set()), (SERVICES, service("db")))
    found = failed(cluster, node_of(cluster, "db-1"))

    assert found.stuck == ("pod default/db-1",)
    assert ready(found, "statefulset default/db") == (3, 2, 2, 2, 2)
    assert {"failure.stuck", "failure.not_restored"} == rules(found, "warn")


def test_a_volume_for_one_node_stays_with_the_pod_that_cannot_be_stopped() -> None:
    objects = [(VOLUMES, {**zonal_volume("x"), "spec": {**zonal_volume("x")["spec"], "nodeAffinity": None}})]
    cluster = cluster_with(*objects, (CLAIMS, claim()), (DEPLOYMENTS, with_claim(deployment(replicas=1))))
    found = failed(cluster, node_of(cluster, "web-"))

    assert ready(found, "deployment default/web") == (1, 0, 0, 0, 0)
    assert {"failure.stuck", "failure.single_replica"} == rules(found, "warn")
    assert {"failure.not_restored"} == rules(found, "block")
    assert found.effects.pods_started == 1


def test_a_zone_takes_its_volumes_with_it() -> None:
    objects = [(VOLUMES, zonal_volume("sim-1b")), (CLAIMS, claim())]
    cluster = cluster_with(*objects, (DEPLOYMENTS, with_claim(deployment(replicas=1))))
    found = failed(cluster, zone="sim-1b")

    assert node_of(cluster, "web-") == "node-2"
    assert found.stranded == ("persistentvolume zonal",)
    assert {"failure.zone_volume", "failure.not_restored"} == rules(found, "block")
    assert failed(cluster, zone="sim-1a").stranded == ()


def test_daemons_stay_and_budgets_are_not_asked() -> None:
    daemon = deployment("agent")
    del daemon["spec"]["replicas"]
    cluster = cluster_with((DAEMON_SETS, daemon), (DEPLOYMENTS, deployment()), (BUDGETS, budget(3)))
    found = failed(cluster, "node-1")

    assert "failure.budget" in rules(found, "warn")
    assert not any("agent" in text for text in found.stuck)
    assert ready(found, "daemonset default/agent") == (3, 2, 2, 2, 2)


def test_a_pod_that_nothing_starts_anew_is_lost() -> None:
    pod = {"metadata": {"name": "lone"}, "spec": {"containers": [{"name": "a", "image": "a:1"}]}}
    cluster = cluster_with((PODS, pod))

    assert "failure.unmanaged" in rules(failed(cluster, node_of(cluster, "lone")))


def test_a_pod_that_tolerates_nothing_is_evicted_at_once_and_one_that_waits_for_ever_never() -> None:
    never = deployment("never", 1)
    never["spec"]["template"]["spec"]["tolerations"] = [{"operator": "Exists"}]
    cluster = cluster_with((DEPLOYMENTS, never))
    found = failed(cluster, node_of(cluster, "never-"))

    assert found.stuck == ()
    assert ready(found, "deployment default/never") == (1, 0, 0, 0, 0)


def test_too_many_lost_pods_are_counted_and_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubesteward_tools.twin.failure.MOST_PODS", 0)
    cluster = cluster_with((DEPLOYMENTS, deployment()), (SERVICES, service()))
    found = failed(cluster, "node-1")

    assert ready(found, "service default/web") == (3, 2, 2, 2, 2)
    assert (found.verdict, rules(found)) == ("unknown", {"failure.reduced"})
    assert found.assumptions[0] == "1 pods are lost, too many to follow: what comes back of them is not simulated"
    assert {step.t for step in found.timeline} == {0.0, 50.0}


def test_a_hypothetical_is_no_change_and_says_so() -> None:
    found = failed(cluster_with((DEPLOYMENTS, deployment())), "node-1", "node-2")

    assert found.admission == ()
    assert found.model_dump()["hypothetical"] is True
    assert found.render().startswith("Hypothetical, nothing to execute: failure of node node-1 and node node-2")


@pytest.mark.parametrize(
    ("nodes", "zone", "words"),
    [
        (("node-9",), "", "no node 'node-9'; there are node-1"),
        ((), "moon", "zones are sim-1a"),
        ((), "", "name a node"),
    ],
)
def test_what_does_not_exist_cannot_fail(nodes: tuple[str, ...], zone: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        fail(cluster_with().store, nodes=nodes, zone=zone, now=NOW)


@pytest.mark.parametrize(("size", "lost", "held"), [(5, 3, 3), (5, 2, 0), (10, 5, 0), (3, 3, 0), (60, 40, 0)], ids=str)
def test_nothing_is_evicted_from_a_zone_that_has_mostly_failed(size: int, lost: int, held: int) -> None:
    """Another zone stays up, so that a zone that is gone entirely is evicted."""

    def node(number: int, zone: str) -> dict[str, Any]:
        labels = {"topology.kubernetes.io/zone": zone}
        return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"{zone}-{number}", "labels": labels}}

    store = store_of([*(node(number, "a") for number in range(size)), node(0, "b")])

    assert held == len(held_nodes(store, tuple(f"a-{number}" for number in range(lost))))


@seldom
@given(clusters())
def test_the_world_is_left_as_it_is_and_the_same_question_has_the_same_answer(cluster: SimulatedCluster) -> None:
    before = copied(cluster.store)
    first, second = failed(cluster, "node-1"), failed(cluster, "node-1")

    assert first.model_dump_json() == second.model_dump_json()
    assert before == copied(cluster.store)


def test_rehearse_takes_a_failure_in_place_of_calls_and_plain_objects_do_for_a_world() -> None:
    cluster = cluster_with((DEPLOYMENTS, deployment()))
    found = rehearse(cluster.store, Failure(zone="sim-1c"), now=cluster.clock.now + 60)
    objects = [obj for resource in cluster.store.resources() for obj in cluster.store.objects(resource)]

    assert isinstance(found, Hypothetical)
    assert found == fail(objects, zone="sim-1c", now=cluster.clock.now + 60)
    assert cluster.store.get(Key("nodes", "", "node-3")) is not None
