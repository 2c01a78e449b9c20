"""Which pods a ReplicaSet takes on the way down, and how it waits when it may not create any."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubesteward_tools.twin.clock import timestamp
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.controllers.replicasets import victims
from kubesteward_tools.twin.kubelet.outlook import Best
from kubesteward_tools.twin.route import Request

NOW = 1_800_000_000.0


def pod(uid: str, *, age: float = 3600.0, ready_for: float | None = None, node: str = "", **annotations: str) -> Any:
    since = timestamp(NOW - (age if ready_for is None else ready_for))
    return {
        "metadata": {
            "name": f"web-{uid}",
            "uid": uid,
            "creationTimestamp": timestamp(NOW - age),
            "annotations": {f"controller.kubernetes.io/{key}": value for key, value in annotations.items()},
        },
        "spec": {"nodeName": node or f"node-{uid}"},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": since}],
        },
    }


def order(*pods: Any) -> str:
    return "".join(item["metadata"]["uid"] for item in victims(list(pods), NOW))


def test_of_pods_that_exist_for_about_as_long_the_uid_decides_which_goes_first() -> None:
    assert order(pod("b", age=3000), pod("a", age=3600)) == "ab"


def test_a_pod_that_is_clearly_younger_goes_before_an_older_one() -> None:
    assert order(pod("a", age=36_000), pod("b", age=60)) == "ba"


def test_pods_that_share_a_node_go_before_those_alone_on_theirs() -> None:
    assert order(pod("a"), pod("b", node="one"), pod("c", node="one")) == "bca"


def test_a_lower_deletion_cost_goes_before_all_but_readiness() -> None:
    cheap = pod("c")
    cheap["metadata"]["annotations"]["controller.kubernetes.io/pod-deletion-cost"] = "-5"

    assert order(pod("a", node="one"), pod("b", node="one"), cheap) == "cab"


@given(st.permutations([pod(uid, age=60.0 * 7**number) for number, uid in enumerate("dcbae")]))
def test_the_order_of_the_list_does_not_matter(pods: list[Any]) -> None:
    assert order(*pods) == "dcbae"


def call(cluster: SimulatedCluster, verb: str, path: str, body: Any, content: str = "application/json") -> None:
    assert cluster.handle(Request(verb, path, {}, content, body)).status < 300


def test_a_roll_out_with_surge_is_held_up_by_a_full_quota_for_its_refused_pods_wait_ever_longer() -> None:
    cluster, labels = SimulatedCluster.new(nodes=3, now=NOW), {"app": "web"}
    container = {"name": "app", "image": "app:1", "resources": {"requests": {"cpu": "100m"}}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 4, "selector": {"matchLabels": labels}, "template": template}
    quota = {"metadata": {"name": "q"}, "spec": {"hard": {"requests.cpu": "400m"}}}
    apps = "/apis/apps/v1/namespaces/default/deployments"
    call(cluster, "create", "/api/v1/namespaces/default/resourcequotas", quota)
    call(cluster, "create", apps, {"metadata": {"name": "web"}, "spec": spec})
    assert cluster.engine.settle()

    again = {"spec": {"template": {"metadata": {"annotations": {"restarted": "yes"}}}}}
    call(cluster, "patch", f"{apps}/web", again, "application/merge-patch+json")
    cluster.engine.settle()

    status = cluster.api.get("deployments.apps", "default", "web")["status"]
    reasons = {item["type"]: item["reason"] for item in status["conditions"]}
    assert status["updatedReplicas"] < 4
    assert reasons["ReplicaFailure"] == "FailedCreate"


def test_who_lacks_pods_is_tried_again_when_the_quota_grows_even_if_nobody_saw_the_refusal() -> None:
    before, labels = SimulatedCluster.new(nodes=3, now=NOW), {"app": "agent"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}}
    quota = "/api/v1/namespaces/default/resourcequotas"
    call(before, "create", quota, {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "1"}}})
    spec = {"selector": {"matchLabels": labels}, "template": template}
    sets = "/apis/apps/v1/namespaces/default/daemonsets"
    call(before, "create", sets, {"metadata": {"name": "agent"}, "spec": spec})
    before.engine.settle()

    later = SimulatedCluster.over(before.store.fork(), now=NOW + 3600, seed=1, outlook=Best())
    merge = "application/merge-patch+json"
    call(later, "patch", f"{quota}/q", {"spec": {"hard": {"pods": "9"}}}, merge)
    later.engine.settle()

    assert later.api.get("daemonsets.apps", "default", "agent")["status"]["numberReady"] == 3
