"""Rules that nobody can configure away."""

from __future__ import annotations

from typing import Any

import pytest

from kubesteward_policies.change import ApiCall, Change, Verb
from kubesteward_policies.immutable import Surroundings, judge
from kubesteward_policies.ref import Ref

RBAC = "rbac.authorization.k8s.io"
AROUND = Surroundings(frozenset({"master-0"}), "steward")


def _change(
    kind: str,
    name: str = "x",
    namespace: str = "",
    group: str = "",
    verb: Verb = "patch",
    body: Any = None,
    path: str = "/",
) -> Change:
    target = Ref("lab", group, kind, namespace, name)
    return Change("patch_resource", target, (ApiCall(verb, path, target, body),), "")


def _op(op: str, path: str, value: Any) -> dict[str, Any]:
    return {"op": op, "path": path, "value": value}


LEFT_TO_TWO = {
    "immutable.system_namespace": [
        _change("Deployment", "coredns", "kube-system", "apps"),
        _change("Namespace", "kube-public"),
    ],
    "immutable.own_namespace": [_change("ConfigMap", "x", "steward"), _change("Namespace", "steward")],
    "immutable.control_plane": [_change("Node", "master-0")],
    "immutable.namespace": [
        _change("Namespace", "shop", verb="delete"),
        _change("Namespace", "shop", verb="update", path="/api/v1/namespaces/shop/finalize"),
    ],
    "immutable.admission": [
        _change("ValidatingWebhookConfiguration", group="admissionregistration.k8s.io"),
        _change("MutatingAdmissionPolicyBinding", group="admissionregistration.k8s.io"),
    ],
    "immutable.rbac": [
        _change("RoleBinding", "x", "shop", RBAC),
        _change("ClusterRole", group=RBAC, verb="create"),
        _change("ClusterRoleBinding", "system:node", group=RBAC, verb="delete"),
    ],
    "immutable.cluster_scoped": [
        _change("CustomResourceDefinition", group="apiextensions.k8s.io"),
        _change("PersistentVolume", verb="delete"),
        _change("APIService", "v1.stable.example.com", group="apiregistration.k8s.io", verb="create"),
        _change("APIService", "v1beta1.metrics.k8s.io", group="apiregistration.k8s.io", verb="delete"),
    ],
}
DENIED = {
    "immutable.collection": [_change("Pod", "", "shop", verb="delete")],
    "immutable.vital": [
        _change("Pod", "kube-apiserver-master-0", "kube-system", verb="delete"),
        _change("StatefulSet", "etcd", "kube-system", "apps"),
        _change("ConfigMap", "extension-apiserver-authentication", "kube-system"),
        _change("Service", "kubernetes", "default"),
        _change("EndpointSlice", "kubernetes", "default", "discovery.k8s.io"),
        _change("APIService", "v1.", group="apiregistration.k8s.io", verb="delete"),
        _change("APIService", "v1.apps", group="apiregistration.k8s.io"),
        _change("APIService", "v1.rbac.authorization.k8s.io", group="apiregistration.k8s.io"),
        _change("Node", "master-0", verb="delete"),
        _change("Namespace", "kube-system", verb="delete"),
        _change("Namespace", "default", verb="update", path="/api/v1/namespaces/default/finalize"),
        _change("Deployment", "coredns", "kube-system", "apps", verb="delete"),
        _change("Deployment", "coredns", "kube-system", "apps", body={"spec": {"replicas": 0}}),
        _change("Deployment", "coredns", "kube-system", "apps", body=[_op("replace", "/spec/replicas", 0)]),
        _change("Deployment", "coredns", "kube-system", "apps", body=[_op("add", "/spec", {"replicas": 0})]),
        _change("Deployment", "coredns", "kube-system", "apps", body=[_op("add", "", {"spec": {"replicas": 0}})]),
        _change("DaemonSet", "calico-node", "calico-system", "apps", verb="delete"),
        _change("DaemonSet", "kube-flannel-ds", "kube-flannel", "apps", verb="delete"),
    ],
    "immutable.owners": [
        _change("Deployment", "web", "shop", "apps", body={"metadata": {"ownerReferences": [{"uid": "none"}]}}),
        _change("Deployment", "web", "shop", "apps", body={"metadata": {"$setElementOrder/ownerReferences": []}}),
        _change("Deployment", "web", "shop", "apps", body={"metadata": {"$patch": "replace", "name": "web"}}),
        _change("Deployment", "web", "shop", "apps", body=[{"op": "add", "path": "/metadata/ownerReferences/-"}]),
        _change("Deployment", "web", "shop", "apps", body=[{"op": "replace", "path": "/metadata", "value": {}}]),
        _change("Deployment", "web", "shop", "apps", body=[{"op": "replace", "path": "", "value": {}}]),
        _change("Pod", "web", "shop", body=[{"op": "move", "from": "/metadata/ownerReferences", "path": "/x"}]),
    ],
    "immutable.secret": [
        _change("Secret", "db", "shop"),
        _change("Deployment", "web", "shop", "apps", body={"env": [{"name": "DB_PASSWORD", "value": "hunter2"}]}),
        _change("Deployment", "web", "shop", "apps", body=[{"op": "add", "value": {"name": "TOKEN", "value": "t0"}}]),
        _change("ConfigMap", "web", "shop", body={"data": {"db.password": "hunter2"}}),
        _change("ConfigMap", "web", "shop", body=[{"op": "add", "path": "/data/api-key", "value": "k0"}]),
        _change("ConfigMap", "web", "shop", body=[{"op": "add", "path": "/data", "value": {"token": "t0"}}]),
    ],
}
ALLOWED = [
    _change("ConfigMap", "web", "shop", body={"data": {"log.level": "debug", "password": None, "use-token": "true"}}),
    _change("ConfigMap", "web", "shop", body={"data": None}),
    _change("ConfigMap", "web", "shop", body=[{"op": "remove", "path": "/data/password"}, "x"]),
    _change("Deployment", "web", "shop", "apps"),
    _change("Node", "worker-1"),
    _change("Namespace", "shop"),
    _change("Deployment", "web", "shop", "apps", body=[{"op": "test", "path": "/metadata", "value": {}}, "x"]),
    _change("Deployment", "web", "shop", "apps", body=[{"op": "add", "path": "/metadata/labels/a", "value": "b"}]),
    _change("Pod", "web-1", "shop", verb="delete"),
    _change("Secret", "db", "shop", verb="delete"),
    _change("RoleBinding", "x", "shop", RBAC, verb="delete"),
    _change("DaemonSet", "web", "shop", "apps", verb="delete"),
    _change("Deployment", "web", "shop", "apps", body={"env": [{"name": "MAX_TOKENS", "value": "512"}]}),
    _change("Deployment", "web", "shop", "apps", body={"env": [{"name": "TOKEN", "value": "$(OTHER)"}]}),
    _change("Deployment", "web", "shop", "apps", body={"env": [{"name": "TOKEN", "valueFrom": {}, "value": {"a": 1}}]}),
]


