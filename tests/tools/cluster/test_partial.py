"""Whoever may not see everything sees what they may, and is told what that is."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tools.cluster import kubeconfigs
from tests.tools.cluster.apiserver import ApiServer
from tests.tools.cluster.conftest import Seen

from kubesteward_tools.cluster.clusters import Clusters
from kubesteward_tools.errors import Forbidden
from kubesteward_tools.lookup.scope import Scope, seen
from kubesteward_tools.world.world import World

pytestmark = pytest.mark.anyio


def filled(server: ApiServer) -> None:
    """One pod in each of three namespaces; pods may be listed in "default" and "shop" only."""
    for namespace in ("default", "shop", "vault"):
        server.put("pods", f"of-{namespace}", namespace)
    server.forbidden = {"pods", "vault/pods"}


async def test_the_namespace_of_the_context_is_looked_into(server: ApiServer, world: World) -> None:
    filled(server)
    await world.ensure("pods")

    assert [key.name for key in world.store.keys("pods")] == ["of-default"]
    assert world.feeds.seen_in == {"pods": ("default",)}
    assert "cannot list resource" in world.forbidden["pods"]
    assert (world.sees("pods", "default"), world.sees("pods", "shop")) == (True, False)


async def test_a_namespace_that_is_asked_for_is_looked_into_and_followed(
    server: ApiServer, world: World, seen: Seen
) -> None:
    filled(server)
    await world.ensure("pods", namespace="shop")
    server.put("pods", "later", "shop")
    await seen.until(lambda: set(seen.names("pods")) == {"of-default", "of-shop", "later"})

    assert world.feeds.seen_in == {"pods": ("default", "shop")}


async def test_a_namespace_that_may_not_be_read_is_not_among_those_that_are(server: ApiServer, world: World) -> None:
    filled(server)
    await world.ensure("pods", namespace="vault")

    assert world.feeds.seen_in == {"pods": ("default",)}


async def test_namespaces_of_the_settings_are_looked_into(server: ApiServer, tmp_path: Path) -> None:
    filled(server)
    path = kubeconfigs.write(tmp_path / "kubeconfig", {"lab": server.url}, token="t")
    clusters = Clusters.from_kubeconfig(path, namespaces=("shop",))
    world = await clusters.world()
    await world.ensure("pods")
    await clusters.close()

    assert world.feeds.seen_in == {"pods": ("default", "shop")}


async def test_an_answer_says_which_namespaces_it_speaks_of(server: ApiServer, world: World) -> None:
    filled(server)
    scope = Scope([world])
    await seen(scope, ["pods"], required="pods")

    (line,) = [line for line in scope.lines() if line.startswith("NOT SEEN")]
    assert line.startswith("NOT SEEN lab pods: seen in namespace default only, the rest is not: pods is forbidden")


async def test_an_answer_about_a_namespace_that_is_seen_lacks_nothing(server: ApiServer, world: World) -> None:
    filled(server)
    scope = Scope([world], "shop")
    await seen(scope, ["pods"], required="pods")

    assert scope.not_seen == {}


async def test_nothing_to_answer_from_is_refused_with_what_to_do(server: ApiServer, world: World) -> None:
    filled(server)

    with pytest.raises(Forbidden, match="pods is forbidden") as raised:
        await seen(Scope([world], "vault"), ["pods"], required="pods")
    assert "Name a namespace that you may read" in str(raised.value)


async def test_a_right_that_comes_is_noticed(server: ApiServer, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(server)
    await world.ensure("pods")
    monkeypatch.setattr("kubesteward_tools.world.feeds._ASK_AGAIN", 0)
    server.forbidden = set()
    await world.ensure("pods")

    assert [key.name for key in world.store.keys("pods")] == ["of-default", "of-shop", "of-vault"]
    assert (world.forbidden, world.feeds.seen_in) == ({}, {})
