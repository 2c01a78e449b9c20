"""Autoscalers and what they size."""

from __future__ import annotations

import pytest
from tests.tools.world.relations.objects import links, targets

DEPLOYMENT = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}


@pytest.mark.parametrize(
    ("resource", "spec", "detail"),
    [
        (
            "horizontalpodautoscalers.autoscaling",
            {"scaleTargetRef": DEPLOYMENT, "minReplicas": 2, "maxReplicas": 5},
            "min 2, max 5",
        ),
        ("verticalpodautoscalers.autoscaling.k8s.io", {"targetRef": DEPLOYMENT}, ""),
        ("scaledobjects.keda.sh", {"scaleTargetRef": {"name": "web"}, "maxReplicaCount": 9}, "max 9"),
    ],
)
def test_an_autoscaler_points_to_its_workload(resource: str, spec: dict[str, object], detail: str) -> None:
    assert targets("scales", resource, {"spec": spec}) == [("deployments.apps", "shop", "web", detail)]


def test_a_custom_workload_is_found_by_the_cluster() -> None:
    target = {"apiVersion": "shop.example.com/v1", "kind": "Shelf", "name": "a"}

    found = targets("scales", "horizontalpodautoscalers.autoscaling", {"spec": {"scaleTargetRef": target}})

    assert found == [("shelves.shop.example.com", "shop", "a", "")]


@pytest.mark.parametrize("resource", ["scaledobjects.keda.sh", "scaledjobs.keda.sh"])
def test_a_scaler_of_events_points_to_what_it_logs_in_by(resource: str) -> None:
    triggers = [
        {"type": "kafka", "authenticationRef": {"name": "login"}},
        {"type": "redis", "authenticationRef": {"kind": "ClusterTriggerAuthentication", "name": "all"}},
        {"type": "cron", "authenticationRef": {"kind": "Other", "name": "x"}},
        {"type": "cron"},
    ]

    assert targets("scales", resource, {"spec": {"triggers": triggers}}) == [
        ("triggerauthentications.keda.sh", "shop", "login", "authentication of trigger kafka"),
        ("clustertriggerauthentications.keda.sh", "", "all", "authentication of trigger redis"),
    ]


def test_the_template_of_a_scaled_job_mounts_what_its_jobs_would() -> None:
    volumes = [{"name": "config", "configMap": {"name": "missing"}}]
    obj = {"spec": {"jobTargetRef": {"template": {"spec": {"volumes": volumes}}}}}

    assert targets("mounts", "scaledjobs.keda.sh", obj) == [("configmaps", "shop", "missing", "volume config")]


def test_null_gaps_and_wrong_types_are_passed_over() -> None:
    assert links("scales", "horizontalpodautoscalers.autoscaling", {"spec": {"scaleTargetRef": None}}) == []
    assert links("scales", "horizontalpodautoscalers.autoscaling", {"spec": {"scaleTargetRef": {"name": "a"}}}) == []
    assert links("scales", "scaledobjects.keda.sh", {"spec": {"scaleTargetRef": [], "triggers": [None, 1]}}) == []
