"""What the API server refuses as Invalid, kind by kind, by the first field that is named."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.route import Request, Response

NOW = 1_800_000_000.0
CORE, APPS, BATCH = (
    "/api/v1/namespaces/default",
    "/apis/apps/v1/namespaces/default",
    "/apis/batch/v1/namespaces/default",
)
RBAC = "/apis/rbac.authorization.k8s.io/v1"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
BARE: dict[str, Any] = {"containers": [{"name": "c", "image": "app:1"}]}
TEMPLATE: dict[str, Any] = {"metadata": {"labels": {"app": "web"}}, "spec": BARE}
WEB: dict[str, Any] = {"selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE}
WORK: dict[str, Any] = {"template": {"spec": {**BARE, "restartPolicy": "Never"}}}
CLAIM: dict[str, Any] = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}


@pytest.fixture(scope="module")
def cluster() -> SimulatedCluster:
    return SimulatedCluster.new(nodes=1, now=NOW)


def send(cluster: SimulatedCluster, verb: str, path: str, body: Any, kind: str = "json") -> Response:
    return cluster.handle(Request(verb, path, {}, f"application/{kind}", copy.deepcopy(body)))


def fields(answer: Response) -> list[str]:
    return [cause["field"] for cause in answer.body.get("details", {}).get("causes", ())]


def created(cluster: SimulatedCluster, path: str, spec: Any, name: str = "x", **more: Any) -> Response:
    return send(cluster, "create", path, {"metadata": {"name": name}, "spec": spec, **more})


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"volumes": [{"name": "v"}, {"name": "v"}]}, "spec.volumes[1].name"),
        ({"volumes": [{"name": "v", "persistentVolumeClaim": {}}]}, "spec.volumes[0].persistentVolumeClaim.claimName"),
        ({"dnsPolicy": "Other"}, "spec.dnsPolicy"),
        ({"hostname": "A b"}, "spec.hostname"),
        ({"activeDeadlineSeconds": 0}, "spec.activeDeadlineSeconds"),
        ({"terminationGracePeriodSeconds": -1}, "spec.terminationGracePeriodSeconds"),
        ({"nodeSelector": {"a b": "c"}}, "spec.nodeSelector"),
        ({"nodeName": "n", "schedulingGates": [{"name": "e.com/g"}]}, "spec.nodeName"),
        ({"tolerations": [{"key": "a", "operator": "Near"}]}, "spec.tolerations[0].operator"),
        ({"tolerations": [{"operator": "Exists", "tolerationSeconds": 1}]}, "spec.tolerations[0].effect"),
        (
            {"affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": []}}}},
            f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms",
        ),
        (
            {"affinity": {"podAffinity": {REQUIRED: [{"labelSelector": {}}]}}},
            f"spec.affinity.podAffinity.{REQUIRED}[0].topologyKey",
        ),
        (
            {"topologySpreadConstraints": [{"maxSkew": 0, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"}]},
            "spec.topologySpreadConstraints[0].maxSkew",
        ),
        ({"resources": {"requests": {"cpu": "x"}}}, "spec.resources.requests[cpu]"),
    ],
)
def test_a_pod_is_refused_for_a_field_that_makes_no_sense(
    cluster: SimulatedCluster, spec: dict[str, Any], field: str
) -> None:
    answer = created(cluster, f"{CORE}/pods", {**BARE, **spec})

    assert (answer.status, answer.body["reason"], fields(answer)[0]) == (422, "Invalid", field)


@pytest.mark.parametrize(
    ("container", "field"),
    [
        ({"image": " app"}, "image"),
        ({"imagePullPolicy": "Now"}, "imagePullPolicy"),
        ({"ports": [{"containerPort": 80, "name": "a-very-long-port-name"}]}, "ports[0].name"),
        ({"ports": [{"containerPort": 80, "protocol": "X"}]}, "ports[0].protocol"),
        ({"ports": [{"containerPort": 80, "hostPort": 70000}]}, "ports[0].hostPort"),
        ({"env": [{"name": ""}]}, "env[0].name"),
        (
            {"env": [{"name": "a", "value": "b", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]},
            "env[0].valueFrom",
        ),
        ({"livenessProbe": {}}, "livenessProbe"),
        ({"readinessProbe": {"httpGet": {"port": 0}}}, "readinessProbe.httpGet.port"),
        ({"livenessProbe": {"tcpSocket": {"port": 1}, "successThreshold": 2}}, "livenessProbe.successThreshold"),
        ({"securityContext": {"privileged": True, "allowPrivilegeEscalation": False}}, "securityContext"),
        ({"resources": {"requests": {"tpu": "1"}}}, "resources.requests[tpu]"),
        ({"resources": {"requests": {"e.com/gpu": "1"}}}, "resources.limits"),
        ({"resources": {"limits": {"e.com/gpu": "500m"}}}, "resources.limits[e.com/gpu]"),
    ],
)
def test_a_container_is_refused_for_a_field_that_makes_no_sense(
    cluster: SimulatedCluster, container: dict[str, Any], field: str
) -> None:
    answer = created(cluster, f"{CORE}/pods", {"containers": [{"name": "c", "image": "app:1", **container}]})

    assert (answer.status, fields(answer)[0]) == (422, f"spec.containers[0].{field}")


@pytest.mark.parametrize(
    ("path", "spec", "field"),
    [
        (f"{APPS}/deployments", {**WEB, "strategy": {"type": "Slow"}}, "spec.strategy.type"),
        (
            f"{APPS}/deployments",
            {**WEB, "strategy": {"rollingUpdate": {"maxSurge": "some"}}},
            "spec.strategy.rollingUpdate.maxSurge",
        ),
        (
            f"{APPS}/deployments",
            {**WEB, "strategy": {"rollingUpdate": {"maxUnavailable": "120%"}}},
            "spec.strategy.rollingUpdate.maxUnavailable",
        ),
        (
            f"{APPS}/deployments",
            {**WEB, "progressDeadlineSeconds": 5, "minReadySeconds": 9},
            "spec.progressDeadlineSeconds",
        ),
        (f"{APPS}/deployments", {**WEB, "selector": {}}, "spec.selector"),
        (
            f"{APPS}/deployments",
            {**WEB, "selector": {"matchExpressions": [{"key": "app", "operator": "Near"}]}},
            "spec.selector.matchExpressions[0].operator",
        ),
        (f"{BATCH}/jobs", {**WORK, "completionMode": "Other"}, "spec.completionMode"),
        (f"{BATCH}/jobs", {**WORK, "podReplacementPolicy": "Other"}, "spec.podReplacementPolicy"),
        (f"{BATCH}/jobs", {**WORK, "selector": {"matchLabels": {"a": "b"}}}, "spec.selector"),
        (
            f"{BATCH}/jobs",
            {**WORK, "podFailurePolicy": {"rules": [{"action": "FailJob"}]}},
            "spec.podFailurePolicy.rules[0]",
        ),
        (
            f"{BATCH}/jobs",
            {
                **WORK,
                "podFailurePolicy": {
                    "rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [0]}}]
                },
            },
            "spec.podFailurePolicy.rules[0].onExitCodes.values[0]",
        ),
        (f"{CORE}/services", {"ports": [{"port": 80, "targetPort": 70000}]}, "spec.ports[0].targetPort"),
        (f"{CORE}/services", {"ports": [{"port": 80, "nodePort": 30001}]}, "spec.ports[0].nodePort"),
        (f"{CORE}/services", {"type": "ExternalName"}, "spec.externalName"),
        (f"{CORE}/services", {"type": "Other", "ports": [{"port": 80}]}, "spec.type"),
        (f"{CORE}/services", {"clusterIP": "here", "ports": [{"port": 80}]}, "spec.clusterIPs[0]"),
        (f"{CORE}/persistentvolumeclaims", {**CLAIM, "accessModes": []}, "spec.accessModes"),
        (f"{CORE}/persistentvolumeclaims", {**CLAIM, "resources": {}}, "spec.resources[storage]"),
        (f"{CORE}/resourcequotas", {"hard": {"trees": "1"}}, "spec.hard[trees]"),
        (f"{CORE}/resourcequotas", {"hard": {"pods": "1500m"}}, "spec.hard[pods]"),
        (f"{CORE}/resourcequotas", {"hard": {"services": "1"}, "scopes": ["BestEffort"]}, "spec.scopes"),
        (f"{CORE}/resourcequotas", {"hard": {"pods": "1"}, "scopes": ["Terminating", "NotTerminating"]}, "spec.scopes"),
        (f"{CORE}/limitranges", {"limits": [{"type": "Pod", "default": {"cpu": "1"}}]}, "spec.limits[0].default"),
        (
            f"{CORE}/limitranges",
            {"limits": [{"type": "Container", "maxLimitRequestRatio": {"cpu": "500m"}}]},
            "spec.limits[0].maxLimitRequestRatio[cpu]",
        ),
        (
            "/apis/policy/v1/namespaces/default/poddisruptionbudgets",
            {"minAvailable": -1, "selector": {}},
            "spec.minAvailable",
        ),
    ],
)
def test_a_spec_is_refused_for_a_field_that_makes_no_sense(
    cluster: SimulatedCluster, path: str, spec: dict[str, Any], field: str
) -> None:
    answer = created(cluster, path, spec)

    assert (answer.status, answer.body["reason"], fields(answer)[0]) == (422, "Invalid", field)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (f"{CORE}/configmaps", {"data": {"a b": "c"}}, "data[a b]"),
        (f"{CORE}/configmaps", {"data": {"a": "b"}, "binaryData": {"a": "Yg=="}}, "data[a]"),
        (f"{CORE}/secrets", {"type": "kubernetes.io/tls"}, "data[tls.crt]"),
        ("/apis/scheduling.k8s.io/v1/priorityclasses", {"value": 2_000_000_000}, "value"),
        ("/apis/storage.k8s.io/v1/storageclasses", {"provisioner": ""}, "provisioner"),
        (
            f"{RBAC}/namespaces/default/roles",
            {"rules": [{"nonResourceURLs": ["/x"], "verbs": ["get"]}]},
            "rules[0].nonResourceURLs",
        ),
        (f"{RBAC}/namespaces/default/rolebindings", {"roleRef": {"kind": "Other", "name": "x"}}, "roleRef.kind"),
        (
            f"{RBAC}/clusterrolebindings",
            {
                "roleRef": {"kind": "ClusterRole", "name": "view"},
                "subjects": [{"kind": "ServiceAccount", "name": "robot"}],
            },
            "subjects[0].namespace",
        ),
    ],
)
def test_an_object_is_refused_for_a_field_that_makes_no_sense(
    cluster: SimulatedCluster, path: str, body: dict[str, Any], field: str
) -> None:
    answer = send(cluster, "create", path, {"metadata": {"name": "x"}, **body})

    assert (answer.status, fields(answer)[0]) == (422, field)


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ({"finalizers": ["plain"]}, "metadata.finalizers[0]"),
        ({"annotations": {"a b": "c"}}, "metadata.annotations"),
        (
            {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p"}]},
            "metadata.ownerReferences[0].uid",
        ),
    ],
)
def test_metadata_is_read_strictly(cluster: SimulatedCluster, metadata: dict[str, Any], field: str) -> None:
    answer = send(cluster, "create", f"{CORE}/configmaps", {"metadata": {"name": "x", **metadata}})

    assert (answer.status, fields(answer)[0]) == (422, field)


def test_a_null_field_is_one_that_is_not_there(cluster: SimulatedCluster) -> None:
    spec = {**BARE, "volumes": None, "securityContext": None, "initContainers": None}
    answer = send(cluster, "create", f"{CORE}/pods", {"metadata": {"name": "nulls", "labels": None}, "spec": spec})

    assert answer.status == 201
    assert answer.body["spec"]["securityContext"] == {}


def test_a_pod_security_version_must_be_one(cluster: SimulatedCluster) -> None:
    labels = {"pod-security.kubernetes.io/enforce-version": "v9.9"}
    answer = send(cluster, "patch", "/api/v1/namespaces/default", {"metadata": {"labels": labels}}, "merge-patch+json")

    assert answer.status == 422


def test_the_first_namespaces_cannot_be_deleted(cluster: SimulatedCluster) -> None:
    answer = send(cluster, "delete", "/api/v1/namespaces/kube-system", None)

    assert (answer.status, answer.body["reason"]) == (403, "Forbidden")
