"""Worlds of live clusters: one kind or one cluster that fails never stops the others."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from aiohttp import web
from tests.tools.cluster import kubeconfigs
from tests.tools.cluster.apiserver import ApiServer, serving
from tests.tools.cluster.conftest import Seen

from kubesteward.embedded.server import EmbeddedCluster
from kubesteward_tools.cluster.clusters import Clusters
from kubesteward_tools.errors import ClusterUnreachable, SteadyError, Unauthorized, UnknownKind
from kubesteward_tools.lookup.scope import scoped
from kubesteward_tools.tool import Desk
from kubesteward_tools.world.world import TWIN_RESOURCES, World

pytestmark = pytest.mark.anyio


@pytest.fixture
def closed_port() -> str:
    """A URL at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
async def two(server: ApiServer, closed_port: str, tmp_path: Path) -> AsyncIterator[Clusters]:
    """The server as "lab", and a dead one."""
    path = kubeconfigs.write(tmp_path / "two", {"dead": closed_port, "lab": server.url}, token="t")
    made = Clusters.from_kubeconfig(path)
    yield made
    await made.close()


async def test_a_world_of_the_embedded_cluster_holds_what_a_rehearsal_needs(tmp_path: Path) -> None:
    async with EmbeddedCluster(nodes=3, scenario="healthy") as embedded:
        embedded.write_kubeconfig(tmp_path / "kubeconfig")
        clusters = Clusters.from_kubeconfig(tmp_path / "kubeconfig")
        world = await clusters.world()
        await world.ensure_for_rehearsal()
        version = await world.version()
        await clusters.close()

    real = embedded.simulated.store
    for resource in TWIN_RESOURCES:
        assert [key for key, _ in real.items(resource)] == [key for key, _ in world.store.items(resource)]
    assert (world.kind("deploy").kind, world.kind("deployments.apps").kind) == ("Deployment", "Deployment")
    assert version.startswith("v1.36.")
    assert world.forbidden == {}


async def test_a_forbidden_kind_is_noted_and_never_stops_the_others(server: ApiServer, world: World) -> None:
    server.forbidden = {"secrets", "nodes"}
    server.put("pods", "a")
    await world.ensure("pods", "secrets", "nodes")

    assert world.store.count("pods") == 1
    assert world.forbidden == {
        "secrets": 'secrets is forbidden: User "alice" cannot list resource "secrets".',
        "nodes": 'nodes is forbidden: User "alice" cannot list resource "nodes".',
    }


async def test_a_right_that_comes_later_is_used_by_the_next_question(server: ApiServer, world: World) -> None:
    server.forbidden = {"nodes"}
    server.put("nodes", "n")
    await world.ensure("nodes")
    assert list(world.forbidden) == ["nodes"]
    server.forbidden = set()
    await world.ensure("nodes")

    assert world.forbidden == {}
    assert world.store.count("nodes") == 1


async def test_a_right_that_is_taken_away_takes_the_objects_with_it(
    server: ApiServer, world: World, seen: Seen
) -> None:
    server.put("nodes", "n")
    await world.ensure("nodes")
    await server.watched("nodes")
    server.forbidden = {"nodes"}
    server.cut("nodes")
    await seen.holds("nodes")
    await world.ensure("nodes")

    assert list(world.forbidden) == ["nodes"]


async def test_many_may_ask_for_a_forbidden_kind_at_once(server: ApiServer, world: World) -> None:
    server.forbidden = {"nodes"}
    await asyncio.gather(*(world.ensure("nodes", "pods") for _ in range(5)))

    assert list(world.forbidden) == ["nodes"]


async def test_a_dead_server_is_one_sentence_and_blocks_no_other(two: Clusters, closed_port: str) -> None:
    dead, lab = await asyncio.gather(two.world("dead"), two.world("lab"), return_exceptions=True)

    assert isinstance(lab, World)
    assert isinstance(dead, ClusterUnreachable)
    assert dead.message.startswith("the API server of 'dead' does not answer (Cannot connect to host 127.0.0.1:")
    assert dead.message.count(". ") + 1 == 1
    assert [dead.message, "connected"] == [item.state for item in two.describe()]


