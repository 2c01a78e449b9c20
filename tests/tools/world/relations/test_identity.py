"""Who pods run as, and what their accounts are granted."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tools.world.relations.objects import links, pod, targets, workload

RBAC = "rbac.authorization.k8s.io"


def test_a_pod_runs_as_its_service_account_and_a_static_pod_as_none() -> None:
    assert targets("runs_as", "pods", pod(serviceAccountName="web")) == [("serviceaccounts", "shop", "web", "")]
    assert targets("runs_as", "pods", pod(serviceAccount="web")) == [("serviceaccounts", "shop", "web", "")]
    assert links("runs_as", "pods", pod(containers=[])) == []


def test_a_template_without_an_account_runs_as_the_default_one() -> None:
    assert targets("runs_as", "deployments.apps", workload(containers=[])) == [
        ("serviceaccounts", "shop", "default", "")
    ]
    assert links("runs_as", "deployments.apps", {"spec": {"template": None}}) == []


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        ("Role", (f"roles.{RBAC}", "shop", "reader", "role")),
        ("ClusterRole", (f"clusterroles.{RBAC}", "", "reader", "role")),
    ],
)
def test_a_role_binding_points_to_its_role_and_its_accounts(kind: str, target: tuple[str, str, str, str]) -> None:
    subjects = [
        {"kind": "ServiceAccount", "name": "web"},
        {"kind": "ServiceAccount", "name": "ci", "namespace": "build"},
    ]
    binding = {"roleRef": {"kind": kind, "name": "reader"}, "subjects": subjects}

    assert targets("grants", f"rolebindings.{RBAC}", binding) == [
        target,
        ("serviceaccounts", "shop", "web", "subject"),
        ("serviceaccounts", "build", "ci", "subject"),
    ]


def test_users_and_groups_are_no_objects_but_an_accounts_user_name_is_the_account() -> None:
    subjects = [
        {"kind": "User", "name": "alice"},
        {"kind": "Group", "name": "system:serviceaccounts:shop"},
        {"kind": "User", "name": "system:serviceaccount:build:ci"},
    ]

    found = targets("grants", f"clusterrolebindings.{RBAC}", {"subjects": subjects}, namespace="")

    assert found == [("serviceaccounts", "build", "ci", "subject")]


def test_null_gaps_and_wrong_types_are_passed_over() -> None:
    subjects: list[Any] = [
        None,
        {"kind": "ServiceAccount"},
        {"kind": "User", "name": "system:serviceaccount:"},
        {"name": 1},
    ]

    assert links("grants", f"rolebindings.{RBAC}", {"roleRef": None, "subjects": subjects}) == []
    assert (
        links("grants", f"clusterrolebindings.{RBAC}", {"subjects": [{"kind": "ServiceAccount", "name": "a"}]}, "")
        == []
    )
    assert links("grants", f"rolebindings.{RBAC}", {"roleRef": {"kind": "Other", "name": "x"}, "subjects": None}) == []
