"""The read-only transport: what it refuses before a byte leaves, what it never follows, and how it says no."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from tests.tools.cluster import kubeconfigs
from tests.tools.cluster.apiserver import ApiServer, refusal, serving

from kubesteward_tools.cluster.connection import connect
from kubesteward_tools.cluster.transport import Gone, ReadTransport, Silent
from kubesteward_tools.errors import (
    AskAgain,
    AskDifferently,
    ClusterUnreachable,
    Forbidden,
    InvalidArguments,
    ObjectNotFound,
    SteadyError,
    Unauthorized,
)

pytestmark = pytest.mark.anyio

SSAR = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@pytest.fixture
async def transport(server: ApiServer, tmp_path: Path) -> AsyncIterator[ReadTransport]:
    path = kubeconfigs.write(tmp_path / "kubeconfig", {"lab": server.url}, token="t")
    made = ReadTransport(await connect("lab", str(path), "lab"))
    yield made
    await made.close()


async def test_it_reads_and_asks_for_rights(server: ApiServer, transport: ReadTransport) -> None:
    assert await transport.get("/version") == {"gitVersion": "v1.36.2"}
    assert True is (await transport.review(SSAR, {"spec": {}}))["status"]["allowed"]
    assert [(item.method, item.path, item.authorization) for item in server.asked] == [
        ("GET", "/version", "Bearer t"),
        ("POST", SSAR, "Bearer t"),
    ]


@pytest.mark.parametrize("path", ["/api/v1/namespaces", "/apis/apps/v1/deployments", f"{SSAR}/x", "/api/v1/pods"])
async def test_it_posts_to_nothing_but_access_reviews(server: ApiServer, transport: ReadTransport, path: str) -> None:
    with pytest.raises(ValueError, match="does not POST"):
        await transport.review(path, {})

    assert server.asked == []


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/default/pods/p/exec",
        "/api/v1/namespaces/default/pods/p/attach",
        "/api/v1/namespaces/default/pods/p/portforward",
        "/api/v1/namespaces/default/pods/p:80/proxy/admin",
        "/api/v1/namespaces/default/services/https:s:443/proxy",
        "/api/v1/nodes/n/proxy/run/default/p/c",
        "/api/v1/namespaces/default/pods/../secrets/s",
        "/api/v1/./secrets",
        "/api//v1/secrets",
        "/api/v1/pods?watch=true",
        "/api/v1/pods#x",
        "/api/v1/%2e%2e/logs",
        "/logs/kube-apiserver.log",
        "/debug/pprof",
        "/metrics",
        "/",
        "",
        "//elsewhere.example/api",
        "@elsewhere.example/api",
        "http://elsewhere.example/api",
        "/api/v1/pods\r\nHost: elsewhere.example",
    ],
)
async def test_paths_outside_the_api_or_that_act_are_refused_before_a_byte_leaves(
    server: ApiServer, transport: ReadTransport, path: str
) -> None:
    for ask in (transport.get, transport.read):
        with pytest.raises(InvalidArguments):
            await ask(path)
    with pytest.raises(InvalidArguments):
        await anext(transport.lines(path, {}))

    assert server.asked == []


@pytest.mark.parametrize("path", ["/api/v1/namespaces/proxy/pods/exec", "/api/v1/namespaces/n/services/proxy"])
async def test_objects_may_be_called_like_what_connects(server: ApiServer, transport: ReadTransport, path: str) -> None:
    with pytest.raises(ObjectNotFound):
        await transport.get(path)

    assert [path] == server.paths()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirections_are_not_followed(server: ApiServer, transport: ReadTransport, status: int) -> None:
    async with serving() as elsewhere:
        where = {"Location": f"{elsewhere.url}/version"}
        server.answers["/version"] = lambda: web.Response(status=status, headers=where)
        with pytest.raises(AskDifferently, match="'lab' answered with a redirection, which is not followed"):
            await transport.get("/version")

        assert elsewhere.asked == []


@pytest.mark.parametrize(
    ("status", "error", "retry"),
    [
        (400, AskDifferently, False),
        (401, Unauthorized, False),
        (403, Forbidden, False),
        (404, ObjectNotFound, False),
        (410, Gone, True),
        (429, AskAgain, True),
        (500, AskAgain, True),
        (503, AskAgain, True),
    ],
)
async def test_refusals_keep_the_servers_words(
    server: ApiServer, transport: ReadTransport, status: int, error: type[SteadyError], retry: bool
) -> None:
    server.answers["/version"] = lambda: refusal(status, "because of that")
    with pytest.raises(error) as caught:
        await transport.get("/version")

    assert retry is caught.value.retry
    assert status == 401 or "because of that" in caught.value.message


async def test_a_refusal_without_a_status_is_told_by_its_number(server: ApiServer, transport: ReadTransport) -> None:
    server.answers["/version"] = lambda: web.Response(status=502, text="<html>Bad gateway</html>")

    with pytest.raises(AskAgain, match="'lab' answered: HTTP 502"):
        await transport.get("/version")


async def test_a_stream_without_a_word_is_taken_for_dead(server: ApiServer, transport: ReadTransport) -> None:
    lines = transport.lines("/api/v1/pods", {"watch": "true", "resourceVersion": "1"}, silence=0.05)
    assert await anext(lines) == b""

    with pytest.raises(Silent, match="'lab' has been silent"):
        await anext(lines)


async def test_a_body_that_is_cut_is_an_unreachable_server(tmp_path: Path) -> None:
    async def break_off(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}")
        writer.close()

    async with await asyncio.start_server(break_off, "127.0.0.1", 0) as breaking:
        url = f"http://127.0.0.1:{breaking.sockets[0].getsockname()[1]}"
        path = kubeconfigs.write(tmp_path / "kubeconfig", {"lab": url}, token="t")
        transport = ReadTransport(await connect("lab", str(path), "lab"))
        with pytest.raises(ClusterUnreachable, match="the API server of 'lab' does not answer"):
            await transport.get("/version")
        await transport.close()


async def test_closing_twice_is_harmless(transport: ReadTransport) -> None:
    await transport.get("/version")
    await transport.close()
    await transport.close()
