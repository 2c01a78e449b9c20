"""Nobody's loop takes the server from the rest, and whoever guesses tokens has to wait."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from tests.server.mcp.fakes import FakeGate, make_app
from tests.server.mcp.test_approval import Person, text_of
from tests.server.mcp.test_http import ALICE, BOB, bearer, served, tokens
from tests.server.test_buckets import Time

from kubesteward.gate.case import Caller
from kubesteward.mcp.loopback import connect
from kubesteward.mcp.server import build
from kubesteward.mcp.slowing import FAILURES_PER_MINUTE, Slowing, address_of
from kubesteward.middleware.rates import Rates
from kubesteward.settings import Settings

pytestmark = pytest.mark.anyio
_ = tokens  # the fixture


async def test_calls_that_read_and_that_propose_are_counted_apart(tmp_path: Path) -> None:
    settings = Settings.load({}, rate_reads_per_minute=2, rate_proposals_per_minute=1)
    clock = Time()
    app = make_app(tmp_path)
    app.rates = Rates(settings, clock)
    async with Client(build(app)) as client:
        reads = [text_of(await client.call_tool("look", {})) for _ in range(3)]
        proposals = [text_of(await client.call_tool("scale", {"name": "web", "replicas": 1})) for _ in range(2)]
        clock.now += 31
        again = text_of(await client.call_tool("look", {}))

    assert [text.startswith("RATE_LIMITED") for text in reads] == [False, False, True]
    assert "Try again in 30 s." in reads[2]
    assert [text.startswith("RATE_LIMITED") for text in proposals] == [False, True]
    assert not again.startswith("RATE_LIMITED")
    assert [record["tool"] for record in app.audit] == ["look", "look", "scale", "look"]


async def test_what_the_reasoning_looks_up_waits_its_turn_and_takes_nobody_s(tmp_path: Path) -> None:
    clock, waited = Time(), list[float]()

    async def pass_by(seconds: float) -> None:
        waited.append(round(seconds))
        clock.now += seconds

    app = make_app(tmp_path)
    app.rates = Rates(Settings.load({}, rate_reads_per_minute=2), clock, pass_by)
    async with connect(app, Caller("local:me", correlation="c0ffee")) as inside, connect(app) as client:
        looked_up = [await inside.call("look") for _ in range(4)]
        reads = [await client.call("look") for _ in range(2)]

    assert not any(answer.is_error for answer in [*looked_up, *reads])
    assert waited == [30, 30]


async def test_an_answer_to_a_form_is_no_second_proposal(tmp_path: Path) -> None:
    gate = FakeGate()
    app = make_app(tmp_path, gate, rate_proposals_per_minute=1)
    async with Client(build(app), elicitation_callback=Person()) as client:
        await client.call_tool("scale", {"name": "web", "replicas": 1, "dry_run": False})

    assert gate.executed == ["act-1"]


async def test_resources_count_as_reads(tmp_path: Path) -> None:
    app = make_app(tmp_path, rate_reads_per_minute=1)
    async with Client(build(app)) as client:
        await client.read_resource("kubesteward://clusters")
        with pytest.raises(MCPError, match="Try again in"):
            await client.read_resource("kubesteward://clusters")


async def test_one_caller_s_flood_is_not_another_s(tmp_path: Path, tokens: Path) -> None:
    with served(tmp_path, http_tokens=tokens, rate_reads_per_minute=1) as url:
        found = []
        for token in (ALICE, ALICE, BOB):
            async with bearer(token) as http, Client(streamable_http_client(url, http_client=http)) as client:
                found.append(text_of(await client.call_tool("look", {})).startswith("RATE_LIMITED"))

    assert found == [False, True, False]


async def test_guessing_is_slowed_and_locks_out_nobody_who_was_right_before(tmp_path: Path, tokens: Path) -> None:
    with served(tmp_path, http_tokens=tokens) as url:
        async with bearer(ALICE) as right, bearer("wrong" * 5) as wrong, bearer("") as none:
            before = (await right.post(url, json={})).status_code
            guesses = [await wrong.post(url, json={}) for _ in range(FAILURES_PER_MINUTE + 1)]
            after = (await right.post(url, json={})).status_code
            del none.headers["Authorization"]
            beginner = (await none.post(url, json={})).status_code

    assert [guess.status_code for guess in guesses] == [401] * FAILURES_PER_MINUTE + [429]
    assert 1 <= int(guesses[-1].headers["retry-after"]) <= 3
    assert before == after
    assert before not in (401, 429)
    assert beginner == 401


async def test_a_token_that_is_no_longer_right_is_slowed_like_any_other() -> None:
    status, clock = 200, Time()

    async def app(_: Any, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})

    slowing, said = Slowing(app, clock), list[int]()

    async def send(message: Any) -> None:
        said.extend([message["status"]] if "status" in message else [])

    scope = {"type": "http", "client": ("192.0.2.1", 1), "headers": [(b"authorization", b"Bearer x")]}
    await slowing(scope, None, send)  # type: ignore[arg-type]
    status = 401
    for _number in range(FAILURES_PER_MINUTE + 1):
        await slowing(scope, None, send)  # type: ignore[arg-type]

    assert said == [200, *[401] * FAILURES_PER_MINUTE, 429]
    clock.now += 3
    await slowing(scope, None, send)  # type: ignore[arg-type]
    assert said[-1] == 401


def test_an_ipv6_machine_is_its_network() -> None:
    assert address_of({"client": ("2001:db8::1", 1)}) == address_of({"client": ("2001:db8::2", 1)})
    assert address_of({"client": ("192.0.2.1", 1)}) != address_of({"client": ("192.0.2.2", 1)})
    assert address_of({}) == "unknown"
