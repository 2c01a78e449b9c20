"""Watches tell of differences, not too often, and leave nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from kubesteward.watches import Watches
from kubesteward_tools.errors import ClusterUnreachable

pytestmark = pytest.mark.anyio

URI = "kubesteward://world/lab/summary"


@dataclass
class Thing:
    """Something that is looked at; a write changes it and tells."""

    mark: str = "0"
    looks: int = 0
    failing: bool = False
    seen: asyncio.Event = field(default_factory=asyncio.Event)
    listeners: list[Callable[[], None]] = field(default_factory=list)

    async def look(self, _: str) -> Thing:
        self.looks += 1
        self.seen.set()
        if self.failing:
            raise ClusterUnreachable("lab does not answer.")
        return self

    def listen(self, changed: Callable[[], None]) -> Callable[[], None]:
        self.listeners.append(changed)
        return lambda: self.listeners.remove(changed)

    def write(self, mark: str) -> None:
        self.mark = mark
        for listener in self.listeners:
            listener()

    async def looked(self) -> None:
        self.seen.clear()
        async with asyncio.timeout(5):
            await self.seen.wait()


class Told(list[str]):
    """What was told, and a way to wait for more of it."""

    def __init__(self) -> None:
        super().__init__()
        self._more = asyncio.Event()

    def __call__(self, uri: str) -> None:
        self.append(uri)
        self._more.set()

    async def more(self) -> None:
        async with asyncio.timeout(5):
            await self._more.wait()
        self._more.clear()


async def test_a_difference_is_told_to_all_who_hold_it() -> None:
    thing, one, other = Thing(), Told(), Told()
    watches = Watches(thing.look, pause=0.0)
    releases = [await watches.hold(URI, tell) for tell in (one, other)]
    thing.write("1")
    await one.more()
    await other.more()

    assert (one, other, len(watches)) == ([URI], [URI], 1)
    for release in releases:
        release()


async def test_what_is_written_and_changes_nothing_is_not_told() -> None:
    thing, told = Thing(), Told()
    watches = Watches(thing.look, pause=0.0)
    release = await watches.hold(URI, told)
    for _ in range(3):
        thing.write("0")
        await thing.looked()
    thing.write("1")
    await told.more()

    assert told == [URI]
    release()


async def test_a_burst_of_writes_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    thing, told, pauses, go = Thing(), Told(), list[float](), asyncio.Event()

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await go.wait()

    monkeypatch.setattr("kubesteward.watches.asyncio.sleep", sleep)
    watches = Watches(thing.look, pause=1.0)
    release = await watches.hold(URI, told)
    thing.write("1")
    await told.more()
    for number in range(2, 100):
        thing.write(str(number))

    assert (told, thing.looks) == ([URI], 2)
    go.set()
    await told.more()
    assert told == [URI, URI]
    assert min(pauses) >= 1.0
    release()


async def test_the_last_who_lets_go_ends_the_watch() -> None:
    thing = Thing()
    watches = Watches(thing.look, pause=0.0)
    first, second = [await watches.hold(URI, Told()) for _ in range(2)]
    before = asyncio.all_tasks()
    first()
    first()
    assert (len(watches), len(thing.listeners)) == (1, 1)
    second()
    ending = [task for task in before if task.get_name() == f"watch {URI}"]
    await asyncio.gather(*ending, return_exceptions=True)

    assert (len(watches), thing.listeners) == (0, [])
    assert [task.cancelled() for task in ending] == [True]


async def test_who_gives_up_before_the_first_look_holds_nothing() -> None:
    async def look(_: str) -> Thing:
        await asyncio.Event().wait()
        raise AssertionError

    watches = Watches(look)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await watches.hold(URI, Told())

    assert len(watches) == 0


async def test_who_does_not_wait_for_the_first_look_is_told_of_it() -> None:
    thing, told, synced = Thing(), Told(), asyncio.Event()

    async def look(uri: str) -> Thing:
        await synced.wait()
        return await thing.look(uri)

    watches = Watches(look, pause=0.0)
    release = await watches.hold(URI, told, patience=0.0)
    assert told == []
    synced.set()
    await told.more()

    assert told == [URI]
    release()


async def test_a_cluster_that_comes_back_is_told() -> None:
    thing, told = Thing(failing=True), Told()
    watches = Watches(thing.look, pause=0.0, tick=0.01)
    release = await watches.hold(URI, told)
    assert isinstance(watches.failure(URI), ClusterUnreachable)
    thing.failing = False
    await told.more()

    assert (told, watches.failure(URI)) == ([URI], None)
    release()


async def test_a_fault_in_looking_does_not_end_the_watch(caplog: pytest.LogCaptureFixture) -> None:
    thing, told, faults = Thing(), Told(), [ValueError("a fault of ours")]

    async def look(uri: str) -> Thing:
        if faults:
            raise faults.pop()
        return await thing.look(uri)

    watches = Watches(look, pause=0.0, tick=0.01)
    release = await watches.hold(URI, told)
    await told.more()

    assert told == [URI]
    assert "cannot be told" in caplog.text
    release()
