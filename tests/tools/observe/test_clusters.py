"""Many clusters in one question: whichever fails is named, and the others answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.tools.desk import TestDesk, shop

from kubesteward_tools.catalog import load_tools
from kubesteward_tools.cluster.bundle import BundleSource
from kubesteward_tools.cluster.clusters import Clusters
from kubesteward_tools.cluster.discovery import Kinds
from kubesteward_tools.cluster.sets import parse
from kubesteward_tools.errors import ClusterUnreachable, InvalidArguments, SteadyError, UnknownCluster
from kubesteward_tools.lookup.scope import each, scoped
from kubesteward_tools.tool import Answer
from kubesteward_tools.twin.resources import BUILT_IN
from kubesteward_tools.world.store import Store
from kubesteward_tools.world.world import World

pytestmark = pytest.mark.anyio

TOOLS = load_tools()


class Dead(BundleSource):
    """Does not answer."""

    async def kinds(self) -> Kinds:
        raise ClusterUnreachable("prod-us did not answer.", todo="Ask again later.")


@pytest.fixture
def desk() -> TestDesk:
    made = TestDesk(Store())
    kinds = Kinds(item for item in BUILT_IN if item.group != "metrics.k8s.io")
    sources = {name: BundleSource(shop(1).store, kinds, {}) for name in ("dev", "prod-eu")}
    made.clusters = Clusters.of({**sources, "prod-us": Dead(Store(), kinds, {})})
    made.clusters.sets = parse("prod=prod-*;both=dev,prod-eu")
    return made


async def ask(desk: TestDesk, tool: str, **arguments: Any) -> Answer:
    answer = await TOOLS[tool].function(desk, **arguments)
    assert isinstance(answer, Answer)
    return answer


@pytest.mark.parametrize(
    ("words", "answering", "silent"),
    [
        (["@both"], {"dev", "prod-eu"}, set()),
        (["@prod"], {"prod-eu"}, {"prod-us"}),
        (["*"], {"dev", "prod-eu"}, {"prod-us"}),
        (["d?v", "prod-us", "nobody"], {"dev"}, {"prod-us", "nobody"}),
    ],
)
async def test_those_that_answer_do_and_the_others_are_named(
    desk: TestDesk, words: list[str], answering: set[str], silent: set[str]
) -> None:
    answer = await ask(desk, "list_resources", kind="deploy", clusters=words)

    assert {item["cluster"] for item in answer.data["scope"]["clusters"]} == answering
    assert set(answer.data["scope"]["not_seen"]) == silent
    assert all(f"NOT SEEN {name}: " in answer.text for name in silent)


async def test_a_set_that_is_not_there_is_an_error_before_anybody_is_asked(desk: TestDesk) -> None:
    with pytest.raises(UnknownCluster, match="There are: @both, @prod"):
        await ask(desk, "list_resources", kind="deploy", clusters=["dev", "@production"])


async def test_one_cluster_cannot_be_named_by_a_set(desk: TestDesk) -> None:
    for word in ("@prod", "prod-*"):
        with pytest.raises(UnknownCluster, match="Patterns and sets go into clusters="):
            await ask(desk, "list_resources", kind="deploy", cluster=word)
    with pytest.raises(InvalidArguments, match="exclude each other"):
        await ask(desk, "list_resources", kind="deploy", cluster="dev", clusters=["@both"])


async def test_all_clusters_are_asked_at_once(desk: TestDesk) -> None:
    scope = await scoped(desk, "", ["@both"])
    together = asyncio.Barrier(2)

    async def meet(world: World) -> str:
        async with asyncio.timeout(5):
            await together.wait()
        return world.cluster

    assert [name for _, name in await each(scope, meet)] == ["dev", "prod-eu"]


async def test_a_cluster_that_fails_while_it_is_asked_is_named(desk: TestDesk) -> None:
    scope = await scoped(desk, "", ["@both"])

    async def fail(world: World) -> str:
        if world.cluster == "dev":
            raise SteadyError("dev is gone.")
        return world.cluster

    assert [name for _, name in await each(scope, fail)] == ["prod-eu"]
    assert scope.not_seen == {"dev": "dev is gone."}


async def test_a_cluster_that_hangs_does_not_use_up_the_time_of_the_others(
    desk: TestDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hanging(Dead):
        async def kinds(self) -> Kinds:
            await asyncio.Event().wait()
            raise AssertionError

    monkeypatch.setattr("kubesteward_tools.lookup.scope.CONNECTING", 0.05)
    desk.clusters._sources["prod-us"] = Hanging(Store(), Kinds([]), {})
    scope = await scoped(desk, "", ["@prod"])

    assert [world.cluster for world in scope.worlds] == ["prod-eu"]
    assert scope.not_seen == {"prod-us": "'prod-us' has not answered within 0 s."}


async def test_clusters_and_sets_are_listed(desk: TestDesk) -> None:
    await desk.clusters.world("dev")
    answer = await ask(desk, "list_clusters")

    assert answer.data["sets"] == {"@both": ["dev", "prod-eu"], "@prod": ["prod-*"]}
    assert "@both: dev, prod-eu" in answer.text
    (dev, *others) = answer.data["clusters"]
    assert {"as_of", "staleness_seconds", "not_seen", "version"} <= set(dev)
    assert [item["state"] for item in others] == ["not connected", "not connected"]
