"""An API server for each test, and worlds that end with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from tests.tools.cluster import kubeconfigs
from tests.tools.cluster.apiserver import PATIENCE, ApiServer, serving

from kubesteward_tools.cluster.clusters import Clusters
from kubesteward_tools.world.world import World


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    async with serving() as running:
        yield running


@pytest.fixture
async def clusters(server: ApiServer, tmp_path: Path) -> AsyncIterator[Clusters]:
    """The clusters of a kubeconfig that names only the server, as "lab"."""
    made = Clusters.from_kubeconfig(kubeconfigs.write(tmp_path / "kubeconfig", {"lab": server.url}, token="t"))
    yield made
    await made.close()


@pytest.fixture
async def world(clusters: Clusters) -> World:
    return await clusters.world()


class Seen:
    """Waits for what a world's store shows."""

    def __init__(self, world: World) -> None:
        self._changed = asyncio.Event()
        self._world = world
        world.store.subscribe(lambda _: self._changed.set())

    def names(self, resource: str) -> list[str]:
        return [key.name for key, _ in self._world.store.items(resource)]

    async def until(self, right: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not right():
                self._changed.clear()
                await self._changed.wait()

    async def holds(self, resource: str, *names: str) -> None:
        await self.until(lambda: self.names(resource) == sorted(names))


@pytest.fixture
async def seen(world: World) -> Seen:
    return Seen(world)
