"""Overlays as resources: how well a cluster or an object is, in both eras, and told when it changes."""

from __future__ import annotations

import asyncio
import json
import socket
import warnings
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from mcp import Client, MCPError
from mcp.types import ResourceUpdatedNotification
from tests.server.mcp.fakes import CATALOGUE, FakeAudit, FakeGate
from tests.tools.desk import shop

from kubesteward.app import App
from kubesteward.mcp.http import make_application
from kubesteward.mcp.server import build
from kubesteward.settings import Settings
from kubesteward_tools.cluster.bundle import BundleSource
from kubesteward_tools.cluster.clusters import Clusters
from kubesteward_tools.cluster.discovery import Kinds
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.resources import BUILT_IN
from kubesteward_tools.world.store import Key

pytestmark = pytest.mark.anyio

ARN = "arn:aws:eks:eu-west-1:111122223333:cluster/shop"


def make_app(folder: Path, cluster: SimulatedCluster) -> App:
    """Two names for one simulated cluster."""
    kinds = Kinds(item for item in BUILT_IN if item.group != "metrics.k8s.io")
    clusters = Clusters.of({name: BundleSource(cluster.store, kinds, {}) for name in ("lab", ARN)})
    settings = Settings.load({}, state_dir=folder, principal="local:alice")
    return App(settings, tools=CATALOGUE, gate=FakeGate(), clusters=clusters, audit=FakeAudit())


PATIENCE = 10
WEB = "kubesteward://analysis/Deployment/shop/web"
CLUSTER = "kubesteward://world/lab/summary"


def crash(cluster: SimulatedCluster, reason: str = "CrashLoopBackOff") -> None:
    """One pod of web from now on."""
    key, pod = next(cluster.store.items("pods", "shop"))
    statuses = [{**item, "state": {"waiting": {"reason": reason}}} for item in pod["status"]["containerStatuses"]]
    conditions = [{"type": "Ready", "status": "False"}]
    status = {**pod["status"], "conditions": conditions, "containerStatuses": statuses}
    cluster.store.put(key, {**pod, "status": status})


def watched() -> list[str]:
    """The URIs of all watches that run."""
    return sorted(task.get_name()[6:] for task in asyncio.all_tasks() if task.get_name().startswith("watch "))


async def unwatched() -> None:
    """Every watch has ended, or does now."""
    ending = [task for task in asyncio.all_tasks() if task.get_name().startswith("watch ")]
    if ending:
        await asyncio.wait(ending, timeout=PATIENCE)

    assert watched() == []


class Subscriber:
    """A client of the handshake era that subscribes, and the URIs it was told of."""

    def __init__(self, client: Client, told: asyncio.Queue[str]) -> None:
        self.client = client
        self._told = told

    async def told(self) -> str:
        async with asyncio.timeout(PATIENCE):
            return await self._told.get()

    @property
    def waiting(self) -> int:
        return self._told.qsize()

    async def subscribe(self, uri: str) -> None:
        with quiet():
            await self.client.subscribe_resource(uri)

    async def unsubscribe(self, uri: str) -> None:
        with quiet():
            await self.client.unsubscribe_resource(uri)


def quiet() -> warnings.catch_warnings[None]:
    """The SDK warns of calls that are gone from the newer era."""
    return warnings.catch_warnings(action="ignore")


@asynccontextmanager
async def subscriber(app: App) -> AsyncIterator[Subscriber]:
    told: asyncio.Queue[str] = asyncio.Queue()

    async def hear(message: object) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            told.put_nowait(str(message.params.uri))

    async with Client(build(app), mode="legacy", message_handler=hear) as client:
        yield Subscriber(client, told)


