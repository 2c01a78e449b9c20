"""What outsiders call: with a world as a Store, as something that has one, or as plain objects; by position or name."""

from __future__ import annotations

import json
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest

from kubesteward_tools.twin import disruption, psa, quota, rbac, scheduling
from kubesteward_tools.twin.identity import User, user_of
from kubesteward_tools.twin.worlds import store_of
from kubesteward_tools.world.store import Key, Store

ROLES: list[dict[str, Any]] = [
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "reader", "namespace": "shop"},
        "rules": [
            {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]},
            {"apiGroups": ["apps"], "resources": ["deployments", "deployments/scale"], "verbs": ["patch"]},
        ],
    },
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "readers", "namespace": "shop"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [
            {"kind": "ServiceAccount", "name": "ci", "namespace": "shop"},
            {"kind": "User", "name": "alice"},
            {"kind": "Group", "name": "auditors"},
        ],
    },
]
SUBJECTS: list[Any] = [
    "system:serviceaccount:shop:ci",
    {"kind": "ServiceAccount", "namespace": "shop", "name": "ci"},
    {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "ci", "namespace": "shop"}},
    "alice",
    {"kind": "User", "name": "alice"},
    User("alice"),
    {"kind": "Group", "name": "auditors"},
    "Group:auditors",
]


def node(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name},
        **({"spec": spec} if spec else {}),
        "status": {"allocatable": {"cpu": "1", "memory": "1Gi", "pods": "10"}},
    }


def pod(name: str = "web-1", **spec: Any) -> dict[str, Any]:
    container = {"name": "app", "image": "app:1", "resources": {"requests": {"cpu": "600m"}}}
    labels = {"app": "web"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {"containers": [container], **spec},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }


BUDGET: dict[str, Any] = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "web"},
    "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
}


@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_rights_are_asked_for_any_form_of_a_subject(subject: Any) -> None:
    assert rbac.can(ROLES, subject, "get", "pods/log", "shop", "web-1").allowed
    assert not rbac.can(ROLES, subject, "delete", "pods", "shop", "web-1").allowed
    assert not rbac.can(ROLES, subject, "get", "pods", "other", "web-1").allowed


@pytest.mark.parametrize("resource", ["deployments", "deployments.apps", "deployments.apps/scale"])
def test_a_resource_may_leave_out_the_group_of_a_built_in_one(resource: str) -> None:
    decision = rbac.can(world=ROLES, subject="alice", verb="patch", resource=resource, namespace="shop", name="web")

    assert decision
    assert decision.as_json() == {
        "allowed": True,
        "reason": 'RBAC: allowed by RoleBinding "readers/shop" of Role "reader" to User "alice"',
    }


@pytest.mark.parametrize("world", [ROLES, {"kind": "List", "items": ROLES}, store_of(ROLES), iter(ROLES)])
def test_a_world_is_a_store_or_plain_objects(world: Any) -> None:
    assert rbac.can(world, "alice", "get", "pods", "shop", None).allowed


def test_what_has_a_store_is_a_world() -> None:
    store = store_of(ROLES)

    assert store_of(SimpleNamespace(store=store)) is store
    assert store_of(store) is store


def test_nobody_without_rights_is_allowed_and_masters_are_not_asked() -> None:
    assert not rbac.can([], "alice", "get", "pods", "shop", "x")
    assert rbac.can([], {"kind": "Group", "name": "system:masters"}, "delete", "nodes", "", "n")
    assert not rbac.can(ROLES, "alice", "get", "/metrics")
    assert user_of("system:anonymous").groups == ("system:unauthenticated",)


@pytest.mark.parametrize("subject", [{"kind": "User"}, {"kind": "Robot", "name": "x"}, {}])
def test_a_subject_that_cannot_be_read_is_refused(subject: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="a subject"):
        rbac.can(ROLES, subject, "get", "pods", "shop", "x")


@pytest.mark.parametrize("world", [7, "pods", {"a": 1}, None])
def test_what_is_no_world_is_refused(world: Any) -> None:
    with pytest.raises(TypeError, match="a world is a Store"):
        rbac.can(world, "alice", "get", "pods", "", "")


def test_an_object_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match=r"kind and metadata\.name"):
        store_of([{"kind": "Pod", "metadata": {}}])


