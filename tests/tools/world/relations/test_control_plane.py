"""What the API server itself leans on: webhooks, policies, aggregated APIs, definitions; quotas and classes."""

from __future__ import annotations

import pytest
from tests.tools.world.relations.objects import links, pod, targets, workload

from kubesteward_tools.world.relations import Edge
from kubesteward_tools.world.store import Key

ADMISSION = "admissionregistration.k8s.io"
SERVICE = {"service": {"namespace": "infra", "name": "hook", "path": "/"}}


@pytest.mark.parametrize("kind", ["validating", "mutating"])
def test_a_webhook_points_to_its_service_and_writes_do_without_it_when_failure_is_ignored(kind: str) -> None:
    webhooks = [
        {"name": "a", "clientConfig": SERVICE, "failurePolicy": "Fail"},
        {"name": "b", "clientConfig": SERVICE, "failurePolicy": "Ignore"},
        {"name": "c", "clientConfig": {"url": "https://hook.example"}},
    ]

    found = links("admits", f"{kind}webhookconfigurations.{ADMISSION}", {"webhooks": webhooks}, "")

    assert [(edge.target, edge.detail, edge.optional) for edge in found if isinstance(edge, Edge)] == [
        (Key("services", "infra", "hook"), "webhook a", False),
        (Key("services", "infra", "hook"), "webhook b", True),
    ]


@pytest.mark.parametrize("kind", ["validating", "mutating"])
def test_a_policy_binding_points_to_its_policy(kind: str) -> None:
    binding = {"spec": {"policyName": "no-latest", "paramRef": {"name": "limits"}}}

    assert targets("admits", f"{kind}admissionpolicybindings.{ADMISSION}", binding, "") == [
        (f"{kind}admissionpolicies.{ADMISSION}", "", "no-latest", "policy")
    ]


def test_a_definition_points_to_the_service_that_converts_its_objects() -> None:
    definition = {"spec": {"conversion": {"strategy": "Webhook", "webhook": {"clientConfig": SERVICE}}}}

    assert targets("admits", "customresourcedefinitions.apiextensions.k8s.io", definition, "") == [
        ("services", "infra", "hook", "conversion webhook")
    ]
    assert links("admits", "customresourcedefinitions.apiextensions.k8s.io", {"spec": {"conversion": None}}, "") == []


def test_an_aggregated_api_is_served_by_a_service_and_a_local_one_by_none() -> None:
    resource = "apiservices.apiregistration.k8s.io"

    assert targets("serves", resource, {"spec": {"service": {"namespace": "kube-system", "name": "metrics"}}}, "") == [
        ("services", "kube-system", "metrics", "aggregated API")
    ]
    assert links("serves", resource, {"spec": {"service": None}}, "") == []


def test_a_stateful_set_is_named_under_its_governing_service() -> None:
    assert targets("serves", "statefulsets.apps", {"spec": {"serviceName": "db"}}) == [
        ("services", "shop", "db", "governing service")
    ]
    assert links("serves", "statefulsets.apps", {"spec": {"serviceName": ""}}) == []


@pytest.mark.parametrize("resource", ["shelves.shop.example.com", "gateways.gateway.networking.k8s.io"])
def test_a_custom_object_is_defined_by_the_definition_of_its_resource(resource: str) -> None:
    assert targets("defined_by", resource, {}) == [("customresourcedefinitions.apiextensions.k8s.io", "", resource, "")]


@pytest.mark.parametrize("resource", ["pods", "deployments.apps", "leases.coordination.k8s.io", "pods.metrics.k8s.io"])
def test_what_is_built_in_has_no_definition(resource: str) -> None:
    assert links("defined_by", resource, {}) == []


@pytest.mark.parametrize("resource", ["resourcequotas", "limitranges"])
def test_a_namespace_is_constrained_by_its_quotas_and_limits(resource: str) -> None:
    found = links("constrained_by", resource, {})

    assert found == [Edge("constrained_by", Key("namespaces", "", "shop"), Key(resource, "shop", "web"))]


def test_pods_and_templates_are_constrained_by_their_classes() -> None:
    classes = {"priorityClassName": "high", "runtimeClassName": "gvisor"}
    expected = [
        ("priorityclasses.scheduling.k8s.io", "", "high", "priority class"),
        ("runtimeclasses.node.k8s.io", "", "gvisor", "runtime class"),
    ]

    assert targets("constrained_by", "pods", pod(**classes)) == expected
    assert targets("constrained_by", "deployments.apps", workload(**classes)) == expected
    assert links("constrained_by", "pods", pod(priorityClassName=None, runtimeClassName={})) == []


def test_null_gaps_and_wrong_types_are_passed_over() -> None:
    hooks = [None, {"clientConfig": None}, {"clientConfig": {"service": {"name": "a"}}}]

    assert links("admits", f"validatingwebhookconfigurations.{ADMISSION}", {"webhooks": hooks}, "") == []
    assert links("admits", f"validatingadmissionpolicybindings.{ADMISSION}", {"spec": None}, "") == []
