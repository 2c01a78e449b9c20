"""The embedded API server over HTTP: who is let in, what is answered in which form, and what is written down."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from kubesteward.embedded.server import CONTEXT, EmbeddedCluster

pytestmark = pytest.mark.anyio

MAPS = "/api/v1/namespaces/default/configmaps"
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


async def create(http: aiohttp.ClientSession, name: str, **params: str) -> dict[str, Any]:
    async with http.post(MAPS, json=config_map(name, a="1"), params=params) as response:
        assert response.status == 201
        found: dict[str, Any] = await response.json()
        return found


async def fetch(http: aiohttp.ClientSession, path: str, **rest: Any) -> tuple[int, dict[str, Any]]:
    async with http.get(path, **rest) as response:
        return response.status, await response.json()


async def lines(response: aiohttp.ClientResponse, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(5):
        return [json.loads(await response.content.readline()) for _ in range(count)]


@pytest.mark.parametrize("header", ["", "Bearer wrong", "Basic YTpi"])
async def test_only_the_token_of_this_cluster_is_let_in(http: aiohttp.ClientSession, header: str) -> None:
    status, body = await fetch(http, "/version", headers={"Authorization": header})

    assert (status, body["reason"]) == (401, "Unauthorized")


async def test_the_word_bearer_is_written_in_any_case_and_never_left_out(
    cluster: EmbeddedCluster, http: aiohttp.ClientSession
) -> None:
    answers = [
        (await fetch(http, "/version", headers={"Authorization": f"{scheme}{cluster.token}"}))[0]
        for scheme in ("bearer ", "BEARER ", "", "Basic ")
    ]

    assert answers == [200, 200, 401, 401]


async def test_an_impersonated_user_has_its_own_rights_only(http: aiohttp.ClientSession) -> None:
    carol = {"Impersonate-User": "carol", "Impersonate-Group": "staff"}

    status, body = await fetch(http, MAPS, headers=carol)
    assert status == 403
    assert body["message"].startswith('configmaps is forbidden: User "carol" cannot list resource "configmaps"')
    assert (await fetch(http, "/api", headers=carol))[0] == 200
    assert (await fetch(http, "/debug/requests", headers=carol))[0] == 403


async def test_an_impersonated_user_may_not_impersonate_others(cluster: EmbeddedCluster) -> None:
    from kubesteward.embedded.calls import acting_user
    from kubesteward_tools.twin.identity import User
    from kubesteward_tools.twin.status import ApiError

    with pytest.raises(ApiError, match='User "carol" cannot impersonate resource "users"'):
        acting_user(cluster.simulated.store, User("carol"), {"Impersonate-User": "root"}, [])


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/apis/example.com/v1/widgets", 404, "NotFound"),
        ("/nowhere", 404, "NotFound"),
        (f"{MAPS}/missing", 404, "NotFound"),
        ("/api/v1/namespaces/default/pods/web/exec?command=ls", 404, "NotFound"),
        ("/api/v1/namespaces/default/pods/web/attach", 405, "MethodNotAllowed"),
        (f"{MAPS}?labelSelector=a%20in%20(", 400, "BadRequest"),
        (f"{MAPS}?watch=1&resourceVersion=soon", 400, "BadRequest"),
    ],
)
async def test_what_cannot_be_answered_is_a_status(
    http: aiohttp.ClientSession, path: str, status: int, reason: str
) -> None:
    answered, body = await fetch(http, path)

    assert (status, "Status", reason) == (answered, body["kind"], body["reason"])


@pytest.mark.parametrize("data", [b"{", b"[1]", b"\xff\xfe"])
async def test_a_body_that_is_no_object_is_a_bad_request(http: aiohttp.ClientSession, data: bytes) -> None:
    async with http.post(MAPS, data=data, headers={"Content-Type": "application/json"}) as response:
        assert (response.status, (await response.json())["reason"]) == (400, "BadRequest")


async def test_a_body_that_is_too_large_is_refused(http: aiohttp.ClientSession) -> None:
    async with http.post(MAPS, data=io.BytesIO(b" " * (5 * 2**20))) as response:
        assert (response.status, (await response.json())["reason"]) == (413, "RequestEntityTooLarge")


async def test_yaml_is_understood(http: aiohttp.ClientSession) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: y}\ndata: {a: b}\n"
    async with http.post(MAPS, data=text, headers={"Content-Type": "application/yaml"}) as response:
        assert (await response.json())["data"] == {"a": "b"}
    async with http.post(MAPS, data="a: [", headers={"Content-Type": "application/yaml"}) as response:
        assert response.status == 400


async def test_a_table_is_served_to_who_prefers_one(http: aiohttp.ClientSession) -> None:
    await create(http, "one")

    _, listed = await fetch(http, MAPS, headers=TABLE, params={"fieldSelector": "metadata.name=one"})
    _, single = await fetch(http, f"{MAPS}/one", headers=TABLE, params={"includeObject": "None"})
    assert [row["cells"][:2] for row in listed["rows"]] == [["one", 1]]
    assert (single["kind"], single["rows"][0]["object"]) == ("Table", None)


async def test_metadata_alone_is_served_to_who_prefers_it(http: aiohttp.ClientSession) -> None:
    await create(http, "one")
    accept = {"Accept": "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"}

    _, found = await fetch(http, MAPS, headers=accept)

    assert found["kind"] == "PartialObjectMetadataList"
    assert all("data" not in item for item in found["items"])


async def test_discovery_is_served_in_both_forms(http: aiohttp.ClientSession) -> None:
    aggregated = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"}

    _, whole = await fetch(http, "/apis", headers=aggregated)
    _, groups = await fetch(http, "/apis")
    _, apps = await fetch(http, "/apis/apps/v1")
    assert whole["kind"] == "APIGroupDiscoveryList"
    assert {item["metadata"]["name"] for item in whole["items"]} == {item["name"] for item in groups["groups"]}
    assert "deployments/scale" in {item["name"] for item in apps["resources"]}
    assert (await fetch(http, "/apis/apps"))[1]["kind"] == "APIGroup"
    assert (await fetch(http, "/version"))[1]["gitVersion"].startswith("v1.36.")


async def test_openapi_tells_that_writes_can_be_validated(http: aiohttp.ClientSession) -> None:
    _, index = await fetch(http, "/openapi/v3")
    _, apps = await fetch(http, index["paths"]["apis/apps/v1"]["serverRelativeURL"])

    path = apps["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]
    assert "fieldValidation" in {item["name"] for item in path["patch"]["parameters"]}


async def test_a_watch_goes_on_from_a_version_in_either_form(http: aiohttp.ClientSession) -> None:
    first = await create(http, "one")
    params = {"watch": "true", "resourceVersion": first["metadata"]["resourceVersion"]}
    async with http.get(MAPS, params=params) as plain, http.get(MAPS, params=params, headers=TABLE) as table:
        await create(http, "two")
        (event,), (row,) = await lines(plain, 1), await lines(table, 1)

    assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "two")
    assert (event["object"]["kind"], event["object"]["apiVersion"]) == ("ConfigMap", "v1")
    assert (row["type"], row["object"]["rows"][0]["cells"][0]) == ("ADDED", "two")


async def test_a_watch_may_begin_with_all_that_is_there(http: aiohttp.ClientSession) -> None:
    params = {"watch": "1", "sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
    async with http.get("/api/v1/nodes", params={**params, "allowWatchBookmarks": "true"}) as response:
        found = await lines(response, 4)

    assert [event["type"] for event in found] == ["ADDED", "ADDED", "ADDED", "BOOKMARK"]
    assert found[-1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_a_watch_from_a_forgotten_version_ends_with_an_error_event(http: aiohttp.ClientSession) -> None:
    async with http.get(MAPS, params={"watch": "1", "resourceVersion": "1"}) as response:
        (event,) = await lines(response, 1)
        rest = await response.content.read()

    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
    assert rest == b""


async def test_a_watch_ends_when_its_time_is_up(http: aiohttp.ClientSession) -> None:
    async with asyncio.timeout(5), http.get(MAPS, params={"watch": "1", "timeoutSeconds": "1"}) as response:
        text = await response.text()

    assert "kube-root-ca.crt" in text


async def test_the_server_stops_although_clients_are_watching() -> None:
    async with EmbeddedCluster(nodes=1) as cluster:
        headers = {"Authorization": f"Bearer {cluster.token}"}
        async with aiohttp.ClientSession(cluster.url, headers=headers) as session:
            response = await session.get(MAPS, params={"watch": "1"}, ssl=False)
            await lines(response, 1)
            async with asyncio.timeout(5):
                await cluster.__aexit__(None, None, None)
                rest = await response.content.read()
            response.close()

    assert rest == b""


async def test_the_log_tells_questions_from_writes(http: aiohttp.ClientSession, cluster: EmbeddedCluster) -> None:
    await create(http, "one", dryRun="All")
    assert [item for item in cluster.requests if item.writes] == []
    await create(http, "two")
    async with http.patch(f"{MAPS}/two", json={"dryRun": ["All"]}, headers={"Content-Type": MERGE}) as response:
        assert response.status == 200
    async with http.delete(f"{MAPS}/two", json={"dryRun": ["All"]}) as response:
        assert response.status == 200
    async with http.get(f"{MAPS}/two") as response:
        assert response.status == 200

    assert [(item.method, item.dry_run) for item in cluster.requests] == [
        ("POST", True),
        ("POST", False),
        ("PATCH", False),
        ("DELETE", True),
        ("GET", False),
    ]
    assert [item.method for item in cluster.requests if item.writes] == ["POST", "PATCH"]
    _, page = await fetch(http, "/debug/requests")
    assert tuple(page["requests"][0][key] for key in ("method", "user", "status")) == ("POST", "kubesteward-admin", 201)


MERGE = "application/merge-patch+json"


async def test_an_access_review_is_no_write(http: aiohttp.ClientSession, cluster: EmbeddedCluster) -> None:
    review = {"spec": {"resourceAttributes": {"verb": "list", "resource": "pods"}}}
    async with http.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", json=review) as response:
        assert (await response.json())["status"]["allowed"] is True

    assert [item.writes for item in cluster.requests] == [False]


async def test_warnings_and_retries_travel_in_headers(http: aiohttp.ClientSession) -> None:
    labels = {"metadata": {"labels": {"pod-security.kubernetes.io/warn": "restricted"}}}
    async with http.patch("/api/v1/namespaces/default", json=labels, headers={"Content-Type": MERGE}) as response:
        assert response.status == 200
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    async with http.post("/api/v1/namespaces/default/pods", json=pod) as response:
        assert "would violate PodSecurity" in response.headers["Warning"]


async def test_time_passes_and_pods_become_ready(http: aiohttp.ClientSession) -> None:
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    params = {"watch": "1", "fieldSelector": "metadata.name=p"}
    async with http.get("/api/v1/namespaces/default/pods", params=params) as watch:
        async with http.post("/api/v1/namespaces/default/pods", json=pod) as response:
            assert response.status == 201
        async with asyncio.timeout(5):
            while (await lines(watch, 1))[0]["object"]["status"]["phase"] != "Running":
                pass

    async with http.get("/api/v1/namespaces/default/pods/p/log", params={"tailLines": "1"}) as response:
        assert await response.text() == "c: ready to serve\n"
    _, usage = await fetch(http, "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods/p")
    assert usage["containers"][0]["name"] == "c"
    assert (await fetch(http, "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods/q"))[0] == 404
    assert len((await fetch(http, "/apis/metrics.k8s.io/v1beta1/nodes"))[1]["items"]) == 3


async def test_a_followed_log_ends_with_the_pod(http: aiohttp.ClientSession) -> None:
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    path = "/api/v1/namespaces/default/pods"
    async with http.get(path, params={"watch": "1", "fieldSelector": "metadata.name=p"}) as watch:
        await (await http.post(path, json=pod)).read()
        async with asyncio.timeout(5):
            while (await lines(watch, 1))[0]["object"]["status"]["phase"] != "Running":
                pass
    async with asyncio.timeout(5), http.get(f"{path}/p/log", params={"follow": "true"}) as response:
        first = await response.content.readline()
        await (await http.delete(f"{path}/p", params={"gracePeriodSeconds": "0"})).read()
        rest = await response.content.read()

    assert (first, rest) == (b"c: starting\n", b"c: ready to serve\n")


def test_the_kubeconfig_is_the_owners_alone_and_names_the_context(tmp_path: Path) -> None:
    file = tmp_path / "config"
    cluster = EmbeddedCluster(nodes=1)

    cluster.write_kubeconfig(file)

    written = json.loads(file.read_text())
    assert CONTEXT == written["current-context"] == "kubesteward-embedded"
    assert written["users"][0]["user"]["token"] == cluster.token
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]
