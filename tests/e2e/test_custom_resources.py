"""Definitions and custom resources by the real kubectl, and `kubectl explain`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.embedded import Kubectl, running
from tests.tools.twin.definitions import definition, version, widget

_COLUMNS = [
    {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
    {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    {"name": "Colour", "type": "string", "jsonPath": ".spec.colour", "priority": 1},
]


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with running(tmp_path_factory.mktemp("cluster")) as path:
        yield path


@pytest.fixture(scope="module")
def kubectl(kubeconfig: Path) -> Kubectl:
    """kubectl where widgets are defined, in two versions, and one is there."""
    found = Kubectl(kubeconfig, "default")
    found.apply(defined())
    found("wait", "--for=condition=established", "crd/widgets.example.com", "--timeout=20s")
    found.apply(widget(replicas=1))
    return found


def defined(plural: str = "widgets", kind: str = "Widget") -> dict[str, Any]:
    old = version("v1beta1", storage=False)
    return definition(version(additionalPrinterColumns=_COLUMNS), old, plural=plural, kind=kind)


def test_a_definition_and_its_objects_come_in_two_steps_as_on_any_cluster(kubectl: Kubectl, tmp_path: Path) -> None:
    crd, made = tmp_path / "crd.json", tmp_path / "made.json"
    crd.write_text(json.dumps(defined("gears", "Gear")))
    made.write_text(json.dumps({**widget("g"), "kind": "Gear"}))

    assert 'no matches for kind "Gear"' in kubectl.refused("apply", "-f", str(crd), "-f", str(made))
    assert "gear.example.com/g created" in kubectl("apply", "-f", str(crd), "-f", str(made))
    assert "gear.example.com/g unchanged" in kubectl("apply", "-f", str(crd), "-f", str(made))


def test_custom_kinds_are_among_the_servers_kinds(kubectl: Kubectl) -> None:
    listed = kubectl("api-resources", "--api-group=example.com", "--no-headers")

    assert "widgets   wi" in listed
    assert "example.com/v1beta1" in kubectl("api-versions")
    assert "widgets.example.com" in kubectl("get", "crd")


@pytest.mark.parametrize("name", ["wi", "widget", "widgets.example.com", "widgets.v1.example.com"])
def test_objects_are_found_by_every_name_of_their_kind(kubectl: Kubectl, name: str) -> None:
    assert kubectl("get", name, "-o", "name") == "widget.example.com/w\n"


def test_tables_have_the_columns_that_the_definition_names(kubectl: Kubectl) -> None:
    ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    kubectl("patch", "wi", "w", "--subresource=status", "--type=merge", "-p", json.dumps(ready))

    head, row = kubectl("get", "wi").splitlines()
    assert head.split() == ["NAME", "SIZE", "READY", "AGE"]
    assert row.split()[:3] == ["w", "1", "True"]
    assert "COLOUR" in kubectl("get", "wi", "-o", "wide")
    assert "widget.example.com/w" in kubectl("get", "all")


def test_patches_scale_and_other_versions(kubectl: Kubectl) -> None:
    said = kubectl.refused("patch", "wi", "w", "-p", '{"spec":{"size":2}}')
    assert "application/strategic-merge-patch+json is not supported by example.com/v1" in said
    kubectl("patch", "wi", "w", "--type=merge", "-p", '{"spec":{"size":2}}')
    wrong = '[{"op":"replace","path":"/spec/size","value":20}]'
    assert "should be less than or equal to 10" in kubectl.refused("patch", "wi", "w", "--type=json", "-p", wrong)
    kubectl("scale", "wi/w", "--replicas=3")

    other = kubectl.json("get", "widgets.v1beta1.example.com", "w")
    assert (other["apiVersion"], other["spec"]["size"], other["spec"]["replicas"]) == ("example.com/v1beta1", 2, 3)


def test_misspelt_fields_are_refused_and_applies_are_owned(kubectl: Kubectl) -> None:
    assert 'unknown field "spec.sise"' in kubectl.refused("apply", "-f", "-", stdin=json.dumps(widget("x", sise=1)))
    mine = json.dumps(widget("owned", size=3))
    kubectl("apply", "--server-side", "-f", "-", stdin=mine)
    yours = json.dumps(widget("owned", size=4))
    said = kubectl.refused("apply", "--server-side", "--field-manager=you", "-f", "-", stdin=yours)
    assert 'conflict with "kubectl": .spec.size' in said
    kubectl("delete", "wi", "owned")


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (
            "pod.spec.containers",
            ["FIELD: containers <[]Container>", "List of containers belonging to the pod", "-required-"],
        ),
        ("deploy.spec.strategy.rollingUpdate", ["maxSurge\t<string>", "maximum number of pods"]),
        ("svc", ["KIND:       Service", "spec\t<ServiceSpec>"]),
        ("widget.spec", ["KIND:       Widget", "size\t<integer> -required-", "enum: red, blue"]),
        ("crd.spec.names", ["plural\t<string>"]),
    ],
)
def test_explain_tells_of_fields(kubectl: Kubectl, what: str, words: list[str]) -> None:
    said = kubectl("explain", what)

    assert [word for word in words if word not in said] == []


def test_explain_goes_down_to_the_last_field(kubectl: Kubectl) -> None:
    assert "terminationGracePeriodSeconds" in kubectl("explain", "deploy", "--recursive")
    assert "parts\t<[]Object>" in kubectl("explain", "widget", "--recursive", "--api-version=example.com/v1beta1")


def test_the_end_of_a_definition_is_the_end_of_its_objects(kubectl: Kubectl) -> None:
    kubectl.apply(defined("things", "Thing"))
    kubectl.apply({**widget("t"), "kind": "Thing"})
    kubectl("delete", "crd", "things.example.com", "--timeout=30s")

    assert "the server could not find the requested resource" in kubectl.refused(
        "get", "--raw", "/apis/example.com/v1/things"
    )
    assert "things" not in kubectl("api-resources", "--api-group=example.com")
