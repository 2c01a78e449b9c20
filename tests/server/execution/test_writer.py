"""The writing client against a server that misbehaves in every way that decides whether something has changed."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kubesteward.execution.answers import Conflict, OutcomeUnknown
from kubesteward.execution.apply import Writer, preconditioned
from kubesteward_policies.change import JSON_PATCH, MERGE_PATCH, ApiCall
from kubesteward_policies.ref import Ref
from kubesteward_tools.cluster.connection import connect
from kubesteward_tools.errors import ClusterUnreachable, Forbidden, SteadyError

pytestmark = pytest.mark.anyio

PATH = "/apis/apps/v1/namespaces/shop/deployments/web"
WEB = Ref(cluster="c", group="apps", kind="Deployment", namespace="shop", name="web")
CALL = ApiCall("patch", PATH, WEB, {"spec": {"replicas": 2}}, MERGE_PATCH)

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Fake:
    """`seen` are the requests, as method, query and body."""

    answer: Answer
    seen: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.seen.append((request.method, dict(request.query), json.loads(body) if body else None))
        self.tokens.append(request.headers.get("Authorization", ""))
        return await self.answer(request)


@contextlib.asynccontextmanager
async def writing(folder: Path, answer: Answer) -> AsyncIterator[tuple[Writer, Fake]]:
    fake = Fake(answer)
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", fake.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    (folder / "token").write_text("first")
    writer = Writer(await connect("c", str(kubeconfig(folder, runner.addresses[0][1])), "c"))
    try:
        yield writer, fake
    finally:
        await writer.close()
        await runner.cleanup()


def kubeconfig(folder: Path, port: int) -> Path:
    path = folder / "kubeconfig"
    content = {
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "c", "user": {"tokenFile": str(folder / "token")}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
        "current-context": "c",
    }
    path.write_text(json.dumps(content))
    return path


def saying(status: int, **body: Any) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(body, status=status)

    return answer


async def hang_up(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def test_a_change_is_sent_on_condition_and_a_question_as_a_question(tmp_path: Path) -> None:
    async with writing(tmp_path, saying(200, kind="Deployment")) as (writer, fake):
        await writer.dry_run(CALL)
        await writer.apply(CALL, "41")

    assert fake.seen == [
        ("PATCH", {"dryRun": "All", "fieldManager": "kubesteward"}, {"spec": {"replicas": 2}}),
        (
            "PATCH",
            {"fieldManager": "kubesteward"},
            {"spec": {"replicas": 2}, "metadata": {"resourceVersion": "41"}},
        ),
    ]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (409, {"reason": "Conflict", "message": "the object has been modified"}, Conflict),
        (409, {"reason": "AlreadyExists", "message": "it exists"}, SteadyError),
        (403, {"message": "forbidden: no"}, Forbidden),
        (422, {"message": "is invalid"}, SteadyError),
        (301, {}, SteadyError),
    ],
)
async def test_a_refusal_means_that_nothing_has_changed(
    tmp_path: Path, status: int, body: dict[str, str], error: type[SteadyError]
) -> None:
    async with writing(tmp_path, saying(status, **body)) as (writer, fake):
        with pytest.raises(error) as refused:
            await writer.apply(CALL)

    assert not isinstance(refused.value, OutcomeUnknown)
    assert len(fake.seen) == 1


@pytest.mark.parametrize("answer", [saying(500), saying(502), saying(504), hang_up], ids=["500", "502", "504", "cut"])
async def test_a_lost_answer_to_a_change_leaves_its_outcome_unknown(tmp_path: Path, answer: Answer) -> None:
    async with writing(tmp_path, answer) as (writer, fake):
        with pytest.raises(OutcomeUnknown, match="did not say what became of the call"):
            await writer.apply(CALL)

    assert len(fake.seen) == 1


async def test_a_lost_answer_to_a_question_is_just_no_answer(tmp_path: Path) -> None:
    async with writing(tmp_path, hang_up) as (writer, _):
        with pytest.raises(ClusterUnreachable):
            await writer.dry_run(CALL)


async def test_a_server_that_is_not_there_has_changed_nothing(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("first")
    writer = Writer(await connect("c", str(kubeconfig(tmp_path, 1)), "c"))
    with pytest.raises(ClusterUnreachable):
        await writer.apply(CALL)
    await writer.close()


async def test_a_change_is_made_with_renewed_credentials(tmp_path: Path) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.headers["Authorization"] == "Bearer first":
            (tmp_path / "token").write_text("second")
            return web.json_response({}, status=401)
        return web.json_response({})

    async with writing(tmp_path, answer) as (writer, fake):
        await writer.apply(CALL)

    assert fake.tokens == ["Bearer first", "Bearer second"]


async def test_no_change_follows_a_kubeconfig_to_another_server(tmp_path: Path) -> None:
    async with writing(tmp_path, saying(200)) as (_, other):
        elsewhere = (tmp_path / "kubeconfig").read_text()

        async def moved(_: web.Request) -> web.Response:
            (tmp_path / "kubeconfig").write_text(elsewhere)
            return web.json_response({}, status=401)

        async with writing(tmp_path, moved) as (writer, fake):
            with pytest.raises(ClusterUnreachable, match="another API server"):
                await writer.apply(CALL)

    assert len(fake.seen) == 1
    assert other.seen == []


async def test_what_is_not_there_is_read_as_none(tmp_path: Path) -> None:
    async with writing(tmp_path, saying(404, message="not found")) as (writer, _):
        found = await writer.read(PATH)

    assert found is None


def test_every_kind_of_call_carries_its_condition() -> None:
    deletion = ApiCall("delete", PATH, WEB, {"preconditions": {"uid": "u"}}, "")
    patch = ApiCall("patch", PATH, WEB, [{"op": "remove", "path": "/spec/paused"}], JSON_PATCH)

    assert preconditioned(deletion, "7") == {"preconditions": {"uid": "u", "resourceVersion": "7"}}
    assert preconditioned(patch, "7")[-1] == {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"}
    assert preconditioned(CALL, "") == CALL.body
