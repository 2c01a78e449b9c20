"""A world under everything that goes wrong: in the end it is what a fresh list shows, and nothing was left behind."""

from __future__ import annotations

import asyncio
import gc
import random
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.tools.cluster import kubeconfigs
from tests.tools.cluster.apiserver import PATIENCE, ApiServer, refusal, serving

from kubesteward_tools.cluster.clusters import Clusters
from kubesteward_tools.cluster.mirror import Mirror
from kubesteward_tools.errors import SteadyError
from kubesteward_tools.world.graph import Graph
from kubesteward_tools.world.store import Key
from kubesteward_tools.world.world import World

KINDS = ("pods", "secrets", "configmaps", "nodes")
NAMES = [f"n{number}" for number in range(12)]
SPACES = ("default", "shop")
Step = tuple[str, str, str, str]

ACTIONS = ["put"] * 8 + ["delete"] * 3 + ["heal"] * 3 + ["breathe"] * 2
ACTIONS += ["cut", "end", "forget", "bookmark", "fail", "garble", "expire", "forbid", "remove"]
steps = st.tuples(
    st.sampled_from(ACTIONS),
    st.sampled_from(KINDS),
    st.sampled_from(SPACES),
    st.sampled_from(NAMES),
)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of seconds take milliseconds here."""
    monkeypatch.setattr("kubesteward_tools.world.feeds._ASK_AGAIN", 0.05)
    monkeypatch.setattr("kubesteward_tools.world.served.AT_MOST_EVERY", 0.01)
    monkeypatch.setitem(Mirror.__init__.__kwdefaults__, "wait", lambda tries: 0.002 * min(tries, 5))


def fields(kind: str, number: int, space: str, name: str) -> dict[str, object]:
    if kind == "pods":
        labels = {"app": f"a{number % 3}"}
        volume = {"name": "c", "configMap": {"name": NAMES[number % len(NAMES)]}}
        return {"metadata": {"labels": labels}, "spec": {"nodeName": NAMES[number % 5], "volumes": [volume]}}
    if kind in {"configmaps", "secrets"}:
        return {"data": {"key": str(number)}}
    return {"spec": {"podCIDR": str(number)}}


def take(server: ApiServer, step: Step, number: int) -> None:
    """One second of the life of a cluster and of the network before it."""
    what, kind, space, name = step
    path = f"/api/v1/{kind}"
    if what == "put":
        server.put(kind, name, space, **fields(kind, number, space, name))
    elif what == "delete" and (space if kind != "nodes" else "", name) in server.objects(kind):
        server.delete(kind, name, space)
    elif what == "fail":
        server.answers[path] = lambda: refusal(503, "the server is currently unable to handle the request")
    elif what == "garble":
        server.answers[path] = lambda: web.Response(text="<html>\n")
    elif what == "heal":
        mend(server)
    elif what == "expire":
        server.expire_continue += 1
    elif what == "forbid":
        server.forbidden ^= {kind}
    elif what == "remove":
        server.gone ^= {kind}
    elif what in {"cut", "end"}:
        getattr(server, what)(kind)
    elif what == "forget":
        server.forget()
    elif what == "bookmark":
        server.bookmark(kind)


def mend(server: ApiServer) -> None:
    server.answers.clear()
    server.forbidden.clear()
    server.gone.clear()


@asynccontextmanager
async def watched(server: ApiServer) -> AsyncIterator[World]:
    with tempfile.TemporaryDirectory() as folder:
        clusters = Clusters.from_kubeconfig(kubeconfigs.write(Path(folder) / "k", {"lab": server.url}, token="t"))
        try:
            yield await clusters.world()
        finally:
            await clusters.close()


async def live(server: ApiServer, world: World, life: Sequence[Step]) -> None:
    """Somebody asks all the while; answers may be refusals, and never anything else."""
    for number, step in enumerate(life):
        take(server, step, number)
        if step[0] in {"breathe", "cut", "heal"}:
            with suppress(SteadyError):
                await world.ensure(*KINDS)
            await asyncio.sleep(0.003)


async def recover(server: ApiServer, world: World) -> None:
    """Wait until the world shows what the server has; raises TimeoutError when it does not come to that."""
    mend(server)
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(SteadyError):
                await world.ensure(*KINDS)
            if all(world.sees(kind, "") and shown(world, kind) == there(server, kind) for kind in KINDS):
                return
            await asyncio.sleep(0.01)


def shown(world: World, kind: str) -> dict[Key, str]:
    return {key: facts.version for key, facts in world.store.known(kind)}


def there(server: ApiServer, kind: str) -> dict[Key, str]:
    found = server.objects(kind)
    return {Key(kind, space, name): obj["metadata"]["resourceVersion"] for (space, name), obj in found.items()}


def check_graph(world: World) -> None:
    """The graph that lived through it all is that of the objects that are there."""
    fresh = Graph(world.store, lambda group, kind: None, world.sees)
    keys = [key for kind in KINDS for key in world.store.keys(kind)]
    assert [world.graph.around(key) for key in keys] == [fresh.around(key) for key in keys]
    assert world.graph.size() == fresh.size()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, max_size=60))
def test_whatever_happens_the_world_ends_as_what_a_fresh_list_shows(life: list[Step]) -> None:
    async def run() -> None:
        before = len(asyncio.all_tasks())
        async with serving() as server:
            async with watched(server) as world:
                await live(server, world, life)
                await recover(server, world)
                check_graph(world)
                assert len([task for task in asyncio.all_tasks() if task.get_name().startswith("mirror")]) == len(KINDS)
            assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("mirror")]
        assert len(asyncio.all_tasks()) <= before + 1  # the server's own clean-up

    anyio.run(run)


@pytest.mark.slow
def test_half_an_hour_of_it_leaves_no_task_and_no_memory_behind() -> None:
    """1,800 steps of a second each, the pauses shortened; the second half must not take more than the first left."""
    chance = random.Random(7)
    life = [
        (chance.choice(ACTIONS), chance.choice(KINDS), chance.choice(SPACES), chance.choice(NAMES)) for _ in range(1800)
    ]
    held = list[int]()

    async def run() -> None:
        async with serving() as server, watched(server) as world:
            for start in range(0, len(life), 300):
                await live(server, world, life[start : start + 300])
                await recover(server, world)
                check_graph(world)
                server.asked.clear()
                server.forget_history()
                gc.collect()
                held.append(len(gc.get_objects()))
            assert len([task for task in asyncio.all_tasks() if task.get_name().startswith("mirror")]) == len(KINDS)
            assert world.history.size()[0] > 0

    anyio.run(run)

    assert max(held[3:]) <= 1.1 * max(held[:3])
