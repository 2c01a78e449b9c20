"""Long readings let others have their turn."""

from __future__ import annotations

import asyncio
import time

import pytest
from tests.tools.diagnosis import lab

from kubesteward_tools.cluster.bundle import of_objects
from kubesteward_tools.lookup.paced import SLICE, each, turns
from kubesteward_tools.world.store import Key

pytestmark = pytest.mark.anyio


async def test_others_have_their_turn_as_soon_as_a_slice_is_used_up() -> None:
    others = 0

    async def other() -> None:
        nonlocal others
        while True:
            others += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    seen = []
    async for item in turns(range(6)):
        seen.append(item)
        time.sleep(SLICE)  # noqa: ASYNC251 - work that keeps the loop
    task.cancel()

    assert seen == [0, 1, 2, 3, 4, 5]
    assert others >= 6


async def test_what_goes_while_it_is_read_is_left_out() -> None:
    store = of_objects([lab.node("a"), lab.node("b"), lab.node("c")]).store
    seen = []
    async for key, obj in each(store, "nodes"):
        store.delete(Key("nodes", "", "b"))
        seen.append((key.name, obj["metadata"]["name"]))

    assert seen == [("a", "a"), ("c", "c")]
