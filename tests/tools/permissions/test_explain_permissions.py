"""Who may do what, and through which bindings."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tools.desk import TestDesk, create, shop

from kubesteward_tools.analyse.explain_permissions import explain_permissions
from kubesteward_tools.errors import InvalidArguments, ObjectNotFound
from kubesteward_tools.permissions.grants import grants
from kubesteward_tools.tool import Answer
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.identity import user_of
from kubesteward_tools.twin.rbac import Access, permits

RBAC = "/apis/rbac.authorization.k8s.io/v1"


def role(name: str, *rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, **more.pop("metadata", {})}, "rules": list(rules), **more}


def binding(name: str, kind: str, of: str, *subjects: dict[str, str]) -> dict[str, Any]:
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": of}
    return {"metadata": {"name": name}, "roleRef": ref, "subjects": list(subjects)}


def cluster() -> SimulatedCluster:
    made = shop()
    pods = {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]}
    one = {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["tls"]}
    devs = {"kind": "Group", "name": "devs", "apiGroup": "rbac.authorization.k8s.io"}
    account = {"kind": "ServiceAccount", "name": "ci", "namespace": "shop"}
    create(made, f"{RBAC}/namespaces/shop/roles", role("look", pods, one))
    create(made, f"{RBAC}/namespaces/shop/rolebindings", binding("devs", "Role", "look", devs, account))
    create(made, f"{RBAC}/namespaces/shop/rolebindings", binding("lost", "Role", "gone", devs))
    return made


async def ask(**arguments: Any) -> Answer:
    answer = await explain_permissions.function(TestDesk(cluster().store), **arguments)
    assert isinstance(answer, Answer)
    return answer


@pytest.mark.anyio
async def test_can_i_names_the_chain() -> None:
    found = await ask(subject="Group:devs", verb="list", resource="pods", namespace="shop")

    assert found.data["allowed"] is True
    assert found.data["chains"] == ["Group devs -> RoleBinding shop/devs -> Role look -> get,list on pods"]


@pytest.mark.anyio
@pytest.mark.parametrize("subject", ["sa:shop/ci", "system:serviceaccount:shop:ci"])
async def test_a_service_account_is_named_either_way(subject: str) -> None:
    found = await ask(subject=subject, verb="get", resource="pod", namespace="shop")

    assert found.data["allowed"] is True
    assert "ServiceAccount shop/ci" in found.text


@pytest.mark.anyio
async def test_who_can_lists_everybody() -> None:
    found = await ask(verb="list", resource="pods", namespace="shop")

    assert {"Group devs", "ServiceAccount shop/ci", "Group system:masters"} <= set(found.data["subjects"])


@pytest.mark.anyio
async def test_a_denial_says_where_it_would_be_allowed_and_which_bindings_lead_nowhere() -> None:
    everywhere = await ask(subject="Group:devs", verb="list", resource="pods")
    here = await ask(subject="Group:devs", verb="delete", resource="pods", namespace="shop")

    assert everywhere.data["allowed"] is False
    assert "Allowed only in: shop." in everywhere.data["notes"]
    assert any("lost names Role gone" in note for note in here.data["notes"])


@pytest.mark.anyio
async def test_a_rule_for_some_names_is_told_as_such() -> None:
    any_name = await ask(subject="Group:devs", verb="get", resource="secrets", namespace="shop")
    one = await ask(subject="Group:devs", verb="get", resource="secrets", namespace="shop", name="tls")

    assert (any_name.data["allowed"], one.data["allowed"]) == (False, True)
    assert "only objects named tls" in any_name.text


@pytest.mark.anyio
async def test_masters_may_everything() -> None:
    assert "whom no rule holds" in (await ask(subject="Group:system:masters", verb="get", resource="/metrics")).text


@pytest.mark.anyio
async def test_a_subject_needs_a_name() -> None:
    with pytest.raises(InvalidArguments, match="Write alice"):
        await ask(subject="Group:", verb="get", resource="pods")


def test_a_chain_through_aggregation_names_both_roles() -> None:
    made = shop()
    rule = {"verbs": ["get"], "apiGroups": ["x.example"], "resources": ["widgets"]}
    create(made, f"{RBAC}/clusterroles", role("part", rule, metadata={"labels": {"to": "whole"}}))
    whole = {"clusterRoleSelectors": [{"matchLabels": {"to": "whole"}}]}
    create(made, f"{RBAC}/clusterroles", role("whole", aggregationRule=whole))
    alice = {"kind": "User", "name": "alice", "apiGroup": "rbac.authorization.k8s.io"}
    create(made, f"{RBAC}/clusterrolebindings", binding("alice", "ClusterRole", "whole", alice))

    (found,) = grants(made.store, Access("get", "x.example", "widgets"), user_of("alice"))

    assert (found.role, found.via) == ("whole", "part")


@pytest.mark.parametrize("subject", ["alice", "Group:devs", "system:serviceaccount:shop:ci", "system:anonymous"])
@pytest.mark.parametrize("verb", ["get", "list", "delete"])
@pytest.mark.parametrize("resource", ["pods", "secrets", "nodes", "/healthz"])
@pytest.mark.parametrize("namespace", ["", "shop"])
def test_chains_and_the_authorizer_agree(subject: str, verb: str, resource: str, namespace: str) -> None:
    store, user = cluster().store, user_of(subject)
    access = Access.of(verb, resource, namespace)

    allowing = [item for item in grants(store, access, user) if not item.names]

    assert bool(allowing) == permits(store, user, access).allowed


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("arguments", "note"),
    [
        ({"verb": "fly", "resource": "pods"}, "The API server asks for no verb 'fly'."),
        ({"verb": "get", "resource": "podz"}, "serves no 'podz'."),
        ({"verb": "get", "resource": "pods", "subject": "sa:shop/nobody"}, "no service account 'nobody'"),
    ],
)
async def test_words_that_no_cluster_knows_are_told(arguments: dict[str, str], note: str) -> None:
    assert any(note in item for item in (await ask(**arguments)).data["notes"])


@pytest.mark.anyio
async def test_a_namespace_that_is_not_there_and_a_subject_without_a_name_are_refused() -> None:
    with pytest.raises(ObjectNotFound, match="there is no namespace 'shpo'"):
        await ask(verb="get", resource="pods", namespace="shpo")
    with pytest.raises(InvalidArguments, match="names nobody"):
        await ask(verb="get", resource="pods", subject="sa:")
