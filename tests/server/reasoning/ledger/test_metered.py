"""A metered brain speaks the same protocol, and is paid for exactly what was used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.server.reasoning.ledger.purse import ALICE, Purse

from kubesteward.reasoning.brains.base import (
    Ask,
    Brain,
    BrainOffline,
    CallMade,
    Done,
    Event,
    Health,
    Lost,
    Message,
    Text,
    TextDelta,
    ToolCall,
    Usage,
    Waiting,
)
from kubesteward.reasoning.ledger.budgets import Budget
from kubesteward.reasoning.ledger.ledger import BudgetExceeded
from kubesteward.reasoning.ledger.metered import Metered
from kubesteward.store.store import StoreUnusable

pytestmark = pytest.mark.anyio

CALL = ToolCall("c1", "get_logs", {"pod": "web-1", "since": 10**20})
MESSAGE = Message("assistant", (Text("look"), CALL))
ASK = Ask("be brief", (Message("user", (Text("why?"),)),), max_tokens=50)
DONE = Done(MESSAGE, "tools", Usage(input=90, output=10))


class Scripted:
    """Plays events; an exception among them is raised; `asked` counts the questions that were sent."""

    name, provider, model, local = "mine", "acme", "thinker", False

    def __init__(self, *events: Event | BaseException) -> None:
        self.events: Sequence[Event | BaseException] = events
        self.asked = 0
        self.closed = 0

    async def stream(self, ask: Ask) -> AsyncGenerator[Event, None]:
        self.asked += 1
        try:
            for event in self.events:
                if isinstance(event, BaseException):
                    raise event
                await asyncio.sleep(0)
                yield event
        finally:
            self.closed += 1

    def count(self, ask: Ask) -> int:
        return 100

    async def check(self) -> Health:
        return Health(True)

    async def close(self) -> None:
        self.closed += 1


def metered(purse: Purse, brain: Brain, **options: Any) -> Metered:
    return Metered(brain, purse.ledger, ALICE, **options)


async def heard(brain: Brain) -> list[Event]:
    return [event async for event in brain.stream(ASK)]


def usage(purse: Purse) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in purse.store.db.execute("SELECT input, output, money, cached FROM usage")]


async def test_what_is_used_is_written_down_before_anybody_acts_on_the_answer(tmp_path: Path) -> None:
    purse, brain = Purse(tmp_path), Scripted(TextDelta("look"), CallMade(CALL), DONE)
    rows_at_the_call = []
    events = []
    async for event in metered(purse, brain).stream(ASK):
        events.append(event)
        if isinstance(event, CallMade):
            rows_at_the_call = usage(purse)

    assert events == [
        TextDelta("look"),
        CallMade(CALL),
        Done(MESSAGE, "tools", DONE.usage, brain="mine", model="thinker"),
    ]
    assert rows_at_the_call == usage(purse) == [(90, 10, 100, 0)]
    assert brain.closed == 1


@pytest.mark.requirement("cost.unchanged")
async def test_a_second_run_over_the_same_world_asks_nobody_and_costs_nothing(tmp_path: Path) -> None:
    purse, brain = Purse(tmp_path), Scripted(CallMade(CALL), DONE)
    first = await heard(metered(purse, brain, world=lambda: "w-1"))
    again = await heard(metered(purse, brain, world=lambda: "w-1"))

    assert brain.asked == 1
    assert again[:-1] == first[:-1]
    assert isinstance(again[-1], Done)
    assert (again[-1].message, again[-1].usage) == (MESSAGE, Usage())
    assert usage(purse) == [(90, 10, 100, 0), (0, 0, 0, 1)]


@pytest.mark.parametrize("stop", ["refused", "truncated"])
async def test_what_was_refused_is_asked_anew_by_another_investigation_alone(tmp_path: Path, stop: Any) -> None:
    purse, brain = Purse(tmp_path), Scripted(replace(DONE, stop=stop))
    other = replace(ALICE, investigation="inv-2")
    await heard(metered(purse, brain, world=lambda: "w-1"))
    await heard(metered(purse, brain, world=lambda: "w-1"))
    await heard(Metered(brain, purse.ledger, other, world=lambda: "w-1"))

    assert brain.asked == 2


async def test_a_hard_limit_is_looked_at_before_anything_is_sent(tmp_path: Path) -> None:
    purse, brain = Purse(tmp_path), Scripted(DONE)
    purse.limit(Budget("user", "*", "usd", hard=174))  # 100 counted, a quarter more for room, 50 of answer

    with pytest.raises(BudgetExceeded):
        await heard(metered(purse, brain))
    assert brain.asked == 0


async def test_a_provider_that_is_down_is_not_paid_but_what_was_lost_is(tmp_path: Path) -> None:
    purse = Purse(tmp_path)
    brain = Scripted(
        TextDelta("lo"), Lost(Usage(input=90, output=1)), Waiting(1, "busy", 1), BrainOffline("it is down")
    )

    with pytest.raises(BrainOffline):
        await heard(metered(purse, brain))
    assert usage(purse) == [(90, 1, 91, 0)]
    assert purse.sum("SELECT COUNT(*) FROM holds") == 0


async def test_attempts_end_when_the_budget_does(tmp_path: Path) -> None:
    purse = Purse(tmp_path)
    purse.limit(Budget("user", "*", "usd", hard=200))
    brain = Scripted(Lost(Usage(input=90)), Waiting(1, "busy", 1), DONE)

    with pytest.raises(BudgetExceeded):
        await heard(metered(purse, brain))
    assert usage(purse) == [(90, 0, 90, 0)]
    assert brain.closed == 1


async def test_whoever_stops_in_the_middle_pays_for_what_was_sent_and_had_come(tmp_path: Path) -> None:
    purse, brain = Purse(tmp_path), Scripted(TextDelta("1234567"), TextDelta("more"), DONE)
    async with aclosing(metered(purse, brain).stream(ASK)) as events:
        async for _ in events:
            break

    assert usage(purse) == [(100, 3, 103, 0)]
    assert (purse.sum("SELECT COUNT(*) FROM holds"), brain.closed) == (0, 1)


@pytest.mark.parametrize(("seconds", "paid"), [(30.0, []), (0.5, [(100, 0, 100, 0)])])
async def test_whoever_stops_while_the_provider_is_waited_for_pays_nothing(
    tmp_path: Path, seconds: float, paid: list[Any]
) -> None:
    """But for the end of the wait, when the next attempt may be under way."""
    purse, brain = Purse(tmp_path), Scripted(Waiting(seconds, "busy", 2), DONE)
    async with aclosing(metered(purse, brain).stream(ASK)) as events:
        await anext(events)

    assert usage(purse) == paid
    assert purse.sum("SELECT COUNT(*) FROM holds") == 0


async def test_whoever_stops_after_the_answer_pays_once(tmp_path: Path) -> None:
    purse, brain = Purse(tmp_path), Scripted(CallMade(CALL), DONE)
    async with aclosing(metered(purse, brain).stream(ASK)) as events:
        async for _ in events:
            break

    assert usage(purse) == [(90, 10, 100, 0)]


async def test_an_answer_that_cannot_be_written_down_stays_held(tmp_path: Path) -> None:
    purse = Purse(tmp_path)
    brain = Scripted(TextDelta("look"), DONE)
    async with aclosing(metered(purse, brain).stream(ASK)) as events:
        await anext(events)
        purse.store.path.rename(tmp_path / "elsewhere")
        with pytest.raises(StoreUnusable):
            await anext(events)

    assert purse.sum("SELECT COUNT(*) FROM holds") == 1


async def test_a_stream_without_an_end_is_paid_as_one_that_was_cut_off(tmp_path: Path) -> None:
    purse = Purse(tmp_path)

    assert await heard(metered(purse, Scripted(TextDelta("look")))) == [TextDelta("look")]
    assert usage(purse) == [(100, 2, 102, 0)]


async def test_a_call_that_is_cancelled_is_closed_and_paid(tmp_path: Path) -> None:
    purse, brain = Purse(tmp_path), Scripted(asyncio.CancelledError())

    with pytest.raises(asyncio.CancelledError):
        await heard(metered(purse, brain))
    assert usage(purse) == [(100, 0, 100, 0)]


async def test_a_soft_limit_is_told_once(tmp_path: Path) -> None:
    purse, told = Purse(tmp_path), list[str]()
    purse.limit(Budget("user", "*", "usd", soft=10))
    brain = metered(purse, Scripted(DONE), warn=told.append)
    await heard(brain)
    purse.store.db.execute("DELETE FROM answers")
    await heard(brain)

    assert told == ["the soft limit of <$0.0001 a day for each user is reached"]


async def test_it_is_the_brain_in_everything_else(tmp_path: Path) -> None:
    brain = metered(Purse(tmp_path), Scripted())
    health = await brain.check()
    await brain.close()

    assert (brain.name, brain.provider, brain.model, brain.local) == ("mine", "acme", "thinker", False)
    assert (brain.count(ASK), health) == (100, Health(True))