async def read(client: Client, path: str) -> dict[str, Any]:
    (found,) = (await client.read_resource(f"kubesteward://{path}")).contents

    assert found.mime_type == "application/json"
    assert len(found.text.encode()) < 5000
    return dict(json.loads(found.text))


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_overlays_are_read(tmp_path: Path, mode: str) -> None:
    async with Client(build(make_app(tmp_path, shop())), mode=mode) as client:
        cluster = await read(client, "world/lab/summary")
        web = await read(client, "analysis/Deployment/shop/web")
        node = await read(client, "analysis/node/-/node-1")

    assert (cluster["health_score"], cluster["anomalies"]) == (100, [])
    assert cluster["scope"]["cluster"] == "lab"
    assert (web["object"], web["health_score"]) == ("Deployment/shop/web", 100)
    assert node["object"] == "Node/node-1"


async def test_a_cluster_is_named_in_the_address_or_is_the_current_one(tmp_path: Path) -> None:
    encoded = "arn%3Aaws%3Aeks%3Aeu-west-1%3A111122223333%3Acluster%2Fshop"
    async with Client(build(make_app(tmp_path, shop()))) as client:
        found = [
            (await read(client, path))["scope"]["cluster"]
            for path in (
                "world/-/summary",
                f"world/{encoded}/summary",
                f"world/{ARN}/summary",
                f"analysis/deploy/shop/web?cluster={encoded}",
                "analysis/deployments.apps/shop/web",
            )
        ]

    assert found == ["lab", ARN, ARN, ARN, "lab"]


async def test_templates_say_what_can_be_asked(tmp_path: Path) -> None:
    async with Client(build(make_app(tmp_path, shop()))) as client:
        found = {item.uri_template for item in (await client.list_resource_templates()).resource_templates}

    assert {
        "kubesteward://world/{cluster}/summary",
        "kubesteward://analysis/{kind}/{namespace}/{name}{?cluster}",
    } <= found


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("analysis/Deployment/shop/wep", "Did you mean 'web'"),
        ("analysis/Deploymint/shop/web", "Deployment"),
        ("world/lap/summary", "Did you mean lab"),
        ("analysis/Deployment/shop/web?cluster=lap", "Did you mean lab"),
    ],
)
async def test_what_is_not_there_is_refused_with_what_may_have_been_meant(
    tmp_path: Path, path: str, words: str
) -> None:
    async with Client(build(make_app(tmp_path, shop()))) as client:
        with pytest.raises(MCPError, match=words):
            await client.read_resource(f"kubesteward://{path}")


async def test_a_subscriber_is_told_when_the_overlay_is_another_one(tmp_path: Path) -> None:
    cluster = shop()
    async with subscriber(make_app(tmp_path, cluster)) as one:
        await one.subscribe(WEB)
        await one.subscribe(WEB)
        crash(cluster)

        assert await one.told() == WEB
        assert "crashing" in str((await read(one.client, "analysis/Deployment/shop/web"))["anomalies"])
        assert (one.waiting, watched()) == (0, [WEB])
    await unwatched()


async def test_who_has_unsubscribed_is_told_no_more_and_nothing_is_left_behind(tmp_path: Path) -> None:
    cluster = shop()
    async with subscriber(make_app(tmp_path, cluster)) as one:
        await one.subscribe(WEB)
        await one.subscribe(CLUSTER)
        await one.unsubscribe(WEB)
        await one.unsubscribe(WEB)
        crash(cluster)

        assert await one.told() == CLUSTER
        assert (one.waiting, watched()) == (0, [CLUSTER])
    await unwatched()


async def test_a_client_that_leaves_takes_its_watches_along(tmp_path: Path) -> None:
    cluster = shop()
    app = make_app(tmp_path, cluster)
    world = await app.clusters.world("lab")
    before = len(world.store._listeners)
    async with subscriber(app) as one, subscriber(app) as other:
        await one.subscribe(WEB)
        await other.subscribe(WEB)
        assert len(world.store._listeners) > before
    await unwatched()

    assert len(world.store._listeners) == before
    assert [task for task in asyncio.all_tasks() if task.get_name() == "resource updates"] == []


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("kubesteward://clusters", "Nothing at this URI"),
        ("kubesteward://analysis/Pod/shop/web?x=1", "Nothing at this URI"),
        ("https://example.com", "Nothing at this URI"),
        ("kubesteward://analysis/Deployment/shop/wep", "Did you mean 'web'"),
        ("kubesteward://world/lap/summary", "Did you mean lab"),
    ],
)
async def test_what_cannot_be_subscribed_to_is_refused(tmp_path: Path, uri: str, words: str) -> None:
    async with subscriber(make_app(tmp_path, shop())) as one:
        with pytest.raises(MCPError, match=words):
            await one.subscribe(uri)
        await unwatched()


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_subscriptions_are_announced(tmp_path: Path, mode: str) -> None:
    async with Client(build(make_app(tmp_path, shop())), mode=mode) as client:
        assert client.server_capabilities.resources is not None
        assert client.server_capabilities.resources.subscribe is True


