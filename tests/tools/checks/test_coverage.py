"""What other catalogues look at is looked at here too, or it is said why not."""

from __future__ import annotations

import json

from tests.data import shared_data

from kubesteward_tools.checks.run import catalogue

RISKS = {
    "approve_csrs": "role-approves-certificates",
    "assign_sa": "role-creates-pods",
    "bind_roles": "role-escalates",
    "cluster_admin": "binding-cluster-admin",
    "control_webhooks": "role-edits-webhooks",
    "eks_modify_aws_auth": "role-edits-dns",
    "escalate_roles": "role-escalates",
    "impersonate": "role-impersonates",
    "issue_token_secrets": "role-secrets-read",
    "list_secrets": "role-secrets-read",
    "modify_node_status": "role-node-status",
    "modify_pod_status": "role-edits-pods",
    "modify_pods": "role-edits-pods",
    "modify_service_status_cve_2020_8554": "role-service-status",
    "nodes_proxy": "role-node-proxy",
    "obtain_token_weak_ns": "role-mints-tokens",
    "pods_ephemeral_ctrs": "role-edits-pods",
    "pods_exec": "role-exec",
    "providerIAM": "service-account-token",
    "rce_weak_ns": "role-exec",
    "retrieve_token_secrets": "role-secrets-read",
    "steal_pods": "role-node-status",
    "token_request": "role-mints-tokens",
}
ELSEWHERE = {
    "C-0014": "about one product's dashboard; its account's rights are found by the checks of bindings",
    "C-0021": "about names of products; what opens a Service is found by service-load-balancer and service-node-port",
    "C-0026": "that there is a CronJob is not wrong",
    "C-0052": "needs a request from within a pod",
    "C-0058": "a fault of kubelets before 1.22.2",
    "C-0081": "a fault of one product's old versions",
}
"""Controls that Kubescape has for manifests and that no check is for."""


def test_every_risk_of_permissions_has_a_check() -> None:
    policies = json.loads((shared_data("rbac/catalog") / "rbac-police-policies.json").read_text("utf-8"))["policies"]

    assert {item["id"] for item in policies} == set(RISKS)
    assert set(RISKS.values()) <= {item.id for item in catalogue()}


def test_controls_of_manifests_have_checks_with_their_numbers() -> None:
    folder = shared_data("catalog")
    controls = json.loads((folder / "kubescape-controls.json").read_text("utf-8"))["controls"]
    frameworks = json.loads((folder / "kubescape-frameworks.json").read_text("utf-8"))["frameworks"]
    numbers = {item["name"]: item["id"] for item in controls}
    wanted = {numbers[name] for name in frameworks["YAML-scanning"]["controls"] if name in numbers}
    had = {
        number
        for item in catalogue()
        for number in (*item.frameworks.get("kubescape", ()), *item.frameworks.get("nsa", ()))
    }

    assert wanted - had == set(ELSEWHERE)
    assert had <= {item["id"] for item in controls}
