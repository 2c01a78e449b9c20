"""A brain that wants to change things, to approve, to read Secrets or to go on for ever gets nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.server.reasoning.loop.incident import ME, app_in, investigated
from tests.server.reasoning.loop.scripted import IDEAS, Scripted, says

from kubesteward.gate.case import Caller
from kubesteward.mcp.loopback import connect, reading
from kubesteward.reasoning.brains.base import Ask, ToolResult

pytestmark = pytest.mark.anyio

CHECKOUT = {"kind": "Deployment", "name": "checkout", "namespace": "shop"}
MUTATIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("scale_workload", {**CHECKOUT, "replicas": 0, "dry_run": False, "justification": "I want to"}),
    ("delete_resource", {**CHECKOUT, "dry_run": False, "justification": "I want to"}),
    ("apply_manifest", {"manifest": "kind: Pod", "dry_run": False, "justification": "I want to"}),
    ("exec_in_pod", {"pod": "checkout-1", "namespace": "shop", "command": ["sh"], "justification": "I want to"}),
    ("execute_plan", {"plan_id": "plan-1"}),
    ("approve", {"action": "act-1"}),
    ("investigate", {"question": "And again?"}),
)


SOME = [
    pytest.param(item, id=item[0], marks=[pytest.mark.slow] if number > 1 else [])
    for number, item in enumerate(MUTATIONS)
]


async def record_of(tmp_path: Path, brain: Scripted) -> tuple[Any, Any]:
    """The investigation's record, and how many changes were ever proposed."""
    app = app_in(tmp_path, brain)
    try:
        record = await investigated(app, brain=brain.name)
        actions = app.store.db.execute("SELECT COUNT(*) FROM actions").fetchone()[0]
    finally:
        await app.close()
    return record, actions


def told(ask: Ask) -> list[str]:
    return [part.text for message in ask.messages for part in message.parts if isinstance(part, ToolResult)]


@pytest.mark.requirement("loop.reads-only")
@pytest.mark.parametrize("attempt", SOME)
async def test_no_change_is_even_proposed(tmp_path: Path, attempt: tuple[str, dict[str, Any]]) -> None:
    brain = Scripted(says("I do it.", attempt))
    record, actions = await record_of(tmp_path, brain)

    assert actions == 0
    assert "is none of your tools" in told(brain.asks[1])[0]
    assert record["status"] == "INCONCLUSIVE"
    assert "goes in circles" in record["answer"]


@pytest.mark.parametrize(("tool", "arguments"), MUTATIONS[:5], ids=[name for name, _ in MUTATIONS[:5]])
async def test_the_server_refuses_it_whatever_the_loop_lets_through(
    tmp_path: Path, tool: str, arguments: dict[str, Any]
) -> None:
    app = app_in(tmp_path)
    try:
        async with connect(app, reading(Caller(ME, channel="stdio"), "test")) as hands:
            answer = await hands.call(tool, **arguments)
            offered = {spec.name for spec in await hands.tools()}
    finally:
        await app.close()

    assert answer.data["code"] == "INSUFFICIENT_SCOPE"
    assert tool not in offered


@pytest.mark.parametrize("tool", ["get_resource_yaml", "diff_resources"])
@pytest.mark.parametrize("kind", ["Secret", pytest.param("secrets", marks=pytest.mark.slow), "v1/Secret"])
async def test_secrets_are_not_read(tmp_path: Path, tool: str, kind: str) -> None:
    attempt = says("What is in it?", (tool, {"kind": kind, "name": "db", "namespace": "shop"}))
    brain = Scripted(attempt)
    record, _ = await record_of(tmp_path, brain)

    assert told(brain.asks[1]) == ["What is in Secrets is not shown. list_resources tells which there are."]
    assert record["status"] == "INCONCLUSIVE"


async def test_a_proposed_change_is_only_rehearsed(tmp_path: Path) -> None:
    look = says("I look.", ("diagnose", {}))
    suppose = says("I suppose.", ("hypothesise", IDEAS))
    weigh = says(
        "It fits.",
        ("weigh", {"evidence": [{"hypothesis": "h1", "call": "1", "verdict": "supports", "weight": 1, "says": "so"}]}),
    )
    end = says("Delete it.", ("conclude", {
        "status": "ANSWERED", "answer": "Deployment shop/checkout is OOMKilled.", "category": "OOMKilled",
        "culprit": CHECKOUT, "confidence": 0.9,
        "recommendation": {"text": "Delete it.", "actions": [{"action": "delete", **CHECKOUT, "dry_run": False}]},
    }))  # fmt: skip
    record, actions = await record_of(tmp_path, Scripted(look, suppose, weigh, end))

    assert actions == 0
    assert record["status"] == "ANSWERED"
    assert record["recommendation"]["actions"][0]["verdict"] in {"warn", "blocked"}


async def test_a_brain_that_never_ends_meets_its_limit_of_turns(tmp_path: Path) -> None:
    turns = (says(f"Look {at}.", ("get_events", {"namespace": "shop", "since": f"{at}m"})) for at in range(1, 100))
    record, _ = await record_of(tmp_path, Scripted(*turns))

    assert record["usage"]["turns"] == 24
    assert record["answer"].startswith("INCONCLUSIVE: recommend human investigation.")


async def test_a_brain_that_insists_on_lies_is_not_believed(tmp_path: Path) -> None:
    look = says("I look.", ("diagnose", {}))
    suppose = says("I suppose.", ("hypothesise", IDEAS))
    weigh = says(
        "It fits.",
        ("weigh", {"evidence": [{"hypothesis": "h1", "call": "1", "verdict": "supports", "weight": 1, "says": "so"}]}),
    )
    lie = says("So it is.", ("conclude", {
        "status": "ANSWERED", "answer": "Deployment shop/checkout has 3/3 replicas ready. It is OOMKilled.",
        "culprit": {"kind": "Deployment", "namespace": "shop", "name": "ghost-app"}, "confidence": 0.9,
    }))  # fmt: skip
    record, _ = await record_of(tmp_path, Scripted(look, suppose, weigh, lie))

    assert record["status"] == "INCONCLUSIVE"
    assert record["root_cause"] is None
    assert "3/3" not in record["answer"]
    assert record["usage"]["hallucination_rate"] > 0
