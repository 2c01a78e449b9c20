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


DENIED = {
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
    "immutable.collection": [_change("Pod", "", "shop", verb="delete")],
    "immutable.admission": [
        _change("ValidatingWebhookConfiguration", group="admissionregistration.k8s.io"),
        _change("MutatingAdmissionPolicyBinding", group="admissionregistration.k8s.io"),
    ],
    "immutable.rbac": [_change("RoleBinding", "x", "shop", RBAC), _change("ClusterRole", group=RBAC, verb="create")],
    "immutable.cluster_scoped": [
        _change("CustomResourceDefinition", group="apiextensions.k8s.io"),
        _change("PersistentVolume", verb="delete"),
        _change("APIService", group="apiregistration.k8s.io", verb="create"),
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
    _change("Deployment", "web", "shop", "apps", body={"env": [{"name": "MAX_TOKENS", "value": "512"}]}),
    _change("Deployment", "web", "shop", "apps", body={"env": [{"name": "TOKEN", "value": "$(OTHER)"}]}),
    _change("Deployment", "web", "shop", "apps", body={"env": [{"name": "TOKEN", "valueFrom": {}, "value": {"a": 1}}]}),
]


@pytest.mark.parametrize(("rule", "change"), [(rule, change) for rule, changes in DENIED.items() for change in changes])
def test_what_is_protected_is_denied_by_the_rule_that_protects_it(rule: str, change: Change) -> None:
    broken = judge(change, AROUND)

    assert broken is not None
    assert broken.rule == rule
    assert broken.remedy


@pytest.mark.parametrize("change", ALLOWED)
def test_what_is_not_protected_passes(change: Change) -> None:
    assert judge(change, AROUND) is None


def test_outside_of_a_cluster_no_namespace_is_its_own() -> None:
    assert judge(_change("Node", "worker-1"), Surroundings()) is None


def test_one_protected_object_among_many_denies_the_change() -> None:
    good, bad = _change("Deployment", "web", "shop", "apps"), _change("Node", "master-0")
    both = Change("x", good.target, good.calls + bad.calls, "")

    assert judge(both, AROUND) is not None


@pytest.mark.parametrize(
    ("pods", "gone", "denied"), [(1, 1, False), (3, 1, False), (3, 2, True), (40, 4, False), (40, 5, True)]
)
def test_a_tenth_of_a_workloads_pods_may_go_at_once_and_one_always(pods: int, gone: int, denied: bool) -> None:
    refs = [Ref("lab", "", "Pod", "shop", f"web-{number}") for number in range(pods)]
    calls = tuple(ApiCall("delete", f"/api/v1/namespaces/shop/pods/{ref.name}", ref) for ref in refs[:gone])
    around = Surroundings(pods=dict.fromkeys(refs, ("Deployment shop/web", pods)))

    assert (judge(Change("evict", refs[0], calls, ""), around) is not None) == denied
