"""Who may do what: the rules of role objects, and the answers of a real control plane to the same questions."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from tests.data import shared_data

from kubesteward_tools.twin import resources
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.identity import User, service_account
from kubesteward_tools.twin.rbac import Access, permits
from kubesteward_tools.twin.route import Request
from kubesteward_tools.world.store import Key, Store

GROUP = "rbac.authorization.k8s.io"
BOB = User("bob", ("devs", "system:authenticated"))


def store_of(objects: list[dict[str, Any]]) -> Store:
    store = Store()
    for obj in objects:
        kind = resources.of(obj["apiVersion"], obj["kind"])
        assert kind is not None
        store.put(Key(kind.resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]), obj)
        store.revision = max(store.revision, int(obj["metadata"].get("resourceVersion", 0)))
    return store


def role(name: str, *rules: dict[str, Any], namespace: str = "", **rest: Any) -> dict[str, Any]:
    kind, place = ("Role", {"namespace": namespace}) if namespace else ("ClusterRole", {})
    metadata = {"name": name, "labels": rest.pop("labels", {}), **place}
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata, "rules": list(rules), **rest}


def binding(role_kind: str, role_name: str, subject: dict[str, str], namespace: str = "") -> dict[str, Any]:
    kind, place = ("RoleBinding", {"namespace": namespace}) if namespace else ("ClusterRoleBinding", {})
    reference = {"apiGroup": GROUP, "kind": role_kind, "name": role_name}
    metadata = {"name": f"to-{role_name}", **place}
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": kind,
        "metadata": metadata,
        "roleRef": reference,
        "subjects": [subject],
    }


def rule(verbs: str, resources_: str, group: str = "", **rest: Any) -> dict[str, Any]:
    return {"verbs": verbs.split(), "apiGroups": [group], "resources": resources_.split(), **rest}


DEVS = {"kind": "Group", "name": "devs"}


@pytest.mark.parametrize(
    ("access", "allowed"),
    [
        (Access("list", "", "pods", "a"), True),
        (Access("list", "", "pods", "b"), False),
        (Access("list", "", "pods"), False),
        (Access("delete", "", "pods", "a"), False),
        (Access("get", "", "pods", "a", "x", "log"), True),
        (Access("update", "", "configmaps", "a", "mine"), True),
        (Access("update", "", "configmaps", "a", "yours"), False),
        (Access("list", "", "configmaps", "a"), False),
        (Access("patch", "apps", "deployments", "a", "x", "scale"), True),
        (Access("patch", "apps", "deployments", "a", "x"), False),
        (Access("list", "apps", "pods", "a"), False),
    ],
)
def test_a_role_grants_its_verbs_in_its_namespace_only(access: Access, allowed: bool) -> None:
    rules = (
        rule("list", "pods"),
        rule("get", "pods/log"),
        rule("update list", "configmaps", resourceNames=["mine"]),
        rule("*", "*/scale", "apps"),
    )
    store = store_of([role("r", *rules, namespace="a"), binding("Role", "r", DEVS, "a")])

    assert permits(store, BOB, access).allowed is allowed


def test_a_cluster_role_bound_in_a_namespace_holds_there() -> None:
    store = store_of([role("view", rule("get", "pods")), binding("ClusterRole", "view", DEVS, "a")])

    assert permits(store, BOB, Access("get", "", "pods", "a", "x")).allowed
    assert not permits(store, BOB, Access("get", "", "pods", "b", "x")).allowed


def test_an_aggregated_role_grants_what_its_parts_grant() -> None:
    selectors = {"clusterRoleSelectors": [{"matchLabels": {"to": "all"}}]}
    whole = role("all", aggregationRule=selectors)
    part = role("part", rule("get", "widgets", "example.com"), labels={"to": "all"})
    store = store_of([whole, part, binding("ClusterRole", "all", DEVS)])

    assert permits(store, BOB, Access("get", "example.com", "widgets", "a", "x")).allowed


def test_a_service_account_is_a_user_and_a_member_of_its_groups() -> None:
    account = {"kind": "ServiceAccount", "name": "robot", "namespace": "a"}
    every = {"kind": "Group", "name": "system:serviceaccounts:a"}
    store = store_of(
        [
            role("own", rule("get", "pods")),
            role("shared", rule("get", "secrets")),
            binding("ClusterRole", "own", account),
            binding("ClusterRole", "shared", every),
        ]
    )

    assert permits(store, service_account("a", "robot"), Access("get", "", "pods", "b", "x")).allowed
    assert permits(store, service_account("a", "other"), Access("get", "", "secrets", "b", "x")).allowed
    assert not permits(store, service_account("a", "other"), Access("get", "", "pods", "b", "x")).allowed


def test_paths_that_are_no_resources_match_by_their_beginning() -> None:
    rules = {"verbs": ["get"], "nonResourceURLs": ["/healthz", "/metrics/*"]}
    store = store_of([role("r", rules), binding("ClusterRole", "r", DEVS)])

    answers = {
        path: permits(store, BOB, Access("get", path=path)).allowed for path in ("/healthz", "/metrics/x", "/other")
    }

    assert answers == {"/healthz": True, "/metrics/x": True, "/other": False}


def test_members_of_system_masters_need_no_rule() -> None:
    assert permits(Store(), User("root", ("system:masters",)), Access("delete", "", "nodes", "", "n")).allowed


def test_the_reason_names_the_binding_or_the_role_that_is_missing() -> None:
    store = store_of([role("r", rule("get", "pods")), binding("ClusterRole", "r", DEVS)])
    lost = store_of([binding("Role", "r", DEVS, "a")])

    allowed = 'RBAC: allowed by ClusterRoleBinding "to-r" of ClusterRole "r" to Group "devs"'
    assert permits(store, BOB, Access("get", "", "pods", "a", "x")).reason == allowed
    missing = 'RBAC: role.rbac.authorization.k8s.io "r" not found'
    assert permits(lost, BOB, Access("get", "", "pods", "a", "x")).reason == missing


def test_every_recorded_question_and_write_is_answered_as_by_a_real_control_plane() -> None:
    wrong = []
    with gzip.open(shared_data("fidelity/dev") / "rbac.jsonl.gz", "rt") as cases:
        for case in map(json.loads, cases):
            wrong += _differences(case)

    assert wrong == []


def _differences(case: dict[str, Any]) -> list[str]:
    cluster = SimulatedCluster.over(store_of(case["before"]["objects"]), now=1.8e9)
    found, access = [], []
    for call, real in zip(case["mutation"], case["responses"], strict=True):
        who = call.get("as")
        user = User(who["user"], tuple(who["groups"])) if who else User("admin", ("system:masters",))
        content_type, query = call.get("content_type", "application/json"), call.get("query", {})
        request = Request(call["verb"], call["path"], query, content_type, call.get("body"), user)
        answer = cluster.handle(request)
        if answer.status != real["status"] or (real["message"] or "") != answer.body.get("message", ""):
            found.append(f"{case['id']}: {real['status']} {real['message']}, not {answer.status} {answer.body}")
        if "accessreviews" in call["path"]:
            access.append(answer.body["status"]["allowed"])
        cluster.engine.settle()
    return found if access == (case["summary"].get("access") or []) else [*found, f"{case['id']}: {access}"]