async def test_subscriptions_of_one_client_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubesteward.mcp.subscriptions.MOST", 2)
    app = make_app(tmp_path, shop())
    async with subscriber(app) as one:
        await one.subscribe(WEB)
        await one.subscribe(CLUSTER)
        with pytest.raises(MCPError, match="At most 2 subscriptions"):
            await one.subscribe("kubesteward://analysis/node/-/node-1")
    async with Client(build(app)) as client, client.listen(resource_subscriptions=[WEB]):
        with pytest.raises(MCPError, match="At most 2 subscriptions"):
            async with client.listen(resource_subscriptions=[WEB, CLUSTER]):
                raise AssertionError
    await unwatched()


async def test_a_stream_of_the_newer_era_tells_the_same(tmp_path: Path) -> None:
    cluster = shop()
    async with Client(build(make_app(tmp_path, cluster))) as client:
        async with client.listen(resource_subscriptions=[WEB, CLUSTER, "kubesteward://clusters"]) as stream:
            crash(cluster)
            async with asyncio.timeout(PATIENCE):
                told = {(await anext(stream)).uri for _ in range(2)}  # type: ignore[union-attr] # updates are asked for

            assert told == {WEB, CLUSTER}
            assert watched() == sorted([WEB, CLUSTER])
        await unwatched()


async def test_an_object_that_goes_is_told_too(tmp_path: Path) -> None:
    cluster = shop()
    async with subscriber(make_app(tmp_path, cluster)) as one:
        await one.subscribe(WEB)
        cluster.store.delete(Key("deployments.apps", "shop", "web"))

        assert await one.told() == WEB
        with pytest.raises(MCPError, match="there is no Deployment 'web'"):
            await one.client.read_resource(WEB)


@asynccontextmanager
async def over_http(app: App) -> AsyncIterator[str]:
    """The URL of a server in this loop, so that what the test writes is heard."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(make_application(build(app), app.settings), log_level="warning", ws="none")
    server = Served(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    await server.ready.wait()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
    finally:
        server.should_exit = server.force_exit = True
        await serving
        listening.close()


class Served(uvicorn.Server):
    """Says when it listens, and leaves signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override] # a context manager either way
        return nullcontext()


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_subscribers_over_http_are_told_and_leave_nothing_behind(tmp_path: Path, mode: str) -> None:
    cluster = shop()
    told: asyncio.Queue[str] = asyncio.Queue()

    async def hear(message: object) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            told.put_nowait(str(message.params.uri))

    async with over_http(make_app(tmp_path, cluster)) as url, asyncio.timeout(PATIENCE):
        async with Client(url, mode=mode, message_handler=hear) as client:
            if mode == "legacy":
                await Subscriber(client, told).subscribe(WEB)
                crash(cluster)
                assert await told.get() == WEB
            else:
                async with client.listen(resource_subscriptions=[WEB]) as stream:
                    crash(cluster)
                    assert (await anext(stream)).uri == WEB  # type: ignore[union-attr] # updates are asked for
        await unwatched()


async def test_the_newer_era_has_streams_only(tmp_path: Path) -> None:
    async with Client(build(make_app(tmp_path, shop()))) as client:
        with quiet(), pytest.raises(MCPError, match="Method not found"):
            await client.subscribe_resource(WEB)

    assert watched() == []
