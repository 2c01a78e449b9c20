"""What the findings of a rehearsal say: once each, of the object at fault, with a remedy that fits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.tools.twin.rehearsal.clusters import (
    BUDGETS,
    DEPLOYMENTS,
    PODS,
    QUOTAS,
    SERVICES,
    budget,
    call,
    cluster_with,
    deployment,
    image,
    patch,
    quota,
    rehearsed,
    rolling,
    scale,
    service,
)

from kubesteward_tools.twin.findings.evidence import name
from kubesteward_tools.world.store import Key

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


def test_what_the_best_case_shows_is_not_said_again_for_the_worst() -> None:
    cluster = cluster_with((DEPLOYMENTS, deployment()), (SERVICES, service()), (BUDGETS, budget(2)))
    found = rehearsed(cluster, scale("web", 0)).findings

    assert [(item.rule, item.object) for item in found if item.severity == "block"] == [
        ("pdb.broken", "poddisruptionbudget default/web"),
        ("service.no_endpoints", "service default/web"),
    ]
    assert not any("do not become ready" in item.message for item in found if item.severity == "block")


def test_pods_that_go_in_any_case_do_not_depend_on_new_ones() -> None:
    cluster = cluster_with((DEPLOYMENTS, deployment()))
    (item,) = (item for item in rehearsed(cluster, scale("web", 0)).findings if item.rule == "availability.reduced")

    assert item.message == "deployment default/web would go from 3 to 0 ready pods"
    assert item.remedy == "Ask who still needs it first."


def test_a_misspelt_field_is_named_without_the_whole_object_before_it() -> None:
    cluster = cluster_with((DEPLOYMENTS, deployment()))
    sent = replace(patch(f"{DEPLOYMENTS}/web", {"spec": {"pausd": True}}), query=(("fieldValidation", "Strict"),))
    (item,) = rehearsed(cluster, sent).findings

    assert 'strict decoding error: unknown field "spec.pausd"' in item.message
    assert len(item.message) < 250


@pytest.mark.parametrize(
    ("path", "body", "remedy"),
    [
        ("validatingwebhookconfigurations", {"webhooks": []}, "failurePolicy Ignore"),
        ("validatingadmissionpolicybindings", {"spec": {"policyName": "a", "validationActions": ["Deny"]}}, "Audit"),
    ],
)
def test_what_decides_about_requests_comes_with_a_way_to_try_it(path: str, body: dict[str, Any], remedy: str) -> None:
    sent = call("create", f"/apis/admissionregistration.k8s.io/v1/{path}", {"metadata": {"name": "a"}, **body})
    (item,) = rehearsed(cluster_with(), sent).findings

    assert item.rule == "admission.changed"
    assert remedy in item.remedy


def test_what_only_the_worst_case_shows_is_still_said() -> None:
    loose = deployment(replicas=2, strategy=rolling(1, 1))
    cluster = cluster_with((DEPLOYMENTS, loose), (SERVICES, service()), (BUDGETS, budget(1)))
    broken = [item for item in rehearsed(cluster, image("web", "2")).findings if item.rule == "availability.reduced"]

    assert [item.message for item in broken] == [
        "deployment default/web would go from 2 to 1 ready pods if new pods do not become ready"
    ]


def test_pods_that_are_not_to_come_back_are_not_helped_by_a_gentler_strategy() -> None:
    cluster = cluster_with((DEPLOYMENTS, deployment()), (BUDGETS, budget(2)))
    (broken,) = (item for item in rehearsed(cluster, scale("web", 0)).findings if item.rule == "pdb.broken")

    assert broken.remedy == "Leave at least 2 of its pods running, or change the budget first."


def test_a_roll_out_that_breaks_a_budget_on_the_way_is_to_be_gentler() -> None:
    cluster = cluster_with((DEPLOYMENTS, deployment(strategy={"type": "Recreate"})), (BUDGETS, budget(2)))
    (broken,) = (item for item in rehearsed(cluster, image("web", "2")).findings if item.rule == "pdb.broken")

    assert broken.remedy == "Use a gentler strategy (maxUnavailable 0), or change the budget first."


def test_a_refused_eviction_names_the_pod_and_the_budget() -> None:
    cluster = cluster_with((DEPLOYMENTS, deployment(replicas=2)), (BUDGETS, budget(2)))
    pod = cluster.store.objects("pods", "default")[0]["metadata"]["name"]
    (refused,) = rehearsed(cluster, call("create", f"{PODS}/{pod}/eviction", {"metadata": {"name": pod}})).findings

    assert refused.object == f"pod default/{pod}"
    assert refused.message == (
        f"the API server refuses to evict pod default/{pod} (429 TooManyRequests): Cannot evict pod as it would "
        "violate the pod's disruption budget. The disruption budget web needs 2 healthy pods and has 2 currently"
    )
    assert refused.remedy == "Wait until the budget allows it, or change the budget first."


@pytest.mark.parametrize(
    ("data", "rules"),
    [({"colour": "red"}, ["config.changed"]), (None, ["config.changed"]), ({"colour": "blue"}, [])],
)
def test_new_content_of_a_config_map_that_pods_use_is_never_called_safe(
    data: dict[str, str] | None, rules: list[str]
) -> None:
    web = deployment()
    web["spec"]["template"]["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": "web"}}]
    settings = {"metadata": {"name": "web"}, "data": {"colour": "blue"}}
    cluster = cluster_with((CONFIG_MAPS, settings), (DEPLOYMENTS, web))
    found = rehearsed(cluster, patch(f"{CONFIG_MAPS}/web", {"data": data}))

    assert [item.rule for item in found.findings] == rules
    assert found.verdict == ("warn" if rules else "safe")


@pytest.mark.parametrize(("pods", "rules"), [("2", ["quota.below_use"]), ("3", [])])
def test_a_quota_below_what_is_used_is_never_called_safe(pods: str, rules: list[str]) -> None:
    cluster = cluster_with((DEPLOYMENTS, deployment()), (QUOTAS, quota(5)))
    found = rehearsed(cluster, patch(f"{QUOTAS}/pods", {"spec": {"hard": {"pods": pods}}})).findings

    assert [item.rule for item in found] == rules
    assert all("(3 of 2 pods)" in item.message for item in found)


def test_a_kind_that_nobody_defines_is_blocked_for_what_it_is() -> None:
    widget = call("patch", "/apis/example.com/v1/namespaces/default/widgets/w", {"spec": {"size": 2}})
    found = rehearsed(cluster_with(), widget)
    (refused,) = found.findings

    assert found.verdict == "blocked"
    assert refused.message == "the twin knows no such kind, so that nobody can tell what this would do"
    assert refused.remedy == "Create its CustomResourceDefinition first, or make the change by hand."


@pytest.mark.parametrize(
    ("resource", "word"),
    [
        ("networkpolicies.networking.k8s.io", "networkpolicy"),
        ("ingresses.networking.k8s.io", "ingress"),
        ("priorityclasses.scheduling.k8s.io", "priorityclass"),
        ("endpoints", "endpoints"),
        ("deployments.apps", "deployment"),
        ("endpointslices.discovery.k8s.io", "endpointslice"),
        ("resourcequotas", "resourcequota"),
    ],
)
def test_an_object_is_named_as_one(resource: str, word: str) -> None:
    assert name(Key(resource, "shop", "web")) == f"{word} shop/web"


def test_a_budget_that_protects_fewer_pods_than_before_is_warned_of() -> None:
    cluster = cluster_with((DEPLOYMENTS, deployment()), (BUDGETS, budget(2)))
    looser = rehearsed(cluster, patch(f"{BUDGETS}/web", {"spec": {"minAvailable": 0}}))
    gone = rehearsed(cluster, call("delete", f"{BUDGETS}/web"))
    tighter = rehearsed(cluster, patch(f"{BUDGETS}/web", {"spec": {"minAvailable": 3}}))

    assert [(item.rule, item.severity) for item in looser.findings] == [("pdb.loosened", "warn")]
    assert "pdb.loosened" in {item.rule for item in gone.findings}
    assert "pdb.loosened" not in {item.rule for item in tighter.findings}
