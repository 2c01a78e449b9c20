"""What changed: told from the history of a cluster that is watched, and from what the objects of a saved one tell."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
import yaml
from mcp import Client
from tests.e2e.desk import Desk, opened, text_of
from tests.tools.world.objects import deployment, obj

from kubesteward.app import App
from kubesteward.mcp.server import build
from kubesteward.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(tmp_path: Path) -> Any:
    async with opened(tmp_path) as made:
        yield made


async def changes(client: Client, **arguments: Any) -> list[dict[str, Any]]:
    result = await client.call_tool("what_changed", arguments)
    assert not result.is_error, text_of(result)
    return list((result.structured_content or {})["changes"])


@contextlib.asynccontextmanager
async def awaited(desk: Desk, name: str) -> AsyncIterator[None]:
    """To be left when the world has heard of a write to the object of this name."""
    heard = anyio.Event()
    store = (await desk.app.clusters.world(None)).store
    end = store.subscribe(lambda event: heard.set() if event.key.name == name else None)
    yield
    with anyio.fail_after(10):
        await heard.wait()
    end()


async def test_the_rollout_that_broke_it_is_told_from_before_anybody_watched(desk: Desk) -> None:
    async with desk.client() as client:
        found = await changes(client, resource="deploy/checkout", namespace="shop")

    (rollout,) = [item for item in found if item["kind"] == "rollout" and "96Mi" in item["what"]]
    assert "containers[checkout].resources.limits.memory 256Mi -> 96Mi" in rollout["what"]
    assert rollout["object"] == "Deployment/checkout"
    assert any(item["kind"] == "container" and "OOMKilled" in item["what"] for item in found)


async def test_what_is_done_meanwhile_is_told_once_and_first(desk: Desk) -> None:
    async with desk.client() as client:
        await changes(client, namespace="shop")
        scaled = {"kind": "Deployment", "name": "web", "namespace": "shop", "replicas": 4, "dry_run": False}
        async with awaited(desk, "web"):
            assert text_of(await client.call_tool("scale_workload", scaled)).startswith("EXECUTED")
        found = await changes(client, resource="deploy/web", namespace="shop", since="5m")

    assert (found[-1]["object"], found[-1]["kind"], found[-1]["what"]) == ("Deployment/web", "scale", "replicas 3 -> 4")


async def test_an_object_is_told_with_what_it_depends_on(desk: Desk) -> None:
    async with desk.client() as client:
        await changes(client)
        api = desk.cluster.simulated.api
        async with awaited(desk, "node-1"):
            api.patch("nodes", "", "node-1", {"spec": {"unschedulable": True}}, "application/merge-patch+json")
            desk.cluster.wake()
        found = await changes(client, resource="node/node-1", since="5m")

    assert {(item["kind"], item["what"]) for item in found} >= {("node", "cordoned")}


async def test_bad_questions_are_answered_with_what_to_ask_instead(desk: Desk) -> None:
    async with desk.client() as client:
        turned = await client.call_tool("what_changed", {"since": "10m", "until": "1h"})
        nobody = await client.call_tool("what_changed", {"resource": "deploy/chekout", "namespace": "shop"})

    assert "until is not after since" in text_of(turned)
    assert "Did you mean 'checkout'?" in text_of(nobody)


async def test_a_saved_cluster_tells_of_its_own_time(tmp_path: Path) -> None:
    above, middle, *rest = deployment("web")
    born = {"creationTimestamp": "2026-01-01T10:00:00Z"}
    older = {**middle, "metadata": {**middle["metadata"], "name": "web-0", "uid": "old"}}
    sets = [
        {**item, "metadata": {**item["metadata"], **born, "annotations": {"deployment.kubernetes.io/revision": number}}}
        for item, number in ((older, "1"), (middle, "2"))
    ]
    sets[1]["spec"] = {**sets[1]["spec"], "template": {"spec": {"containers": [{"name": "app", "image": "app:2"}]}}}
    warning = obj(
        "Event",
        "e",
        type="Warning",
        reason="Unhealthy",
        message="probe failed",
        lastTimestamp="2026-01-01T10:05:00Z",
        involvedObject={"kind": "Pod", "namespace": "shop", "name": "web-1-0"},
    )
    (tmp_path / "dump.yaml").write_text(yaml.safe_dump_all([above, *sets, *rest, warning]))
    app = App.build(Settings(state_dir=tmp_path / "state", bundle=tmp_path / "dump.yaml"))
    async with Client(build(app)) as client:
        found = await changes(client, resource="deploy/web", namespace="shop", since="1h")

    assert [(item["kind"], item["object"]) for item in found] == [
        ("warning", "Pod/web-1-0"),
        ("rollout", "Deployment/web"),
    ]
    assert "containers[app].image app:1 -> app:2" in found[1]["what"]