async def test_a_server_that_never_answers_holds_up_nobody_else(server: ApiServer, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        silent = f"http://127.0.0.1:{mute.getsockname()[1]}"
        path = kubeconfigs.write(tmp_path / "mute", {"mute": silent, "lab": server.url}, token="t")
        clusters = Clusters.from_kubeconfig(path)
        waiting = asyncio.create_task(clusters.world("mute"))
        async with asyncio.timeout(5):
            world = await clusters.world("lab")
            await world.ensure("pods")
        assert not waiting.done()
        waiting.cancel()
        await asyncio.wait({waiting})
        await clusters.close()


async def test_a_server_that_comes_back_is_found_by_the_next_question(tmp_path: Path, closed_port: str) -> None:
    path = kubeconfigs.write(tmp_path / "kubeconfig", {"lab": closed_port}, token="t")
    clusters = Clusters.from_kubeconfig(path)
    with pytest.raises(ClusterUnreachable):
        await clusters.world()
    async with serving(int(closed_port.rpartition(":")[2])):
        await clusters.world()

        assert [item.state for item in clusters.describe()] == ["connected"]
        await clusters.close()


async def test_a_server_that_dies_leaves_what_is_known_and_its_age(server: ApiServer, world: World, seen: Seen) -> None:
    server.put("pods", "a")
    await world.ensure("pods")
    await server.watched("pods")
    server.answers["/api/v1/pods"] = lambda: web.Response(status=500)
    server.cut("pods")
    await server.watched("pods", 2)
    await server.watched("pods", 3)
    await world.ensure("pods")

    assert seen.names("pods") == ["a"]
    assert world.staleness() > 0


async def test_a_kind_that_was_never_seen_makes_no_other_half_a_century_old(server: ApiServer, world: World) -> None:
    await world.ensure("pods")
    server.answers["/api/v1/nodes"] = lambda: web.Response(status=500)
    with pytest.raises(SteadyError):
        await world.ensure("nodes")

    assert world.as_of() > 1_700_000_000
    assert world.staleness() == 0


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("<html>Log in</html>", "does not speak JSON"),
        ("null", "does not speak JSON"),
        ('["v1"]', "does not speak JSON"),
        ("{}", "is no Kubernetes API"),
    ],
)
async def test_an_address_that_is_no_api_server_is_said_to_be_none(
    server: ApiServer, clusters: Clusters, answer: str, sentence: str
) -> None:
    for path in ("/api", "/apis"):
        server.answers[path] = lambda: web.Response(text=answer, content_type="application/json")

    with pytest.raises(SteadyError, match=sentence):
        await clusters.world()


async def test_one_dead_api_group_hides_no_other(server: ApiServer, clusters: Clusters) -> None:
    groups = [{"name": "metrics.k8s.io", "versions": [{"version": "v1beta1"}]}]
    server.answers["/apis"] = lambda: web.json_response({"kind": "APIGroupList", "groups": groups})
    server.answers["/apis/metrics.k8s.io/v1beta1"] = lambda: web.Response(status=503)

    assert (await clusters.world()).kind("po").kind == "Pod"


async def test_kinds_are_found_by_any_name_and_unknown_ones_name_the_nearest(world: World) -> None:
    assert {"Pod"} == {world.kind(name).kind for name in ("pod", "Pods", "po", "v1/Pod", " POD ")}
    with pytest.raises(UnknownKind, match=r"this cluster has no kind 'pdo'. Did you mean Pod\?"):
        world.kind("pdo")
    with pytest.raises(UnknownKind, match="Ask for a kind such as Pod"):
        world.kind("quux")


async def test_credentials_that_are_refused_are_said_to_be(server: ApiServer, clusters: Clusters) -> None:
    server.tokens = {"another"}
    with pytest.raises(Unauthorized, match=r"'lab' does not accept the credentials. Log in again"):
        await clusters.world()


async def test_secret_values_never_enter_the_store(server: ApiServer, world: World, seen: Seen) -> None:
    value, other = "c2VzYW1lLW9wZW4=", "b3RoZXItc2VjcmV0"
    copy = json.dumps({"data": {"password": value}})
    annotations = {
        "kubectl.kubernetes.io/last-applied-configuration": copy,
        "kapp.k14s.io/original": copy,
        "objectset.rio.cattle.io/applied": "H4sIAAAAAAAA/" + value,
        "team": "shop",
    }
    server.put("secrets", "s", data={"password": value}, metadata={"annotations": annotations})
    server.put("secrets", "t", data={"password": value})
    await world.ensure("secrets")
    await server.watched("secrets")
    server.put("secrets", "u", data={"password": other}, stringData={"plain": "sesame-open"})
    await seen.holds("secrets", "s", "t", "u")

    text = json.dumps(world.store.objects("secrets"))
    assert not [item for item in (value, other, "sesame-open") if item in text]
    first, second, third = world.store.objects("secrets")
    assert first["metadata"]["annotations"] == {"team": "shop"}
    assert first["data"]["password"] == second["data"]["password"] != third["data"]["password"]
    assert sorted(third["data"]) == ["password", "plain"]


async def test_closing_ends_every_watch_and_may_be_done_twice(server: ApiServer, clusters: Clusters) -> None:
    world = await clusters.world()
    async with asyncio.timeout(5):
        await world.ensure("pods", "nodes", "secrets")
        await clusters.close()
        await clusters.close()

    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("mirror")]


async def test_a_cluster_that_hangs_is_left_out_and_still_being_connected(
    server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubesteward_tools.lookup.scope.CONNECTING", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        silent = f"http://127.0.0.1:{mute.getsockname()[1]}"
        path = kubeconfigs.write(tmp_path / "mute", {"mute": silent, "lab": server.url}, token="t")
        clusters = Clusters.from_kubeconfig(path)
        desk = cast("Desk", SimpleNamespace(clusters=clusters))
        async with asyncio.timeout(5):
            found = [await scoped(desk, "", ["*"]) for _ in range(2)]
        under_way = [task for task in asyncio.all_tasks() if task.get_name() == "reach mute"]
        await clusters.close()

    assert [[world.cluster for world in scope.worlds] for scope in found] == [["lab"], ["lab"]]
    assert [list(scope.not_seen) for scope in found] == [["mute"], ["mute"]]
    assert [task.cancelled() for task in under_way] == [True]
