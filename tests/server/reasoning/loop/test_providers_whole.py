"""Every provider's SDK drives a complete investigation of the incident, against servers that speak its protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.server.reasoning.loop.incident import app_in, investigated
from tests.server.reasoning.loop.plot import CHECKOUT, FALSE, LOOK, SUPPOSE, TEST, TRUE, WEIGH, WHOLE, conclude
from tests.server.reasoning.loopback.bytes import page
from tests.server.reasoning.loopback.script import Fail, Garbage, Turn, Use
from tests.server.reasoning.providers import EVERY, asked

pytestmark = pytest.mark.anyio

ASTRAY = Turn(say="Away with it.", calls=(Use("functions.delete_everything", {"namespace": "shop"}),))
MALFORMED = Turn(say="Once more.", calls=(Use("get_logs", '{"target": "deployment/check'),))


async def told(tmp_path: Path, provider: str, *entries: Any) -> tuple[Any, Any]:
    """The record of an investigation with what the server answered, and the server's brain."""
    async with asked(provider, *entries) as made:
        app = app_in(tmp_path, made.brain)
        try:
            return await investigated(app, brain=made.brain.name), made
        finally:
            await app.close()


@pytest.mark.requirement("loop.providers")
@pytest.mark.parametrize("provider", EVERY)
async def test_an_investigation_is_complete(tmp_path: Path, provider: str) -> None:
    record, _ = await told(tmp_path, provider, *WHOLE)

    assert (record["run"], record["status"], record["answer"]) == ("done", "ANSWERED", TRUE)
    assert (record["root_cause"]["category"], record["root_cause"]["culprit"]) == ("OOMKilled", CHECKOUT)
    assert len(record["hypotheses"]) == 3
    assert [item["verdict"] for item in record["evidence"]] == ["supports", "refutes"]
    assert {item["verdict"] for item in record["claims"]} == {"true"}
    assert record["recommendation"]["actions"][0]["verdict"] == "warn"
    assert record["recommendation"]["saved"].startswith("rec-")
    assert record["usage"]["input"] == 500
    steps = {item["step"] for item in record["explanation_trace"]}
    assert {
        "intent",
        "context",
        "hypotheses",
        "thought",
        "evidence",
        "causality",
        "fact_check",
        "recommendation",
    } <= steps


@pytest.mark.slow
@pytest.mark.parametrize("provider", EVERY)
async def test_what_may_pass_is_tried_again_and_what_is_malformed_is_not_called(tmp_path: Path, provider: str) -> None:
    first = (Fail(429, retry_after="2"), page(502), LOOK, Turn(), Fail(529), Turn(think="It rest", ends="truncated"))
    second = (Fail(500, streaming=True), SUPPOSE, Turn(say="Cut", cut="connection"), Garbage(), ASTRAY, MALFORMED)
    record, made = await told(tmp_path, provider, *first, *second, TEST, WEIGH, conclude())

    assert record["status"] == "ANSWERED", record
    assert len(made.slept) >= 3
    assert made.server.refused == []
    assert not any(item["detail"].startswith("get_logs(") for item in record["explanation_trace"])


@pytest.mark.slow
@pytest.mark.parametrize("provider", EVERY)
async def test_a_false_conclusion_is_sent_back(tmp_path: Path, provider: str) -> None:
    record, _ = await told(tmp_path, provider, LOOK, SUPPOSE, TEST, WEIGH, conclude(FALSE), conclude())

    assert record["answer"] == TRUE
    assert record["usage"]["claims_false"] == 2
    assert record["usage"]["hallucination_rate"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("provider", EVERY)
@pytest.mark.parametrize(
    "end", [Turn(say="No.", ends="refused"), Fail(401), Garbage()], ids=["refused", "no key", "garbage"]
)
async def test_where_the_brain_cannot_go_on_the_built_in_one_does(tmp_path: Path, provider: str, end: Any) -> None:
    record, _ = await told(tmp_path, provider, LOOK, SUPPOSE, *[end] * 4)

    assert (record["status"], record["brain"]["name"]) == ("ANSWERED", "builtin")
    assert record["brain"]["status"].startswith("brain offline: main: ")
