"""Server-side apply: fields have managers, and what others manage is changed by force only."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tools.twin.rehearsal.clusters import DEPLOYMENTS, MERGE_PATCH, deployment

from kubesteward_policies.change import APPLY_PATCH
from kubesteward_tools.twin import fieldsets
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.route import Request, Response
from kubesteward_tools.world.store import Object

WEB = f"{DEPLOYMENTS}/web"


@pytest.fixture
def cluster() -> SimulatedCluster:
    return SimulatedCluster.new(now=1_800_000_000.0)


def wanted(replicas: int | None = 1, image: str = "app:1", **spec: Any) -> Object:
    made = deployment(replicas=replicas or 1)
    made["spec"]["template"]["spec"]["containers"] = [{"name": "app", "image": image}]
    if replicas is None:
        del made["spec"]["replicas"]
    return {"apiVersion": "apps/v1", "kind": "Deployment", **made, "spec": {**made["spec"], **spec}}


def apply(cluster: SimulatedCluster, manager: str, body: Object, **query: str) -> Response:
    return cluster.handle(Request("patch", WEB, {"fieldManager": manager, **query}, APPLY_PATCH, body))


def managers(cluster: SimulatedCluster) -> dict[tuple[str, str], set[str]]:
    found = cluster.api.get("deployments.apps", "default", "web")["metadata"]["managedFields"]
    return {
        (item["manager"], item["operation"]): {fieldsets.words(path) for path in fieldsets.parse(item["fieldsV1"])}
        for item in found
    }


def test_who_applies_manages_what_the_body_says(cluster: SimulatedCluster) -> None:
    assert apply(cluster, "ci", wanted()).status == 201

    assert managers(cluster)["ci", "Apply"] == {
        ".spec.replicas",
        ".spec.selector",
        ".spec.template.metadata.labels.app",
        '.spec.template.spec.containers[name="app"]',
        '.spec.template.spec.containers[name="app"].image',
        '.spec.template.spec.containers[name="app"].name',
    }


def test_what_another_manages_is_refused_and_named(cluster: SimulatedCluster) -> None:
    apply(cluster, "ci", wanted())
    refused = apply(cluster, "other", wanted(2))

    assert refused.status == 409
    assert refused.body["message"] == 'Apply failed with 1 conflict: conflict with "ci": .spec.replicas'
    assert refused.body["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "ci"', "field": ".spec.replicas"}
    ]


def test_several_conflicts_are_listed(cluster: SimulatedCluster) -> None:
    apply(cluster, "ci", wanted())
    refused = apply(cluster, "other", wanted(2, "app:2"))

    assert refused.body["message"].splitlines() == [
        'Apply failed with 2 conflicts: conflicts with "ci":',
        "- .spec.replicas",
        '- .spec.template.spec.containers[name="app"].image',
    ]


def test_force_takes_the_field_over(cluster: SimulatedCluster) -> None:
    apply(cluster, "ci", wanted())
    assert apply(cluster, "other", wanted(2), force="true").status == 200

    found = managers(cluster)
    assert ".spec.replicas" in found["other", "Apply"]
    assert ".spec.replicas" not in found["ci", "Apply"]


def test_the_same_value_is_shared_and_no_conflict(cluster: SimulatedCluster) -> None:
    apply(cluster, "ci", wanted())
    assert apply(cluster, "other", wanted()).status == 200

    found = managers(cluster)
    assert found["ci", "Apply"] == found["other", "Apply"]


def test_a_scale_takes_the_replicas_from_who_applied_them(cluster: SimulatedCluster) -> None:
    apply(cluster, "ci", wanted())
    scale = Request("patch", f"{WEB}/scale", {"fieldManager": "kubectl"}, MERGE_PATCH, {"spec": {"replicas": 3}})
    assert cluster.handle(scale).status == 200
    refused = apply(cluster, "ci", wanted())

    assert refused.status == 409
    said = 'conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas'
    assert said in refused.body["message"]


def test_a_field_that_its_only_manager_gives_up_goes(cluster: SimulatedCluster) -> None:
    apply(cluster, "ci", wanted(2, minReadySeconds=7))
    assert apply(cluster, "ci", wanted(None)).status == 200

    spec = cluster.api.get("deployments.apps", "default", "web")["spec"]
    assert (spec.get("minReadySeconds"), spec["replicas"]) == (None, 1)


def test_a_field_that_another_still_manages_stays(cluster: SimulatedCluster) -> None:
    apply(cluster, "ci", wanted(2))
    apply(cluster, "other", wanted(2))
    apply(cluster, "ci", wanted(None))

    assert cluster.api.get("deployments.apps", "default", "web")["spec"]["replicas"] == 2


def test_a_list_element_that_is_given_up_goes_as_a_whole(cluster: SimulatedCluster) -> None:
    both = wanted()
    both["spec"]["template"]["spec"]["containers"].append({"name": "side", "image": "side:1"})
    apply(cluster, "ci", both)
    apply(cluster, "ci", wanted())

    spec = cluster.api.get("deployments.apps", "default", "web")["spec"]
    assert [item["name"] for item in spec["template"]["spec"]["containers"]] == ["app"]


def test_an_apply_that_changes_nothing_leaves_the_object_as_it_is(cluster: SimulatedCluster) -> None:
    first = apply(cluster, "ci", wanted()).body
    again = apply(cluster, "ci", wanted()).body

    assert again == first


def test_where_no_managers_are_known_none_is_made_up(cluster: SimulatedCluster) -> None:
    cluster.handle(Request("create", DEPLOYMENTS, {}, "", wanted()))
    assert apply(cluster, "ci", wanted(2)).status == 200

    assert "managedFields" not in cluster.api.get("deployments.apps", "default", "web")["metadata"]


def test_a_set_of_fields_is_read_and_written_alike() -> None:
    fields = {
        "f:metadata": {"f:finalizers": {'v:"example.com/hold"': {}}, "f:labels": {".": {}, "f:app": {}}},
        "f:spec": {"f:ports": {".": {}, 'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}}}},
    }

    assert fieldsets.render(fieldsets.parse(fields)) == fields
