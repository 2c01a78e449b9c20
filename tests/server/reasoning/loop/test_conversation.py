"""What the loop lets a brain do, turn by turn, and when it has had enough."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from tests.server.reasoning.loop.scripted import END, IDEAS, WEIGHED, Entry, Pretend, Scripted, says

from kubesteward.reasoning.brains.base import (
    BrainError,
    BrainMisconfigured,
    BrainOffline,
    PromptTooLong,
    Text,
    ToolResult,
    Usage,
    Waiting,
)
from kubesteward.reasoning.loop import conversation, words
from kubesteward.reasoning.loop.calls import Calls, Said
from kubesteward.reasoning.loop.case import Case, Interrupted
from kubesteward.reasoning.loop.guards import Enough
from kubesteward.reasoning.loop.memory import HEAD
from kubesteward.reasoning.loop.state import Budget, Investigation
from kubesteward.store.investigations import Investigations
from kubesteward.store.store import Store

pytestmark = pytest.mark.anyio

LOOK = says("I look.", ("diagnose", {"namespace": "shop"}))
SUPPOSE = says("I suppose.", ("hypothesise", IDEAS))
WEIGH = says("I weigh.", ("weigh", WEIGHED))
CONCLUDE = says("I end.", ("conclude", END))


def case_of(tmp_path: Path, *entries: Entry, hands: Any = None, budget: Budget | None = None, **brain: Any) -> Case:
    state = Investigation(id="inv-1", principal="me", question="Why?", budget=budget or Budget(), created=time.time())
    kept = Investigations(Store.open(tmp_path))
    kept.begin(state.model_dump(mode="json"), "")
    return Case(state, hands or Pretend(), Scripted(*entries, **brain), kept)


async def thought(case: Case) -> Investigation:
    await conversation.think(case, Calls(case, await case.hands.tools()))
    return case.state


def results(case: Case) -> list[str]:
    """What the brain was told, call by call."""
    return [part.text for message in case.state.talk for part in message.parts if isinstance(part, ToolResult)]


async def test_a_brain_supposes_looks_weighs_and_concludes(tmp_path: Path) -> None:
    case = case_of(tmp_path, LOOK, SUPPOSE, WEIGH, CONCLUDE)
    state = await thought(case)

    assert state.draft is not None
    assert (state.draft.status, len(state.hypotheses), len(state.calls), len(state.evidence)) == (
        "INCONCLUSIVE",
        3,
        1,
        1,
    )
    assert state.hypotheses[0].standing < 0.3
    assert state.spent.turns == 4
    assert state.spent.total == 60


_IDEA = IDEAS["hypotheses"][0]


@pytest.mark.parametrize(
    ("ideas", "why"),
    [
        ([_IDEA], "1 are too few"),
        ([{**_IDEA, "id": f"h{number}"} for number in range(3)], "1 are too few"),
        ([*IDEAS["hypotheses"][:2], {**_IDEA, "id": "h3", "refutes": []}], "hypotheses.2.refutes"),
    ],
    ids=["one", "the same one three times", "nothing would refute it"],
)
async def test_hypotheses_are_three_that_can_be_refuted(tmp_path: Path, ideas: list[Any], why: str) -> None:
    case = case_of(tmp_path, LOOK, says("Some.", ("hypothesise", {"hypotheses": ideas})), SUPPOSE, WEIGH, CONCLUDE)
    await thought(case)

    assert any(why in text for text in results(case))


async def test_nothing_is_concluded_without_hypotheses_calls_and_evidence(tmp_path: Path) -> None:
    case = case_of(tmp_path, CONCLUDE, SUPPOSE, CONCLUDE, LOOK, CONCLUDE, WEIGH, CONCLUDE)
    await thought(case)

    refused = [text for text in results(case) if text.startswith("Not yet")]
    assert ["causes first" in refused[0], "no tool" in refused[1], "`weigh`" in refused[2]] == [True] * 3


async def test_calls_without_a_thought_are_sent_back_once(tmp_path: Path) -> None:
    silent = says("", ("diagnose", {"namespace": "shop"}))
    case = case_of(tmp_path, silent, silent, SUPPOSE, WEIGH, CONCLUDE)
    state = await thought(case)

    assert results(case)[0] == words.THINK_FIRST
    assert (state.unexplained, len(state.calls)) == (2, 1)


async def test_a_call_made_before_is_answered_without_being_made(tmp_path: Path) -> None:
    hands = Pretend()
    again = says("Once more, otherwise written.", ("diagnose", {"namespace": " SHOP ", "question": "", "limit": 5}))
    case = case_of(tmp_path, LOOK, again, SUPPOSE, WEIGH, CONCLUDE, hands=hands)
    await thought(case)

    assert [name for name, _ in hands.made] == ["diagnose"]
    assert any("Call 1 asked the same" in text for text in results(case))


async def test_a_brain_that_goes_in_circles_is_stopped(tmp_path: Path) -> None:
    case = case_of(tmp_path, LOOK, LOOK)

    with pytest.raises(Enough, match="goes in circles"):
        await thought(case)


@pytest.mark.requirement("loop.limits")
@pytest.mark.parametrize(
    ("budget", "why"),
    [
        (Budget(turns=3), "its 3 turns"),
        (Budget(tokens=250), "tokens would be exceeded"),
        (Budget(seconds=0.000001), "seconds are over"),
        (Budget(usd=0.000001), "would be exceeded: the next question may take [$]0.0010"),
    ],
)
async def test_a_limit_ends_it(tmp_path: Path, budget: Budget, why: str) -> None:
    different = [says(f"I look at {at}.", ("diagnose", {"namespace": f"n{at}"})) for at in range(9)]
    case = case_of(tmp_path, *different, budget=budget)
    case.priced = lambda _usage: 1000

    with pytest.raises(Enough, match=why):
        await thought(case)


async def test_on_its_last_turn_a_brain_is_told_to_conclude_and_offered_no_tools(tmp_path: Path) -> None:
    case = case_of(tmp_path, LOOK, SUPPOSE, WEIGH, CONCLUDE, budget=Budget(turns=4))
    await thought(case)
    asks = case.brain.asks  # type: ignore[attr-defined]  # it is the scripted one

    assert words.LAST in asks[-1].system
    assert {tool.name for tool in asks[-1].tools} == {"hypothesise", "weigh", "conclude"}


async def test_a_result_that_is_too_large_is_kept_beside(tmp_path: Path) -> None:
    case = case_of(tmp_path, LOOK, SUPPOSE, WEIGH, CONCLUDE, hands=Pretend("x" * 50_000))
    state = await thought(case)

    assert len(results(case)[0]) < 13_000
    assert f"kubesteward://investigations/inv-1/results/{state.calls[0].spilled}" in results(case)[0]
    kept: Any = case.archive
    assert kept.result("inv-1", int(state.calls[0].spilled)) == "x" * 50_000


async def test_a_conversation_that_grows_too_long_becomes_a_summary(tmp_path: Path) -> None:
    looks = [says(f"I look at {at}.", ("diagnose", {"namespace": f"n{at}"})) for at in range(5)]
    case = case_of(tmp_path, SUPPOSE, *looks, WEIGH, CONCLUDE, size=9_000, budget=Budget(tokens=10_000_000))
    await thought(case)
    asks = case.brain.asks  # type: ignore[attr-defined]  # it is the scripted one
    long = max(len(ask.messages) for ask in asks)

    assert long < 13
    blocks = [message.text for message in case.state.talk if message.text.startswith(HEAD)]
    assert "hypothesis h1 OOMKilled" in blocks[0]
    assert "call 1, diagnose namespace=n0: 0 items." in blocks[0]
    first = case.state.talk[0]
    assert first.text.startswith("Question: Why?")


async def test_a_prompt_that_is_too_long_for_the_model_is_shortened_and_asked_again(tmp_path: Path) -> None:
    looks = [says(f"I look at {at}.", ("diagnose", {"namespace": f"n{at}"})) for at in range(3)]
    case = case_of(tmp_path, SUPPOSE, *looks, PromptTooLong("it is too long"), WEIGH, CONCLUDE)
    state = await thought(case)

    assert state.draft is not None
    assert any(step.step == "memory" for step in state.trace)


async def test_an_answer_without_a_call_is_asked_to_go_on(tmp_path: Path) -> None:
    case = case_of(tmp_path, says("Hm."), LOOK, SUPPOSE, WEIGH, CONCLUDE)
    await thought(case)

    assert [part.text for part in case.state.talk[2].parts if isinstance(part, Text)] == [words.GO_ON]


async def test_what_is_weighed_has_to_have_been_called(tmp_path: Path) -> None:
    made_up = says("I weigh.", ("weigh", {"evidence": [{**WEIGHED["evidence"][0], "call": "7"}]}))
    case = case_of(tmp_path, LOOK, SUPPOSE, made_up, WEIGH, CONCLUDE)
    await thought(case)

    assert any("there is no call 7" in text for text in results(case))


async def test_a_person_may_stop_it_between_two_steps(tmp_path: Path) -> None:
    case = case_of(tmp_path, LOOK, SUPPOSE, WEIGH, CONCLUDE)
    kept: Any = case.archive
    kept.wish("inv-1", "pause")

    with pytest.raises(Interrupted, match="pause"):
        await thought(case)


async def test_money_nobody_knows_is_told_as_unknown(tmp_path: Path) -> None:
    case = case_of(tmp_path, LOOK, SUPPOSE, WEIGH, CONCLUDE, used=Usage(input=1))
    case.priced = lambda _usage: None
    state = await thought(case)

    assert state.spent.money is None


async def test_an_answer_that_is_cut_before_it_says_anything_gets_more_room(tmp_path: Path) -> None:
    """Thinking counts too: one that thinks long would be cut again and again."""
    case = case_of(tmp_path, LOOK, "truncated", "truncated", "truncated", "truncated", SUPPOSE, WEIGH, CONCLUDE)
    await thought(case)
    brain: Any = case.brain

    usual = conversation.MAX_TOKENS
    assert [ask.max_tokens // usual for ask in brain.asks] == [1, 1, 2, 4, 4, 4, 1, 1]


@pytest.mark.parametrize("error", [BrainMisconfigured("at most 4096"), PromptTooLong("it does not fit")])
async def test_a_model_without_that_room_is_asked_as_usual(tmp_path: Path, error: BrainError) -> None:
    case = case_of(tmp_path, LOOK, "truncated", error, SUPPOSE, WEIGH, CONCLUDE)
    state = await thought(case)
    brain: Any = case.brain

    usual = conversation.MAX_TOKENS
    assert [ask.max_tokens // usual for ask in brain.asks] == [1, 1, 2, 1, 1, 1]
    assert state.draft is not None


async def test_a_wait_that_is_longer_than_the_time_left_is_not_waited_for(tmp_path: Path) -> None:
    case = case_of(tmp_path, Waiting(90.0, "it asks for fewer requests", 2), budget=Budget(seconds=60))

    with pytest.raises(BrainOffline, match="fewer requests, for longer than this investigation may take"):
        await thought(case)


async def test_a_brain_that_is_offline_is_told_to_whoever_runs_the_loop(tmp_path: Path) -> None:
    with pytest.raises(BrainOffline):
        await thought(case_of(tmp_path, LOOK, BrainOffline("it does not answer")))


class Together(Pretend):
    """Answers none before all that are asked together are under way; the first one last."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._all = asyncio.Barrier(size)
        self._later = asyncio.Event()

    async def call(self, tool: str, /, **arguments: Any) -> Said:
        first = not self.made
        self.made.append((tool, arguments))
        async with asyncio.timeout(5):
            await self._all.wait()
            await self._later.wait() if first else self._later.set()
        return Said(f"of {arguments['namespace']}", {"items": []}, is_error=False)


async def test_what_one_answer_asks_is_called_at_once_and_answered_in_its_order(tmp_path: Path) -> None:
    wanted = [("diagnose", {"namespace": name}) for name in ("a", "b", "a", "c")]
    case = case_of(tmp_path, says("All.", *wanted), SUPPOSE, WEIGH, CONCLUDE, hands=Together(3))
    state = await thought(case)

    assert ["of a" in results(case)[0], "of b" in results(case)[1], "of c" in results(case)[3]] == [True] * 3
    assert "Call 1 asked the same" in results(case)[2]
    assert [(call.number, call.arguments["namespace"]) for call in state.calls] == [("1", "a"), ("2", "b"), ("3", "c")]
    assert state.repeated == 1