def _each(rules: dict[str, list[Change]]) -> list[tuple[str, Change]]:
    return [(rule, change) for rule, changes in rules.items() for change in changes]


@pytest.mark.parametrize(("rule", "change"), _each(DENIED))
def test_what_nobody_may_is_denied_by_the_rule_that_protects_it(rule: str, change: Change) -> None:
    broken = judge(change, AROUND)[-1]

    assert (broken.rule, broken.persons) == (rule, 0)
    assert broken.remedy


@pytest.mark.parametrize(("rule", "change"), _each(LEFT_TO_TWO))
def test_what_belongs_to_everybody_is_left_to_two_persons(rule: str, change: Change) -> None:
    broken = judge(change, AROUND)[-1]

    assert (broken.rule, broken.persons) == (rule, 2)
    assert "Two persons" in broken.remedy


@pytest.mark.parametrize("change", ALLOWED)
def test_what_is_not_protected_passes(change: Change) -> None:
    assert judge(change, AROUND) == ()


def test_a_node_of_the_control_plane_may_go_by_two_persons_while_another_is_left() -> None:
    two = Surroundings(frozenset({"master-0", "master-1"}))
    one, other = _change("Node", "master-0", verb="delete"), _change("Node", "master-1", verb="delete")
    both = Change("x", one.target, one.calls + other.calls, "")

    assert [(item.rule, item.persons) for item in judge(one, two)] == [("immutable.control_plane", 2)]
    assert judge(both, two)[-1].persons == 0


def test_every_rule_that_is_broken_is_told_once_the_strictest_last() -> None:
    secret = _change("ConfigMap", "x", "kube-system", body={"data": {"password": "hunter2"}})
    both = Change("x", secret.target, secret.calls + secret.calls + _change("Node", "master-0").calls, "")

    assert [item.rule for item in judge(both, AROUND)] == [
        "immutable.system_namespace",
        "immutable.control_plane",
        "immutable.secret",
    ]


def test_outside_of_a_cluster_no_namespace_is_its_own() -> None:
    assert judge(_change("Node", "worker-1"), Surroundings()) == ()


def test_one_protected_object_among_many_protects_the_change() -> None:
    good, bad = _change("Deployment", "web", "shop", "apps"), _change("Node", "master-0")
    both = Change("x", good.target, good.calls + bad.calls, "")

    assert judge(both, AROUND)


@pytest.mark.parametrize(
    ("pods", "gone", "denied"), [(1, 1, False), (3, 1, False), (3, 2, True), (40, 4, False), (40, 5, True)]
)
def test_a_tenth_of_a_workloads_pods_may_go_at_once_and_one_always(pods: int, gone: int, denied: bool) -> None:
    refs = [Ref("lab", "", "Pod", "shop", f"web-{number}") for number in range(pods)]
    calls = tuple(ApiCall("delete", f"/api/v1/namespaces/shop/pods/{ref.name}", ref) for ref in refs[:gone])
    around = Surroundings(pods=dict.fromkeys(refs, ("Deployment shop/web", pods)))

    assert [item.rule for item in judge(Change("delete", refs[0], calls, ""), around)] == ["immutable.pods"] * denied


def test_evictions_go_one_after_the_other_and_so_never_at_once() -> None:
    refs = [Ref("lab", "", "Pod", "shop", f"web-{number}") for number in range(3)]
    calls = tuple(ApiCall("create", f"/api/v1/namespaces/shop/pods/{ref.name}/eviction", ref) for ref in refs)
    around = Surroundings(pods=dict.fromkeys(refs, ("Deployment shop/web", 3)))

    assert judge(Change("drain", refs[0], calls, ""), around) == ()
