"""Own sampling: lazy, in rounds, learning what is usual, and ended by nothing but the world's end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.tools.desk import shop
from tests.tools.world.metrics.test_baselines import Kept
from tests.tools.world.metrics.usage import NOW, MetricsServer, node, pod

from kubesteward_tools.world.metrics.baselines import Baselines, Bucket, hour_of_week
from kubesteward_tools.world.metrics.intake import measured
from kubesteward_tools.world.metrics.sampler import PERIOD, SAVING, Sampler
from kubesteward_tools.world.metrics.samples import Samples
from kubesteward_tools.world.store import Key, Store

pytestmark = pytest.mark.anyio


class Rounds:
    """A sampler whose clock is moved by hand: each round waits until the test lets the next one begin."""

    def __init__(self, store: Store | None = None, kept: Kept | None = None) -> None:
        self.now = NOW
        self.server = MetricsServer()
        self.samples = Samples()
        self.baselines = Baselines("lab", kept)
        self.sampler = Sampler(
            self.server, store or Store(), self.samples, self.baselines, now=lambda: self.now, pause=self._pause
        )
        self._paused = asyncio.Event()
        self._next = asyncio.Event()

    async def _pause(self, seconds: float) -> None:
        assert seconds == PERIOD
        self._paused.set()
        await self._next.wait()
        self._next.clear()
        self.now += seconds

    async def round(self) -> None:
        """Let one round pass."""
        self._paused.clear()
        self.sampler.begin()
        self._next.set()
        async with asyncio.timeout(5):
            await self._paused.wait()

    async def close(self) -> None:
        await self.sampler.close()


async def test_nothing_is_asked_before_it_begins_and_nothing_after_it_ends() -> None:
    rounds = Rounds()
    assert rounds.server.asked == []
    await rounds.sampler.sample()
    await rounds.close()
    await rounds.close()

    assert rounds.server.asked == [("pods", ""), ("nodes", "")]


async def test_each_round_adds_what_is_new() -> None:
    rounds = Rounds()
    for cpu in ("100m", "200m", "200m"):
        rounds.server.pods = [pod("web-1", rounds.now, cpu)]
        rounds.server.nodes = [node("n1", NOW)]
        await rounds.sampler.sample()
        rounds.now += PERIOD

    assert [value for _, value in rounds.samples.points("cpu", Key("pods", "shop", "web-1"))] == pytest.approx(
        [0.1, 0.2, 0.2]
    )
    assert len(rounds.samples.points("memory", Key("nodes", "", "n1"))) == 1
    assert len(rounds.samples.points("cpu", Key("namespaces", "", "shop"))) == 3


async def test_no_error_ends_it() -> None:
    rounds = Rounds()
    rounds.server.down = True
    await rounds.round()
    failure = rounds.sampler.failure
    rounds.server.down, rounds.server.crash = False, True
    await rounds.round()
    rounds.server.crash, rounds.server.pods = False, [pod("web-1", rounds.now)]
    await rounds.round()
    await rounds.round()
    await rounds.close()

    assert failure is not None
    assert "unable to handle" in failure.message
    assert rounds.sampler.failure is None
    assert len(rounds.samples.points("cpu", Key("pods", "shop", "web-1"))) == 1


async def test_where_the_whole_cluster_may_not_be_asked_the_namespaces_in_question_are() -> None:
    rounds = Rounds()
    rounds.server.wide, rounds.server.pods = False, [pod("web-1", NOW), pod("x", NOW, namespace="other")]
    await rounds.sampler.sample()
    refused = rounds.sampler.failure
    rounds.sampler.namespaces.add("shop")
    await rounds.sampler.sample()

    assert refused is not None
    assert rounds.sampler.failure is None
    assert [key.name for key in rounds.samples.keys("cpu", "pods")] == ["web-1"]


async def test_workloads_namespaces_and_nodes_have_baselines() -> None:
    store = shop(2).store
    names = [item["metadata"]["name"] for item in store.objects("pods", "shop")]
    rounds, hour = Rounds(store), hour_of_week(NOW)
    for _ in range(2):  # the second round brings no news and is not counted
        rounds.server.pods = [pod(name, NOW) for name in names] + [pod("unknown", NOW)]
        rounds.server.nodes = [node("n1", NOW)]
        await rounds.sampler.sample()
    usual = {
        subject: rounds.baselines.usual("cpu", subject, NOW)
        for subject in ("shop/Deployment/web", "Namespace/shop", "Node/n1")
    }

    assert {name: (found.count, round(found.mean, 6)) for name, found in usual.items()} == {
        "shop/Deployment/web": (1, 0.2),
        "Namespace/shop": (1, 0.3),
        "Node/n1": (1, 1.0),
    }
    assert hour == hour_of_week(NOW + 60)


async def test_what_was_learnt_is_saved_every_ten_minutes_and_at_the_end() -> None:
    kept = Kept()
    rounds, bucket = Rounds(kept=kept), Bucket("cpu", "Node/n1", hour_of_week(NOW))
    for _ in range(SAVING):
        rounds.server.nodes = [node("n1", rounds.now)]
        await rounds.round()
    await rounds.round()
    saved = kept.rows[bucket].count
    kept.full = True
    await rounds.close()  # a store that is full does not keep the world from ending

    assert saved >= SAVING - 1
    assert rounds.baselines.usual("cpu", "Node/n1", NOW).count >= saved


@pytest.mark.parametrize(
    "item",
    [
        None,
        {},
        {"metadata": {}},
        {"metadata": {"name": "a"}, "containers": None},
        {"metadata": {"name": "a"}, "containers": [{}]},
        {"metadata": None},
        "text",
    ],
)
def test_what_is_malformed_is_passed_over(item: Any) -> None:
    found = list(measured("pods", [item, pod("web-1", NOW)], NOW))

    assert [one.key.name for one in found] == ["web-1"]


def test_odd_quantities_and_times_are_passed_over() -> None:
    odd = pod("a", NOW, cpu="much", memory="1Mi")
    odd["timestamp"] = "yesterday"
    early = pod("b", NOW + 500)
    first, second = measured("pods", [odd, early], NOW)

    assert (first.at, first.total("cpu"), first.total("memory")) == (NOW, None, 2.0**20)
    assert second.at == NOW
