"""List and watch: pages, bookmarks, cuts and 410s end with what the server holds, and lose nothing on the way."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from tests.tools.cluster.apiserver import PATIENCE, ApiServer
from tests.tools.cluster.conftest import Seen

from kubesteward_tools.cluster.mirror import Mirror, pause
from kubesteward_tools.cluster.transport import Gone, ReadTransport
from kubesteward_tools.world.store import Event, Key
from kubesteward_tools.world.world import World

pytestmark = pytest.mark.anyio


async def test_a_list_comes_in_pages_and_is_whole(server: ApiServer, world: World) -> None:
    for number in range(1203):
        server.put("pods", f"p{number:04}")
    await world.ensure("pods")

    assert world.store.count("pods") == 1203
    assert [item.query.get("continue", "") for item in server.requests("pods", watches=False)] == ["", "500", "1000"]
    assert {"500"} == {item.query["limit"] for item in server.requests("pods", watches=False)}


async def test_a_watch_follows_from_the_lists_own_version(server: ApiServer, world: World, seen: Seen) -> None:
    server.put("pods", "a")
    server.put("pods", "b")
    await world.ensure("pods")
    await server.watched("pods")
    server.put("pods", "c")
    server.put("pods", "a", status={"phase": "Running"})
    server.delete("pods", "b")
    await seen.holds("pods", "a", "c")

    assert (world.store.get(Key("pods", "default", "a")) or {})["status"] == {"phase": "Running"}
    (watch,) = server.requests("pods", watches=True)
    assert (watch.query["resourceVersion"], watch.query["allowWatchBookmarks"]) == ("102", "true")


async def test_a_cut_watch_resumes_where_it_was_and_loses_no_event(server: ApiServer, world: World, seen: Seen) -> None:
    told: list[Event] = []
    world.store.subscribe(told.append)
    server.put("pods", "a")
    await world.ensure("pods")
    await server.watched("pods")
    before = server.put("pods", "b")
    await seen.holds("pods", "a", "b")
    server.cut("pods")
    server.put("pods", "c")
    server.delete("pods", "a")
    await seen.holds("pods", "b", "c")

    assert len(server.requests("pods", watches=False)) == 1
    assert before["metadata"]["resourceVersion"] == server.requests("pods", watches=True)[1].query["resourceVersion"]
    assert [(event.type, event.key.name) for event in told] == [
        ("ADDED", "a"),
        ("ADDED", "b"),
        ("ADDED", "c"),
        ("DELETED", "a"),
    ]


async def test_a_watch_goes_on_from_the_last_bookmark(server: ApiServer, world: World) -> None:
    await world.ensure("pods")
    await server.watched("pods")
    bookmark = server.bookmark("pods")
    server.end("pods")
    await server.watched("pods", 2)

    assert str(bookmark) == server.requests("pods", watches=True)[1].query["resourceVersion"]
    assert len(server.requests("pods", watches=False)) == 1


async def test_after_410_it_lists_again_and_ends_with_the_same_objects(
    server: ApiServer, world: World, seen: Seen
) -> None:
    server.put("pods", "stays")
    server.put("pods", "goes")
    await world.ensure("pods")
    await server.watched("pods")
    told: list[Event] = []
    world.store.subscribe(told.append)
    server.cut("pods")
    server.delete("pods", "goes")
    server.put("pods", "comes")
    server.forget()
    await seen.holds("pods", "stays", "comes")

    assert len(server.requests("pods", watches=False)) == 2
    assert [(event.type, event.key.name) for event in told] == [("ADDED", "comes"), ("DELETED", "goes")]


async def test_a_page_that_expires_begins_the_list_anew(server: ApiServer, world: World) -> None:
    for number in range(600):
        server.put("pods", f"p{number:03}")
    server.expire_continue = 1
    await world.ensure("pods")

    assert world.store.count("pods") == 600
    assert [item.query.get("continue", "") for item in server.requests("pods", watches=False)] == ["", "500", "", "500"]


async def test_a_server_that_fails_for_a_while_is_asked_again(server: ApiServer, world: World, seen: Seen) -> None:
    server.put("pods", "a")
    await world.ensure("pods")
    await server.watched("pods")
    server.answers["/api/v1/pods"] = lambda: web.Response(status=503, text="no")
    server.cut("pods")
    await server.watched("pods", 2)
    await server.watched("pods", 3)

    assert world.staleness() > 0
    assert seen.names("pods") == ["a"]
    del server.answers["/api/v1/pods"]
    server.put("pods", "b")
    await seen.holds("pods", "a", "b")
    assert world.staleness() == 0


async def test_an_event_that_makes_no_sense_is_followed_by_a_new_list(
    server: ApiServer, world: World, seen: Seen
) -> None:
    server.put("pods", "a")
    await world.ensure("pods")
    await server.watched("pods")
    server.answers["/api/v1/pods"] = lambda: web.Response(text="<html>\n")
    server.cut("pods")
    await server.watched("pods", 2)
    del server.answers["/api/v1/pods"]
    server.put("pods", "b")
    await seen.holds("pods", "a", "b")

    assert len(server.requests("pods", watches=False)) >= 2


async def test_objects_without_a_version_are_renewed_by_every_list(server: ApiServer, world: World) -> None:
    """Metrics and other computed kinds have none."""
    connection = world.connection
    assert connection is not None
    server.put("nodes", "n", version=False, spec={"podCIDR": "1"})
    await world.ensure("nodes")
    server.put("nodes", "n", version=False, spec={"podCIDR": "2"})
    transport = ReadTransport(connection)
    again = Mirror(transport, world.kind("nodes"), world.store)
    task = asyncio.create_task(again.run())
    async with asyncio.timeout(PATIENCE):
        await again.synced.wait()
    task.cancel()
    await asyncio.wait({task})
    await transport.close()

    assert world.store.objects("nodes")[0]["spec"] == {"podCIDR": "2"}


async def test_bulk_is_dropped_on_the_way_in(server: ApiServer, world: World) -> None:
    server.put("pods", "a", metadata={"managedFields": [{"manager": "kubectl"}]})
    await world.ensure("pods")

    (pod,) = world.store.objects("pods")
    assert (pod["kind"], pod["apiVersion"]) == ("Pod", "v1")
    assert "managedFields" not in pod["metadata"]


def test_waits_double_up_to_half_a_minute_with_jitter() -> None:
    assert [pause(tries, lambda: 1.0) for tries in (1, 2, 3, 4)] == [0.5, 1.0, 2.0, 4.0]
    assert (pause(60, lambda: 1.0), pause(60, lambda: 0.0)) == (30.0, 15.0)


async def test_a_server_that_was_restored_from_a_backup_is_listed_anew(
    server: ApiServer, world: World, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(Mirror.__init__.__kwdefaults__, "wait", lambda tries: 0.002)
    server.put("pods", "a")
    await world.ensure("pods")
    await server.watched("pods")
    server.restore(10)
    server.delete("pods", "a")
    server.put("pods", "b")
    server.cut("pods")
    await seen.holds("pods", "b")

    assert world.staleness() == 0


async def test_a_bookmark_of_an_earlier_time_brings_a_new_list(server: ApiServer, world: World, seen: Seen) -> None:
    server.put("pods", "a")
    await world.ensure("pods")
    await server.watched("pods")
    mirror = world.feeds._mirrors["pods", ""]
    event = mirror._intake.event(b'{"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "7"}}}')
    with pytest.raises(Gone, match="earlier"):
        mirror._apply(event)
