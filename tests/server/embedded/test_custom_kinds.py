"""Custom kinds over HTTP: discovery, OpenAPI, watches and tables follow the definitions."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from tests.tools.twin.definitions import CRDS, WIDGETS, definition, version, widget

from kubesteward.embedded import paths
from kubesteward.embedded.custom_columns import columns
from kubesteward_tools.twin.custom.definitions import Definition

pytestmark = pytest.mark.anyio

OLD = WIDGETS.replace("/v1/", "/v1beta1/")
AGGREGATED = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}


async def fetch(http: aiohttp.ClientSession, path: str, **headers: str) -> Any:
    async with http.get(path, headers=headers) as response:
        return await response.json() if response.status == 200 else response.status


@pytest.fixture
async def defined(http: aiohttp.ClientSession) -> aiohttp.ClientSession:
    """A cluster that serves widgets in two versions."""
    async with http.post(CRDS, json=definition(version(), version("v1beta1", storage=False))) as response:
        assert response.status == 201
    return http


async def test_both_forms_of_discovery_name_the_preferred_version_first(defined: aiohttp.ClientSession) -> None:
    group = await fetch(defined, "/apis/example.com")
    listed = await fetch(defined, "/apis/example.com/v1beta1")
    whole = await fetch(defined, "/apis", **AGGREGATED)
    (found,) = (item for item in whole["items"] if item["metadata"]["name"] == "example.com")

    assert group["preferredVersion"]["version"] == "v1"
    assert [item["version"] for item in found["versions"]] == ["v1", "v1beta1"]
    assert [item["name"] for item in listed["resources"]] == ["widgets", "widgets/scale", "widgets/status"]
    assert listed["resources"][0]["shortNames"] == ["wi"]


async def test_a_definition_that_goes_takes_its_group_out_of_discovery(defined: aiohttp.ClientSession) -> None:
    async with asyncio.timeout(5), defined.get(CRDS, params={"watch": "1"}) as events:
        async with defined.delete(f"{CRDS}/widgets.example.com") as response:
            assert response.status == 200
        async for line in events.content:
            if json.loads(line)["type"] == "DELETED":
                break

    assert await fetch(defined, "/apis/example.com") == 404
    assert await fetch(defined, OLD) == 404


async def test_openapi_has_the_schema_of_each_version(defined: aiohttp.ClientSession) -> None:
    index = await fetch(defined, "/openapi/v3")
    found = await fetch(defined, index["paths"]["apis/example.com/v1beta1"]["serverRelativeURL"])
    shape = found["components"]["schemas"]["com.example.v1beta1.Widget"]

    assert shape["properties"]["spec"]["properties"]["size"]["maximum"] == 10
    assert shape["x-kubernetes-group-version-kind"] == [
        {"group": "example.com", "version": "v1beta1", "kind": "Widget"}
    ]
    assert "io.k8s.v1.ObjectMeta" in found["components"]["schemas"]
    assert "patch" in found["paths"]["/apis/example.com/v1beta1/namespaces/{namespace}/widgets/{name}"]


async def test_openapi_describes_built_in_kinds_with_what_must_be_given(http: aiohttp.ClientSession) -> None:
    found = await fetch(http, "/openapi/v3/api/v1")
    shapes = found["components"]["schemas"]

    assert shapes["io.k8s.v1.PodSpec"]["required"] == ["containers"]
    assert "List of containers" in shapes["io.k8s.v1.PodSpec"]["properties"]["containers"]["description"]
    assert shapes["io.k8s.v1.Probe"]["properties"]["exec"]["allOf"] == [
        {"$ref": "#/components/schemas/io.k8s.v1.ExecAction"}
    ]
    references = json.dumps(found).count('"$ref": "#/components/schemas/')
    named = sum(json.dumps(found).count(f'"$ref": "#/components/schemas/{name}"') for name in shapes)
    assert references == named


async def test_a_watch_speaks_the_version_that_it_was_asked_in(defined: aiohttp.ClientSession) -> None:
    async with defined.get(OLD, params={"watch": "1"}) as events:
        async with defined.post(WIDGETS, json=widget()) as response:
            assert response.status == 201
        async with asyncio.timeout(5):
            event = json.loads(await events.content.readline())

    assert (event["type"], event["object"]["apiVersion"]) == ("ADDED", "example.com/v1beta1")


OBJECT = {
    "metadata": {"labels": {"a.b/c": "d"}, "creationTimestamp": "2026-01-01T00:00:00Z"},
    "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Late", "status": "False"}], "all": [1, 2]},
}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        (".status.all", [[1, 2]]),
        (".status.all[1]", [2]),
        (".status.all[-1]", [2]),
        (".status.all[9]", []),
        (".status.all[*]", [1, 2]),
        ('.status.conditions[?(@.type=="Late")].status', ["False"]),
        (".status.conditions[?(@.type=='Ready')].status", ["True"]),
        (r".metadata.labels.a\.b/c", ["d"]),
        (".metadata.labels['a.b/c']", ["d"]),
        (".nothing.here", []),
        (".status.(", []),
    ],
)
def test_printer_paths_lead_to_values(path: str, values: list[Any]) -> None:
    assert paths.found(path, OBJECT) == values


def test_columns_show_ages_texts_and_nothing_where_there_is_nothing() -> None:
    named = [
        {"name": "Since", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        {"name": "All", "type": "string", "jsonPath": ".status.all"},
        {"name": "Types", "type": "string", "jsonPath": ".status.conditions[*].type"},
        {"name": "Missing", "type": "integer", "jsonPath": ".spec.size", "priority": 1},
        {"name": "Odd", "type": "date", "jsonPath": ".status.conditions[0].type"},
    ]
    shown = columns(Definition(definition(version(additionalPrinterColumns=named))), "v1")
    midnight = 1_767_225_600.0  # 2026-01-01

    assert [cell(OBJECT, midnight + 60) for _, _, cell in shown[1:]] == [
        "60s",
        "[1,2]",
        "Ready,Late",
        None,
        "<invalid>",
    ]
    assert [priority for _, priority, _ in shown] == [0, 0, 0, 0, 1, 0]
