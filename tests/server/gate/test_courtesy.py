"""Readers go first, and nobody is starved."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from kubesteward.gate import courtesy
from kubesteward.gate.courtesy import Courtesy
from kubesteward.middleware.call import Call, Reply
from kubesteward.middleware.courtesy import readers_first
from kubesteward_tools.catalog import load_tools

pytestmark = pytest.mark.anyio


@pytest.mark.requirement("gate.readers-first")
async def test_a_turn_waits_until_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courtesy, "YIELDING", 5.0)
    manners, order = Courtesy(), list[str]()

    async def propose() -> None:
        await manners.turn()
        order.append("proposal")

    with manners.reading():
        task = asyncio.create_task(propose())
        for _ in range(5):
            await asyncio.sleep(0)
        order.append("reader")
    await asyncio.wait_for(task, 5)

    assert order == ["reader", "proposal"]


@pytest.mark.requirement("gate.readers-first")
async def test_readers_who_never_end_starve_no_proposal() -> None:
    manners = Courtesy()
    with manners.reading():
        await asyncio.wait_for(asyncio.gather(*(manners.turn() for _ in range(3))), 5)


@pytest.mark.requirement("gate.readers-first")
async def test_one_rehearsal_runs_at_a_time() -> None:
    manners, running, most = Courtesy(), 0, 0

    async def rehearse() -> None:
        nonlocal running, most
        async with manners.rehearsing():
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    await asyncio.gather(*(rehearse() for _ in range(10)))

    assert most == 1


@pytest.mark.requirement("gate.readers-first")
async def test_a_rehearsal_stops_while_somebody_reads_and_goes_on_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courtesy, "YIELDING", 5.0)
    monkeypatch.setattr(courtesy, "SLICE", 0.0)
    manners, passed = Courtesy(), threading.Event()
    async with manners.rehearsing() as between:

        def rehearse() -> None:
            between()
            passed.set()

        with manners.reading():
            task = asyncio.create_task(asyncio.to_thread(rehearse))
            await asyncio.sleep(0)
            before = passed.is_set()
        await asyncio.wait_for(task, 5)

    assert (before, passed.is_set()) == (False, True)


@pytest.mark.requirement("gate.readers-first")
async def test_a_rehearsal_waits_only_so_long_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courtesy, "SLICE", 0.0)
    monkeypatch.setattr(courtesy, "YIELDING", 0.001)
    monkeypatch.setattr(courtesy, "PATIENCE", 0.01)
    manners = Courtesy()
    async with manners.rehearsing() as between:
        with manners.reading():
            began = time.monotonic()
            for _ in range(10_000):
                between()

    assert time.monotonic() - began < 5


@pytest.mark.requirement("gate.readers-first")
@pytest.mark.parametrize(
    ("tool", "counts"), [("list_resources", True), ("get_action", False), ("scale_workload", False)]
)
async def test_what_reads_is_counted_but_for_waiting(tool: str, counts: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    manners, seen = Courtesy(), list[bool]()
    monkeypatch.setattr(courtesy, "COURTESY", manners)

    async def proceed(_: Call) -> Reply:
        seen.append(bool(manners._readers))
        return Reply("")

    from kubesteward.gate.case import Caller

    await readers_first(Call(tool, load_tools()[tool], {}, Caller("local:alice")), proceed)

    assert ([counts], 0) == (seen, manners._readers)
