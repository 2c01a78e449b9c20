"""What label selectors of Services, budgets, policies and workloads select."""

from __future__ import annotations

import pytest
from tests.tools.world.relations.objects import selected


def test_a_service_selects_the_pods_of_its_namespace_that_have_all_its_labels() -> None:
    found = selected("selects", "services", {"spec": {"selector": {"app": "web", "tier": "front"}}})

    assert found == [("pods", "shop", {"matchLabels": {"app": "web", "tier": "front"}}, "")]


@pytest.mark.parametrize("selector", [None, {}, [], "app=web", {"app": None}, {"app": 1}])
def test_a_service_without_a_usable_selector_selects_nothing(selector: object) -> None:
    assert selected("selects", "services", {"spec": {"selector": selector}}) == []


def test_an_external_name_selects_nothing_whatever_its_selector() -> None:
    assert selected("selects", "services", {"spec": {"type": "ExternalName", "selector": {"app": "web"}}}) == []


def test_an_empty_selector_of_a_budget_selects_all_and_none_selects_nothing() -> None:
    every = selected("selects", "poddisruptionbudgets.policy", {"spec": {"selector": {}}})
    nothing = selected("selects", "poddisruptionbudgets.policy", {"spec": {"selector": None}})

    assert (every, nothing) == ([("pods", "shop", {}, "")], [])


@pytest.mark.parametrize("spec", [{"podSelector": {}}, {"podSelector": None}, {}])
def test_a_network_policy_without_labels_selects_every_pod_of_its_namespace(spec: dict[str, object]) -> None:
    assert selected("selects", "networkpolicies.networking.k8s.io", {"spec": spec}) == [("pods", "shop", {}, "")]


@pytest.mark.parametrize("resource", ["deployments.apps", "replicasets.apps", "statefulsets.apps", "daemonsets.apps"])
def test_a_workload_selects_by_labels_and_expressions(resource: str) -> None:
    among = {"key": "tier", "operator": "In", "values": ["front"]}
    selector = {"matchLabels": {"app": "web"}, "matchExpressions": [among, {"key": "x", "operator": "Exists"}]}

    assert selected("selects", resource, {"spec": {"selector": selector}}) == [("pods", "shop", selector, "")]


@pytest.mark.parametrize(
    "selector",
    [
        {"matchLabels": ["app"]},
        {"matchExpressions": "x"},
        {"matchExpressions": [{"operator": "In"}]},
        {"matchExpressions": [{"key": "a", "operator": "Near"}]},
        {"matchExpressions": [{"key": "a", "operator": "In", "values": [1]}]},
        {"matchExpressions": [None]},
    ],
)
def test_a_broken_selector_selects_nothing_rather_than_everything(selector: object) -> None:
    assert selected("selects", "deployments.apps", {"spec": {"selector": selector}}) == []


def test_a_replication_controller_selects_by_plain_labels() -> None:
    found = selected("selects", "replicationcontrollers", {"spec": {"selector": {"app": "web"}}})

    assert found == [("pods", "shop", {"matchLabels": {"app": "web"}}, "")]
