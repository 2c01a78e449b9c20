"""What the API server's decoder says of fields it does not know and of values of another type."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from tests.tools.twin.validation.source import TABLE, table

from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.route import Request, Response
from kubesteward_tools.world.store import Key

NOW = 1_800_000_000.0
PATH = "/apis/apps/v1/namespaces/default/deployments"
WEB: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "image": "nginx", "resources": {"limits": {"cpu": 1}}}]},
        },
    },
}


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster.new(nodes=1, now=NOW)
    assert send(made, "create", PATH, WEB).status == 201
    return made


def send(cluster: SimulatedCluster, verb: str, path: str, body: Any, kind: str = "json", **query: str) -> Response:
    return cluster.handle(Request(verb, path, query, f"application/{kind}", body))


def changed(*path: str | int, to: Any) -> dict[str, Any]:
    new = copy.deepcopy(WEB)
    inner: Any = new
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to
    new["metadata"]["name"] = "other"
    return new


def stored(cluster: SimulatedCluster, name: str) -> dict[str, Any]:
    return cluster.store.get(Key("deployments.apps", "default", name)) or {}


def test_the_table_is_that_of_the_official_client() -> None:
    assert table() == json.loads(TABLE.read_text("utf-8"))


def test_a_strict_create_refuses_an_unknown_field(cluster: SimulatedCluster) -> None:
    container = ("spec", "template", "spec", "containers", 0, "imagee")
    found = send(cluster, "create", PATH, changed(*container, to="x"), fieldValidation="Strict")

    assert found.status == 400
    assert found.body["message"] == (
        'Deployment in version "v1" cannot be handled as a Deployment: '
        'strict decoding error: unknown field "spec.template.spec.containers[0].imagee"'
    )


@pytest.mark.parametrize("kind", ["merge-patch+json", "strategic-merge-patch+json"])
def test_a_strict_patch_refuses_an_unknown_field(cluster: SimulatedCluster, kind: str) -> None:
    body = {"spec": {"replicaz": 3}}
    found = send(cluster, "patch", f"{PATH}/web", body, kind, fieldValidation="Strict")

    assert (found.status, found.body["reason"]) == (422, "Invalid")
    assert found.body["message"].endswith('strict decoding error: unknown field "spec.replicaz"')


def test_without_a_word_an_unknown_field_is_dropped_with_a_warning(cluster: SimulatedCluster) -> None:
    before = stored(cluster, "web")
    found = send(cluster, "patch", f"{PATH}/web", {"spec": {"replicaz": 3}}, "merge-patch+json")

    assert (found.status, found.warnings) == (200, ('unknown field "spec.replicaz"',))
    assert stored(cluster, "web") == before


def test_ignored_fields_are_dropped_silently(cluster: SimulatedCluster) -> None:
    found = send(cluster, "create", PATH, changed("spec", "replcas", to=2), fieldValidation="Ignore")

    assert (found.status, found.warnings) == (201, ())
    assert "replcas" not in stored(cluster, "other")["spec"]


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("spec", "replicas"), "three", "cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas"),
        (("spec", "paused"), "yes", "cannot unmarshal string into Go struct field DeploymentSpec.spec.paused"),
        (("spec", "template", "spec", "containers"), {}, "of type []Container"),
        (("metadata", "labels"), {"a": 1}, "cannot unmarshal number into Go struct field ObjectMeta.metadata.labels.a"),
        (("spec",), [], "cannot unmarshal array"),
    ],
)
def test_a_value_of_another_type_is_refused(
    cluster: SimulatedCluster, path: tuple[str | int, ...], value: Any, words: str
) -> None:
    found = send(cluster, "create", PATH, changed(*path, to=value))

    assert found.status == 400
    assert words in found.body["message"]
    assert stored(cluster, "other") == {}


def test_quantities_may_be_numbers_and_nulls_are_nothing(cluster: SimulatedCluster) -> None:
    assert send(cluster, "create", PATH, changed("spec", "minReadySeconds", to=None)).status == 201


def test_server_side_apply_takes_no_undeclared_field(cluster: SimulatedCluster) -> None:
    body = changed("spec", "replicaz", to=3)
    found = send(cluster, "patch", f"{PATH}/other", body, "apply-patch+yaml", fieldManager="me")

    assert found.status == 500
    assert ".spec.replicaz: field not declared in schema" in found.body["message"]
