"""History says only what happened: not what a lost right hides, not what nobody watched."""

from __future__ import annotations

import asyncio

import pytest
from tests.tools.cluster.apiserver import ApiServer, refusal
from tests.tools.cluster.conftest import Seen

from kubesteward_policies.ref import Ref
from kubesteward_tools.world.changes import told
from kubesteward_tools.world.store import Key
from kubesteward_tools.world.world import World

pytestmark = pytest.mark.anyio


def told_of(world: World, name: str) -> list[str]:
    return [told(item).text for item in world.history.changes(0, 2e12, lambda key: key.name == name)]


async def test_a_right_that_is_lost_deletes_nothing(server: ApiServer, world: World, seen: Seen) -> None:
    server.put("nodes", "n")
    await world.ensure("nodes")
    await server.watched("nodes")
    server.forbidden = {"nodes"}
    server.cut("nodes")
    await seen.holds("nodes")

    assert told_of(world, "n") == []


async def test_an_object_that_was_replaced_unseen_is_told_as_another_one(
    server: ApiServer, world: World, seen: Seen
) -> None:
    server.put("nodes", "n", spec={"podCIDR": "a"})
    await world.ensure("nodes")
    await server.watched("nodes")
    server.delete("nodes", "n")
    server.put("nodes", "n", metadata={"uid": "other"}, spec={"podCIDR": "a"})
    await seen.until(lambda: (facts := world.store.facts(Key("nodes", "", "n"))) and facts.uid == "other")
    watched = told_of(world, "n")
    server.answers["/api/v1/nodes"] = lambda: refusal(503, "the server is currently unable to handle the request")
    server.cut("nodes")
    server.delete("nodes", "n")
    server.put("nodes", "n", metadata={"uid": "third"}, spec={"podCIDR": "a"})
    server.forget()
    server.answers.clear()
    await seen.until(lambda: (facts := world.store.facts(Key("nodes", "", "n"))) and facts.uid == "third")

    assert watched == ["created", "deleted"]
    assert told_of(world, "n") == ["deleted and created again", "created", "deleted"]


async def test_the_state_before_anybody_watched_is_not_known(server: ApiServer, world: World) -> None:
    server.put("nodes", "n")
    before = world.history.begins + 0.001
    await asyncio.sleep(0.01)
    await world.ensure("nodes")
    with pytest.raises(ValueError, match="later"):
        world.state_at(Ref("lab", "", "Node", "", "n"), before)

    assert world.state_at(Ref("lab", "", "Node", "", "n"), world.watched_since("nodes") + 0.001) is not None
