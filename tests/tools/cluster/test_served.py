"""Kinds come and go while a world is watched: a new one can be asked for at once, one that is gone ages nothing."""

from __future__ import annotations

import asyncio

import pytest
from tests.tools.cluster.apiserver import PATIENCE, ApiServer, refusal
from tests.tools.cluster.conftest import Seen

from kubesteward_tools.cluster.clusters import Clusters
from kubesteward_tools.cluster.mirror import Mirror
from kubesteward_tools.errors import UnknownKind

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of seconds take milliseconds here."""
    monkeypatch.setattr("kubesteward_tools.world.served.AT_MOST_EVERY", 0.0)
    monkeypatch.setitem(Mirror.__init__.__kwdefaults__, "wait", lambda tries: 0.002)


async def test_a_kind_that_is_defined_later_is_found_without_a_restart(server: ApiServer, clusters: Clusters) -> None:
    server.gone = {"configmaps"}
    world = await clusters.world()
    with pytest.raises(UnknownKind):
        await world.known("configmaps")
    server.gone = set()
    server.put("configmaps", "a")
    found = await world.known("configmaps")
    await world.ensure(found.resource)

    assert [key.name for key in world.store.keys("configmaps")] == ["a"]


async def test_a_kind_whose_definition_went_is_unknown_and_comes_back(
    server: ApiServer, clusters: Clusters, seen: Seen
) -> None:
    world = await clusters.world()
    server.put("configmaps", "a")
    await world.ensure("configmaps", "pods")
    await server.watched("configmaps")
    server.gone = {"configmaps"}
    server.cut("configmaps")
    await seen.holds("configmaps")
    await server.until(world.feeds.gone)
    fresh = world.staleness()
    with pytest.raises(UnknownKind):
        await world.known("configmaps")
    server.gone = set()
    await world.known("configmaps")
    await world.ensure("configmaps")

    assert fresh == 0
    assert world.feeds.gone() == set()
    assert [key.name for key in world.store.keys("configmaps")] == ["a"]


async def test_kinds_that_are_gone_keep_out_no_others(server: ApiServer, clusters: Clusters) -> None:
    world = await clusters.world()
    server.gone = {"configmaps"}
    server.put("pods", "a")
    await world.ensure("configmaps", "pods")

    assert world.store.count("pods") == 1
    assert (world.staleness(), world.feeds.gone()) == (0, {"configmaps"})


async def test_a_cluster_that_does_not_tell_its_kinds_keeps_those_it_had(server: ApiServer, clusters: Clusters) -> None:
    world = await clusters.world()
    server.answers["/api"] = lambda: refusal(503, "the server is currently unable to handle the request")
    with pytest.raises(UnknownKind):
        await world.known("shelves")

    assert (await world.known("pods")).kind == "Pod"


async def test_a_kind_that_is_watched_stays_when_discovery_leaves_it_out(server: ApiServer, clusters: Clusters) -> None:
    world = await clusters.world()
    await world.ensure("pods")
    await server.watched("pods")
    server.gone = {"pods"}  # its watch stands
    with pytest.raises(UnknownKind):
        await world.known("shelves")

    assert (await world.known("pods")).kind == "Pod"


async def test_kinds_that_have_aged_are_asked_for_on_the_way(
    server: ApiServer, clusters: Clusters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubesteward_tools.world.served.AGES_IN", 0.0)
    world = await clusters.world()
    before = server.paths().count("/api/v1")
    await world.ensure("pods")
    await server.until(lambda: server.paths().count("/api/v1") > before)

    assert world.kind("pods").kind == "Pod"


async def test_a_kind_that_comes_back_is_seen_by_whoever_needs_it(server: ApiServer, clusters: Clusters) -> None:
    world = await clusters.world()
    server.gone = {"configmaps"}
    with pytest.raises(UnknownKind):
        await world.known("shelves")
    assert "configmaps" not in {kind.resource for kind in world.kinds.all()}
    server.gone = set()
    await world.ensure("configmaps")
    await server.until(lambda: server.paths().count("/api/v1") == 3)
    async with asyncio.timeout(PATIENCE):
        while not world.sees("configmaps", ""):
            await world.ensure("configmaps")
            await asyncio.sleep(0.001)

    assert world.kind("configmaps").kind == "ConfigMap"
