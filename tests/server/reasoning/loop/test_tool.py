"""The tool `investigate` and its resources, as a client of either era sees them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from tests.server.mcp.test_approval import Person
from tests.server.reasoning.loop.incident import QUESTION, app_in
from tests.server.reasoning.loop.scripted import Scripted, says

from kubesteward.app import App
from kubesteward.gate.case import Caller
from kubesteward.mcp.server import build
from kubesteward.reasoning.brains.base import Ask, Event, TextDelta, Usage
from kubesteward_tools.errors import ObjectNotFound, Refused

pytestmark = pytest.mark.anyio


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    made = app_in(tmp_path)
    yield made
    await made.close()


async def told(client: Client, given: dict[str, Any]) -> dict[str, Any]:
    """The data of an answer."""
    return dict((await client.call_tool("investigate", given)).structured_content or {})


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_it_answers_and_tells_how_far_it_is(app: App, mode: str) -> None:
    heard: list[str] = []

    async def progress(_done: float, _total: float | None, message: str | None) -> None:
        heard.append(message or "")

    async with Client(build(app), mode=mode) as client:
        answer = await client.call_tool("investigate", {"question": QUESTION, "wait": 25}, progress_callback=progress)

    data = dict(answer.structured_content or {})
    assert not answer.is_error
    assert (data["status"], data["root_cause"]["category"]) == ("ANSWERED", "OOMKilled")
    assert [line for line in heard if line.startswith("hypotheses: ")]


@pytest.mark.requirement("loop.contract")
async def test_the_record_keeps_the_whole_contract(app: App) -> None:
    async with Client(build(app)) as client:
        data = dict(
            (await client.call_tool("investigate", {"question": QUESTION, "wait": 25})).structured_content or {}
        )
        kept = (await client.read_resource(f"kubesteward://investigations/{data['id']}")).contents[0]

    wanted = {"status", "answer", "root_cause", "confidence", "hypotheses", "evidence", "recommendation", "usage"}
    record: dict[str, Any] = json.loads(kept.text)
    assert wanted | {"explanation_trace", "next_mission", "claims", "ruled_out"} <= set(record)
    assert len(record["hypotheses"]) >= 3
    assert all(item["confirms"] and item["refutes"] for item in record["hypotheses"])
    assert all(set(step) == {"step", "detail", "at", "tool_call"} for step in record["explanation_trace"])
    assert record["claims"]
    assert {claim["verdict"] for claim in record["claims"]} <= {"true", "unknown"}


async def test_a_handle_is_returned_before_it_is_over_and_waits_for_it_later(app: App) -> None:
    async with Client(build(app)) as client:
        begun = dict(
            (await client.call_tool("investigate", {"question": QUESTION, "wait": 0})).structured_content or {}
        )
        later = await client.call_tool("investigate", {"investigation": begun["id"], "wait": 25})

    assert begun["run"] == "running"
    assert dict(later.structured_content or {})["run"] == "done"


class Silent(Scripted):
    """Thinks for ever."""

    async def stream(self, ask: Ask) -> AsyncGenerator[Event, None]:
        await asyncio.Event().wait()
        yield TextDelta("never")


async def test_a_handle_comes_before_the_deadline_of_calls_however_long_one_would_wait(tmp_path: Path) -> None:
    app = app_in(tmp_path, Silent(says("")), call_timeout=3.0)
    try:
        async with Client(build(app)) as client:
            begun = await told(client, {"question": QUESTION, "wait": 25})
    finally:
        await app.close()

    assert (begun["run"], begun["id"][:4]) == ("running", "inv-")


async def test_a_wait_of_more_than_25_seconds_is_refused(app: App) -> None:
    async with Client(build(app)) as client:
        answer = await client.call_tool("investigate", {"question": QUESTION, "wait": 26})

    assert dict(answer.structured_content or {})["code"] == "INVALID_ARGUMENTS"


@pytest.mark.parametrize(
    "given", [{}, {"question": "Why?", "investigation": "inv-1"}, {"question": "Why?", "order": "pause"}]
)
async def test_a_question_or_an_investigation_is_given(app: App, given: dict[str, Any]) -> None:
    async with Client(build(app)) as client:
        answer = await client.call_tool("investigate", given)

    assert dict(answer.structured_content or {})["code"] == "INVALID_ARGUMENTS"


async def test_investigations_of_others_are_not_there(app: App) -> None:
    mine = Caller("local:me", channel="stdio")
    name = await app.desk(mine).investigations.begin(QUESTION, "", "", "", None)
    theirs = app.desk(replace(mine, principal="local:them")).investigations

    with pytest.raises(ObjectNotFound):
        await theirs.look(name, 0)
    with pytest.raises(ObjectNotFound):
        await theirs.order(name, "cancel")


async def test_no_more_than_four_run_at_once(app: App) -> None:
    desk = app.desk(Caller("local:me", channel="stdio")).investigations
    started = [await desk.begin(QUESTION, "", "", "", None) for _ in range(4)]

    for name in started:
        assert (await desk.look(name, 0))["run"] == "running"
    with pytest.raises(Refused, match="4 investigations are under way"):
        await desk.begin(QUESTION, "", "", "", None)


async def test_an_order_cancels_it(app: App) -> None:
    async with Client(build(app)) as client:
        begun = dict(
            (await client.call_tool("investigate", {"question": QUESTION, "wait": 0})).structured_content or {}
        )
        given = {"investigation": begun["id"], "order": "cancel", "wait": 20}
        ended = await told(client, given)

    assert ended["run"] == "cancelled"


async def test_a_result_that_is_no_longer_there_is_told(app: App) -> None:
    async with Client(build(app)) as client:
        with pytest.raises(MCPError, match="no investigation"):
            await client.read_resource("kubesteward://investigations/inv-0/results/1")


class Elsewhere(Scripted):
    """Costs money, nobody knows how much."""

    provider = "anthropic"
    model = "some-model"
    local = False


async def test_what_may_be_costly_is_begun_only_with_a_budget(tmp_path: Path) -> None:
    app = app_in(tmp_path, Elsewhere(says("Hm."), used=Usage(input=1)))
    try:
        async with Client(build(app)) as client:
            answer = await client.call_tool("investigate", {"question": QUESTION})

        said = dict(answer.structured_content or {})
        assert (said["code"], "Name a budget" in said["todo"]) == ("COST_NOT_AGREED", True)
        assert "the price of this model is not known" in said["message"]
    finally:
        await app.close()


@pytest.mark.requirement("cost.agreed")
@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("yes", [True, False])
async def test_a_person_is_asked_before_what_may_be_costly(tmp_path: Path, mode: str, yes: bool) -> None:
    person, brain = Person(approve=yes), Elsewhere(says("Hm."), used=Usage(input=1))
    app = app_in(tmp_path, brain)
    try:
        async with Client(build(app), mode=mode, elicitation_callback=person) as client:
            answer = await client.call_tool("investigate", {"question": QUESTION, "wait": 25})
        [record] = [
            found
            for row in app.store.db.execute("SELECT record FROM audit")
            if (found := json.loads(row[0])).get("tool") == "investigate" and found["outcome"] != "asked"
        ]
    finally:
        await app.close()

    assert len(person.asked) == 1
    assert "the price of this model is not known" in person.asked[0]
    assert bool(brain.asks) == yes
    assert bool(answer.is_error) != yes
    assert ("agreed" in record) == yes
