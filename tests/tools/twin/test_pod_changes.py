"""What may change in a pod that is there, and through which subresource."""

from __future__ import annotations

from typing import Any

import pytest

from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.route import Request, Response

NOW = 1_800_000_000.0
PODS = "/api/v1/namespaces/default/pods"
SIZES: dict[str, Any] = {"requests": {"cpu": "100m"}, "limits": {"cpu": "200m"}}


def send(cluster: SimulatedCluster, verb: str, path: str, body: Any, kind: str = "json") -> Response:
    return cluster.handle(Request(verb, path, {}, f"application/{kind}", body))


def pod(cluster: SimulatedCluster, **spec: Any) -> None:
    container = {"name": "c", "image": "app:1", "resources": SIZES}
    body = {"metadata": {"name": "a"}, "spec": {"containers": [container], **spec}}
    assert send(cluster, "create", PODS, body).status == 201
    cluster.engine.settle()


def changed(cluster: SimulatedCluster, spec: dict[str, Any], subresource: str = "") -> Response:
    return send(cluster, "patch", f"{PODS}/a{subresource}", {"spec": spec}, "strategic-merge-patch+json")


@pytest.fixture
def cluster() -> SimulatedCluster:
    return SimulatedCluster.new(nodes=1, now=NOW)


def test_a_gate_can_only_be_taken_away(cluster: SimulatedCluster) -> None:
    pod(cluster, schedulingGates=[{"name": "e.com/g"}])

    gates = {"schedulingGates": [{"name": "e.com/g"}, {"name": "e.com/h"}]}
    assert changed(cluster, gates).status == 422
    assert send(cluster, "patch", f"{PODS}/a", {"spec": {"schedulingGates": []}}, "merge-patch+json").status == 200


def test_a_gated_pod_can_be_narrowed_down_to_a_node(cluster: SimulatedCluster) -> None:
    pod(cluster, schedulingGates=[{"name": "e.com/g"}])

    assert changed(cluster, {"nodeSelector": {"kubernetes.io/hostname": "node-1"}}).status == 200


def test_a_deadline_can_only_come_nearer(cluster: SimulatedCluster) -> None:
    pod(cluster, activeDeadlineSeconds=900)

    assert changed(cluster, {"activeDeadlineSeconds": 1800}).status == 422
    assert changed(cluster, {"activeDeadlineSeconds": 600}).status == 200


def test_sizes_change_through_resize_and_nothing_else_does(cluster: SimulatedCluster) -> None:
    pod(cluster)
    bigger = {"name": "c", "image": "other:2", "resources": {"requests": {"cpu": "150m"}}}

    assert changed(cluster, {"containers": [bigger]}).status == 422
    answer = changed(cluster, {"containers": [bigger]}, "/resize")
    assert answer.status == 200
    container = answer.body["spec"]["containers"][0]
    assert (container["image"], container["resources"]["requests"]["cpu"]) == ("app:1", "150m")


def test_a_resize_may_not_change_the_class_of_service(cluster: SimulatedCluster) -> None:
    pod(cluster)
    same = {"requests": {"cpu": "200m", "memory": "1Mi"}, "limits": {"cpu": "200m", "memory": "1Mi"}}

    assert changed(cluster, {"containers": [{"name": "c", "resources": same}]}, "/resize").status == 422


def test_a_resize_is_charged_to_the_quota(cluster: SimulatedCluster) -> None:
    pod(cluster)
    body = {"metadata": {"name": "q"}, "spec": {"hard": {"limits.cpu": "250m"}}}
    assert send(cluster, "create", PODS.replace("pods", "resourcequotas"), body).status == 201
    cluster.engine.settle()
    sizes = {"limits": {"cpu": "300m"}}

    assert changed(cluster, {"containers": [{"name": "c", "resources": sizes}]}, "/resize").status == 403


def test_an_image_is_judged_by_the_namespaces_profile_again(cluster: SimulatedCluster) -> None:
    pod(cluster)
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    answer = send(cluster, "patch", "/api/v1/namespaces/default", {"metadata": {"labels": labels}}, "merge-patch+json")
    assert answer.status == 200

    assert changed(cluster, {"containers": [{"name": "c", "image": "app:2"}]}).status == 403
    assert send(cluster, "patch", f"{PODS}/a", {"metadata": {"labels": {"a": "b"}}}, "merge-patch+json").status == 200
