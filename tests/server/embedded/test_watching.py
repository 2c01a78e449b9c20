"""The watch cache replays what it remembers, follows what comes, and says so when it has forgotten."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kubesteward.embedded.watching import WatchCache
from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.world.store import Key, Store

pytestmark = pytest.mark.anyio


def write(store: Store, name: str, namespace: str = "a", **labels: str) -> None:
    store.revision += 1
    store.put(Key("pods", namespace, name), {"metadata": {"name": name, "labels": labels}, "spec": {}})


def delete(store: Store, name: str) -> None:
    store.revision += 1
    store.delete(Key("pods", "a", name))


def every(_: Any) -> bool:
    return True


async def read(cache: WatchCache, count: int, revision: int = 0, namespace: str = "", keep: Any = every) -> list[Any]:
    events = cache.follow("pods", namespace, revision, keep)
    async with asyncio.timeout(5):
        found = [await anext(events) for _ in range(count)]
    return [(kind, obj["metadata"]["name"]) for kind, obj in found]


async def test_a_watch_from_a_version_sees_what_came_after_it() -> None:
    store = Store()
    cache = WatchCache(store)
    write(store, "one")
    write(store, "two")
    write(store, "one")
    delete(store, "two")

    assert await read(cache, 3, revision=1) == [("ADDED", "two"), ("MODIFIED", "one"), ("DELETED", "two")]


async def test_a_watch_waits_for_what_is_to_come() -> None:
    store = Store()
    cache = WatchCache(store)
    reading = asyncio.ensure_future(read(cache, 1))
    await asyncio.sleep(0)
    write(store, "late")

    assert await reading == [("ADDED", "late")]


async def test_a_watch_of_one_namespace_sees_no_other() -> None:
    store = Store()
    cache = WatchCache(store)
    write(store, "there", namespace="b")
    write(store, "here")

    assert await read(cache, 1, namespace="a") == [("ADDED", "here")]


async def test_an_object_that_leaves_the_selection_is_deleted_for_the_watcher() -> None:
    store = Store()
    cache = WatchCache(store)
    write(store, "p", app="web")
    write(store, "p", app="other")
    write(store, "p", app="web")

    def keep(obj: Any) -> bool:
        return bool(obj["metadata"]["labels"].get("app") == "web")

    assert await read(cache, 3, keep=keep) == [("ADDED", "p"), ("DELETED", "p"), ("ADDED", "p")]


async def test_a_version_that_is_forgotten_is_answered_410() -> None:
    store = Store()
    cache = WatchCache(store, history=3)
    for number in range(7):
        write(store, f"p{number}")

    with pytest.raises(ApiError, match=r"too old resource version: 2 \(4\)") as caught:
        await read(cache, 1, revision=2)
    assert (caught.value.code, caught.value.reason) == (410, "Expired")
    assert await read(cache, 3, revision=4) == [("ADDED", "p4"), ("ADDED", "p5"), ("ADDED", "p6")]


async def test_a_reader_that_falls_behind_what_is_remembered_is_told() -> None:
    store = Store()
    cache = WatchCache(store, history=3)
    write(store, "first")
    events = cache.follow("pods", "", 0, every)
    await anext(events)
    for number in range(20):
        write(store, f"p{number}")

    with pytest.raises(ApiError, match="too old resource version"):
        await anext(events)


async def test_closing_ends_every_watch() -> None:
    cache = WatchCache(Store())
    events = cache.follow("pods", "", 0, every)
    waiting = asyncio.ensure_future(anext(events, None))
    await asyncio.sleep(0)
    cache.close()

    async with asyncio.timeout(5):
        assert await waiting is None
