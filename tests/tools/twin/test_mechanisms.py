"""Mechanisms that changes seldom meet: budgets over mixed pods, aggregated roles, classes, odd patches, reviews."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubesteward_policies.change import ApiCall
from kubesteward_policies.ref import Ref
from kubesteward_tools.twin.cases.case import read
from kubesteward_tools.twin.cases.predict import predict
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.identity import impersonated
from kubesteward_tools.twin.rehearse import rehearse
from kubesteward_tools.twin.route import Request, Response
from kubesteward_tools.world.store import Key

NOW = 1_800_000_000.0
CORE, APPS = "/api/v1/namespaces/default", "/apis/apps/v1/namespaces/default"
BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
BARE: dict[str, Any] = {"containers": [{"name": "c", "image": "app:1"}]}


@pytest.fixture
def cluster() -> SimulatedCluster:
    return SimulatedCluster.new(nodes=3, now=NOW)


def send(cluster: SimulatedCluster, verb: str, path: str, body: Any, kind: str = "json") -> Response:
    answer = cluster.handle(Request(verb, path, {}, f"application/{kind}", body))
    cluster.engine.settle()
    return answer


def deployment(cluster: SimulatedCluster, name: str, replicas: int, **labels: str) -> None:
    template = {"metadata": {"labels": labels}, "spec": BARE}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    assert send(cluster, "create", f"{APPS}/deployments", {"metadata": {"name": name}, "spec": spec}).status == 201


def pod(cluster: SimulatedCluster, name: str, labels: dict[str, str] | None = None, **spec: Any) -> Response:
    body = {"metadata": {"name": name, "labels": labels or {}}, "spec": {**BARE, **spec}}
    return send(cluster, "create", f"{CORE}/pods", body)


def budget(cluster: SimulatedCluster, **spec: Any) -> dict[str, Any]:
    body = {"metadata": {"name": "b"}, "spec": {"selector": {"matchLabels": {"tier": "a"}}, **spec}}
    assert send(cluster, "create", BUDGETS, body).status == 201
    found = cluster.store.get(Key("poddisruptionbudgets.policy", "default", "b")) or {}
    numbers = ("expectedPods", "desiredHealthy", "currentHealthy", "disruptionsAllowed")
    return {name: found["status"].get(name) for name in numbers}


def test_pods_without_a_controller_do_not_count_for_a_share(cluster: SimulatedCluster) -> None:
    deployment(cluster, "web", 2, tier="a", app="web")
    pod(cluster, "bare", {"tier": "a"})

    found = budget(cluster, minAvailable="50%")
    assert found == {"expectedPods": 2, "desiredHealthy": 1, "currentHealthy": 3, "disruptionsAllowed": 2}


def test_a_budget_over_pods_that_cannot_be_scaled_allows_nothing(cluster: SimulatedCluster) -> None:
    template = {"metadata": {"labels": {"tier": "a"}}, "spec": BARE}
    spec = {"selector": {"matchLabels": {"tier": "a"}}, "template": template}
    send(cluster, "create", f"{APPS}/daemonsets", {"metadata": {"name": "agents"}, "spec": spec})

    found = budget(cluster, maxUnavailable=1)
    assert found == {"expectedPods": 0, "desiredHealthy": 0, "currentHealthy": 0, "disruptionsAllowed": 0}


def test_an_eviction_names_its_pod_twice(cluster: SimulatedCluster) -> None:
    pod(cluster, "bare")

    assert send(cluster, "create", f"{CORE}/pods/bare/eviction", {"metadata": {"name": "other"}}).status == 400
    assert send(cluster, "create", f"{CORE}/pods/bare/eviction", {"metadata": {"name": "bare"}}).status == 201


def test_an_aggregated_role_loses_what_its_part_granted(cluster: SimulatedCluster) -> None:
    part = {
        "metadata": {"name": "part", "labels": {"goes-into": "whole"}},
        "rules": [{"apiGroups": ["e.com"], "resources": ["trees"], "verbs": ["get"]}],
    }
    whole = {"clusterRoleSelectors": [{"matchLabels": {"goes-into": "whole"}}]}
    send(cluster, "create", f"{RBAC}/clusterroles", part)
    send(cluster, "create", f"{RBAC}/clusterroles", {"metadata": {"name": "whole"}, "aggregationRule": whole})
    subject = {"kind": "User", "name": "ann", "apiGroup": "rbac.authorization.k8s.io"}
    role = {"kind": "ClusterRole", "name": "whole", "apiGroup": "rbac.authorization.k8s.io"}
    binding = {"metadata": {"name": "ann"}, "roleRef": role, "subjects": [subject]}
    send(cluster, "create", f"{RBAC}/clusterrolebindings", binding)
    attributes = {"verb": "get", "group": "e.com", "resource": "trees"}
    question = {"spec": {"user": "ann", "resourceAttributes": attributes}}

    assert send(cluster, "create", REVIEWS, question).body["status"]["allowed"] is True
    send(cluster, "delete", f"{RBAC}/clusterroles/part", None)
    assert send(cluster, "create", REVIEWS, question).body["status"]["allowed"] is False


@pytest.mark.parametrize("spec", [{"user": "ann"}, {"resourceAttributes": {"verb": "get", "resource": "pods"}}])
def test_a_question_about_nobody_or_nothing_is_refused(cluster: SimulatedCluster, spec: dict[str, Any]) -> None:
    assert send(cluster, "create", REVIEWS, {"spec": spec}).status == 422


def test_the_server_adds_the_groups_of_who_is_impersonated() -> None:
    assert impersonated("ann", ("devs",)).groups == ("devs", "system:authenticated")
    assert impersonated("system:serviceaccount:shop:robot").groups == (
        "system:serviceaccounts",
        "system:serviceaccounts:shop",
        "system:authenticated",
    )


@pytest.mark.parametrize(
    "spec", [{"priority": 7}, {"runtimeClassName": "none"}, {"overhead": {"cpu": "1"}}, {"preemptionPolicy": "Never"}]
)
def test_a_pod_cannot_give_itself_what_a_class_grants(cluster: SimulatedCluster, spec: dict[str, Any]) -> None:
    answer = pod(cluster, "a", **spec)

    assert (answer.status, answer.body["reason"]) == (403, "Forbidden")


def test_a_runtime_class_adds_its_overhead(cluster: SimulatedCluster) -> None:
    kata = {"metadata": {"name": "kata"}, "handler": "kata", "overhead": {"podFixed": {"cpu": "250m"}}}
    send(cluster, "create", "/apis/node.k8s.io/v1/runtimeclasses", kata)

    assert pod(cluster, "a", runtimeClassName="kata").body["spec"]["overhead"] == {"cpu": "250m"}


def test_there_is_one_default_priority(cluster: SimulatedCluster) -> None:
    path = "/apis/scheduling.k8s.io/v1/priorityclasses"
    answers = [
        send(cluster, "create", path, {"metadata": {"name": name}, "value": 1, "globalDefault": True}).status
        for name in ("one", "two")
    ]

    assert answers == [201, 403]


def test_an_ephemeral_volume_gets_a_claim_that_goes_with_its_pod(cluster: SimulatedCluster) -> None:
    claim = {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
    pod(cluster, "a", volumes=[{"name": "scratch", "ephemeral": {"volumeClaimTemplate": claim}}])
    key = Key("persistentvolumeclaims", "default", "a-scratch")

    assert (cluster.store.get(key) or {})["status"]["phase"] == "Bound"
    send(cluster, "delete", f"{CORE}/pods/a", None)
    assert cluster.store.get(key) is None


def test_a_deleted_slice_is_made_anew(cluster: SimulatedCluster) -> None:
    deployment(cluster, "web", 1, app="web")
    service = {"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}
    send(cluster, "create", f"{CORE}/services", service)
    (name,) = [item["metadata"]["name"] for item in cluster.store.objects("endpointslices.discovery.k8s.io", "default")]
    send(cluster, "delete", f"/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/{name}", None)

    (made,) = cluster.store.objects("endpointslices.discovery.k8s.io", "default")
    assert len(made["endpoints"]) == 1


def test_a_quota_counts_quotas_and_pods_as_a_whole(cluster: SimulatedCluster) -> None:
    hard = {"requests.cpu": "1", "resourcequotas": "1"}
    send(cluster, "create", f"{CORE}/resourcequotas", {"metadata": {"name": "q"}, "spec": {"hard": hard}})

    assert send(cluster, "create", f"{CORE}/resourcequotas", {"metadata": {"name": "r"}, "spec": {}}).status == 403
    assert pod(cluster, "a").status == 403
    assert pod(cluster, "a", resources={"requests": {"cpu": "500m"}}).status == 201


@pytest.mark.parametrize(
    ("patch", "kind", "status"),
    [
        ({"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}}, "strategic-merge-patch+json", 500),
        ({"spec": {"$patch": "other"}}, "strategic-merge-patch+json", 500),
        ([{"op": "replace", "path": "/kind", "value": "Other"}], "json-patch+json", 422),
        ({"kind": "Other"}, "merge-patch+json", 422),
        ({"metadata": {"uid": "other"}}, "merge-patch+json", 422),
    ],
)
def test_a_patch_that_makes_no_sense_is_answered_as_the_server_does(
    cluster: SimulatedCluster, patch: Any, kind: str, status: int
) -> None:
    deployment(cluster, "web", 1, app="web")

    assert send(cluster, "patch", f"{APPS}/deployments/web", patch, kind).status == status


@pytest.mark.parametrize("port", [30777, 80])
def test_a_node_port_must_be_free_and_in_range(cluster: SimulatedCluster, port: int) -> None:
    ports = [{"port": 80, "nodePort": 30777}]
    send(
        cluster, "create", f"{CORE}/services", {"metadata": {"name": "a"}, "spec": {"type": "NodePort", "ports": ports}}
    )
    ports = [{"port": 80, "nodePort": port}]
    body = {"metadata": {"name": "b"}, "spec": {"type": "NodePort", "ports": ports}}

    assert send(cluster, "create", f"{CORE}/services", body).status == 422


def test_a_cluster_address_must_be_free(cluster: SimulatedCluster) -> None:
    first = send(cluster, "create", f"{CORE}/services", {"metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}})
    spec = {"clusterIP": first.body["spec"]["clusterIP"], "ports": [{"port": 80}]}

    assert send(cluster, "create", f"{CORE}/services", {"metadata": {"name": "b"}, "spec": spec}).status == 422


def test_deleting_a_whole_collection_needs_no_other_verb(cluster: SimulatedCluster) -> None:
    pod(cluster, "a")
    pod(cluster, "b")
    send(cluster, "delete", f"{CORE}/pods", None)

    assert list(cluster.store.objects("pods", "default")) == []


def played(*steps: dict[str, Any]) -> dict[str, Any]:
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "n"},
        "spec": {},
        "status": {"allocatable": {"cpu": "1", "pods": "10"}},
    }
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}, "spec": {}}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "shop"}}
    line = {"id": "x", "before": {"objects": [node, space, account]}, "mutation": list(steps)}
    return predict(read(json.dumps(line)))["summary"]


def test_what_goes_past_the_scheduler_is_not_called_safe(cluster: SimulatedCluster) -> None:
    spec = {**BARE, "nodeName": "n", "resources": {"requests": {"cpu": "9"}}}
    path, body = "/api/v1/namespaces/shop/pods", {"metadata": {"name": "a"}, "spec": spec}
    found = played({"verb": "create", "path": path, "body": body})
    assert found["unsafe"] is None
    assert "no room" in found["unknown"][0]

    elsewhere = {**body, "spec": {**BARE, "schedulerName": "mine"}}
    call = ApiCall("create", f"{CORE}/pods", Ref("", "", "", "", ""), elsewhere, "application/json", ())
    assert any("scheduler mine" in text for text in rehearse(cluster.store, [call], now=NOW).assumptions)


def test_volumes_of_a_provisioner_that_nobody_saw_are_not_called_safe() -> None:
    other = {"metadata": {"name": "other"}, "provisioner": "other.example.com"}
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        "storageClassName": "other",
    }
    found = played(
        {"verb": "create", "path": "/apis/storage.k8s.io/v1/storageclasses", "body": other},
        {
            "verb": "create",
            "path": "/api/v1/namespaces/shop/persistentvolumeclaims",
            "body": {"metadata": {"name": "c"}, "spec": claim},
        },
    )

    assert found["unsafe"] is None
