"""Live updates: states and times, never a text of anybody."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest
from tests.server.console.visitor import Desk
from tests.server.gate.lab import Lab, label

from kubesteward.console import events

pytestmark = pytest.mark.anyio


async def test_a_stream_tells_what_is_new_and_nothing_twice(tmp_path: Path) -> None:
    lab, rounds = Lab(tmp_path), []
    action = await lab.propose(label("IGNORE-ALL"))
    seconds = iter([9.0, 9.0, 8.0, 8.0, 8.0])

    async def pause(_: float) -> bool:
        rounds.append(1)
        if len(rounds) == 4:
            lab.gate.actions.reject(action.id, "somebody")
        return len(rounds) == 5

    found = [text async for text in events.stream(lab.gate.actions, lambda: action.expires - next(seconds), pause)]
    told = [json.loads(text.removeprefix("data: ")) for text in found]

    assert [item["left"] for item in told] == [{action.id: "9 s"}, {action.id: "8 s"}, {}]
    assert [item["digests"] for item in told] == [{action.id: action.digest}, {action.id: action.digest}, {}]
    assert told[0]["stamp"] == told[1]["stamp"] != told[2]["stamp"]
    assert "IGNORE" not in "".join(found)
    assert all(text.count("\n") == 2 and text.endswith("\n\n") for text in found)
    await lab.gate.close()


async def test_a_stream_ends_when_the_page_does(tmp_path: Path) -> None:
    lab, ending = Lab(tmp_path), asyncio.Event()
    stream = events.stream(lab.gate.actions, time.time, events.until(ending))
    first = await anext(stream)
    ending.set()

    assert first.startswith("data: ")
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    await lab.gate.close()


async def test_a_store_that_cannot_be_read_is_no_end_of_the_stream(tmp_path: Path) -> None:
    lab, ending = Lab(tmp_path), asyncio.Event()
    lab.store.close()
    ending.set()
    found = [text async for text in events.stream(lab.gate.actions, time.time, events.until(ending))]

    assert [json.loads(text[6:])["stamp"] for text in found] == [""]


async def test_only_who_is_in_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LONGEST", 1)
    monkeypatch.setattr(events, "EVERY", 0.0)
    async with Desk(tmp_path) as desk:
        stranger = await desk.visitor.get("/events")
        await desk.enter()
        answer = await desk.visitor.get("/events")
        monkeypatch.setattr(events, "STREAMS", 0)
        full = await desk.visitor.get("/events")

    assert [stranger.status_code, answer.status_code, full.status_code] == [401, 200, 429]
    assert answer.headers["content-type"].startswith("text/event-stream")