def test_objects_come_in_as_they_are_and_are_not_changed() -> None:
    bare = {"kind": "Pod", "metadata": {"name": "p"}}
    tank = {"apiVersion": "example.com/v1", "kind": "Tank", "metadata": {"name": "t", "namespace": "a"}}
    store = store_of([bare, tank])

    assert store.get(Key("pods", "default", "p")) is not None
    assert store.get(Key("tanks.example.com", "a", "t")) is not None
    assert bare == {"kind": "Pod", "metadata": {"name": "p"}}


@pytest.mark.parametrize("given", [pod(hostNetwork=True), {"spec": pod(hostNetwork=True)["spec"]}])
@pytest.mark.parametrize("version", ["latest", "v1.33", "1.33"])
def test_a_pod_is_judged_with_or_without_metadata(given: dict[str, Any], version: str) -> None:
    found = psa.evaluate(pod=given, level="baseline", version=version)

    assert [item.rule for item in found] == ["psa.baseline.hostNamespaces"]
    assert json.dumps([item.as_json() for item in found])
    assert psa.evaluate(given, "privileged", version) == []
    assert psa.evaluate(given["spec"], "baseline", version)[0].rule == found[0].rule


def test_a_level_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="privileged, baseline, restricted"):
        psa.evaluate(pod(), "strict", "latest")


def test_feasibility_names_the_nodes_and_of_each_other_the_reason() -> None:
    tainted = node("c", taints=[{"key": "gpu", "effect": "NoSchedule"}])
    world = [node("b"), node("a"), tainted, node("d", unschedulable=True), {**pod("web-0"), "spec": {
        **pod()["spec"], "nodeName": "b"}}]  # fmt: skip
    found = scheduling.feasible(world=world, pod=pod("new"))

    assert found.nodes == ("a",)
    assert found.reasons == {
        "b": ("Insufficient cpu",),
        "c": ("node(s) had untolerated taint(s)",),
        "d": ("node(s) were unschedulable",),
    }
    assert json.loads(json.dumps(found.as_json()))["nodes"] == ["a"]
    assert scheduling.feasible(world, pod()["spec"]).nodes == ("a",)


def test_a_pod_that_is_held_or_lacks_a_claim_goes_nowhere_and_every_node_says_why() -> None:
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "gone"}}]
    lacking = scheduling.feasible([node("a"), node("b")], pod(volumes=volumes))
    held = scheduling.feasible([node("a")], pod(schedulingGates=[{"name": "x"}]))

    assert (lacking.nodes, set(lacking.reasons)) == ((), {"a", "b"})
    assert lacking.reasons["a"] == ('persistentvolumeclaim "gone" not found',)
    assert held.reasons == {"a": ("Scheduling is blocked due to non-empty scheduling gates",)}


def test_requests_are_exact_numbers_that_print_as_quantities() -> None:
    spec = {
        "containers": [{"name": "a", "resources": {"requests": {"cpu": "250m", "memory": "1Gi"}}}],
        "initContainers": [{"name": "i", "resources": {"requests": {"cpu": "0.3"}}}],
    }
    found = quota.effective_requests(pod_spec=spec)

    assert found == {"cpu": Fraction(3, 10), "memory": 2**30}
    assert {name: str(value) for name, value in found.items()} == {"cpu": "300m", "memory": "1073741824"}
    assert quota.effective_requests({"spec": spec}) == found


@pytest.mark.parametrize("pdb", [BUDGET, "web", "default/web"])
def test_a_budgets_status_is_worked_out_from_plain_objects(pdb: Any) -> None:
    pending = {**pod("web-3"), "status": {"phase": "Pending"}}
    found = disruption.status(world=[pod("web-1"), pod("web-2"), pending, BUDGET], pdb=pdb)

    assert found == {"expectedPods": 3, "desiredHealthy": 1, "currentHealthy": 2, "disruptionsAllowed": 1}


def test_a_budget_need_not_be_in_the_world_and_one_that_is_not_there_is_an_error() -> None:
    assert disruption.status([pod()], BUDGET)["disruptionsAllowed"] == 0
    with pytest.raises(KeyError, match="no PodDisruptionBudget default/web"):
        disruption.status(Store(), "default/web")
