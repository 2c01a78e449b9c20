"""Where a brain is offline another goes on, but never from the premises to elsewhere without leave."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import pytest

from kubesteward.reasoning.brains.base import (
    Ask,
    BrainMisconfigured,
    BrainOffline,
    Done,
    Event,
    Health,
    Message,
    Switched,
    Text,
    TextDelta,
    Usage,
)
from kubesteward.reasoning.brains.chain import Chain

pytestmark = pytest.mark.anyio
QUESTION = Ask("", (Message("user", (Text("Why?"),)),))


@dataclass
class Scripted:
    """A brain that fails as often as it has failures."""

    name: str
    local: bool = False
    failures: list[Exception] = field(default_factory=list)
    provider: str = "scripted"
    model: str = "m"
    asked: int = 0
    closed: bool = False

    async def stream(self, ask: Ask) -> AsyncGenerator[Event, None]:
        self.asked += 1
        yield TextDelta("It ")
        if self.failures:
            raise self.failures.pop(0)
        yield Done(Message("assistant", (Text(f"It is {self.name}"),)), "end", Usage(), self.name, self.model)

    def count(self, ask: Ask) -> int:
        return 7

    async def check(self) -> Health:
        return Health(not self.failures, f"{self.name} is down" if self.failures else "")

    async def close(self) -> None:
        self.closed = True


class Hours:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def down(times: int = 1) -> list[Exception]:
    return [BrainOffline("it is not running", "Start it.") for _ in range(times)]


async def events(chain: Chain) -> list[Event]:
    return [event async for event in chain.stream(QUESTION)]


async def test_the_next_one_goes_on_where_the_first_is_offline_and_says_so() -> None:
    chain = Chain([Scripted("one", failures=down()), Scripted("two")])
    found = await events(chain)

    assert found[1] == Switched("one", "two", "it is not running")
    assert isinstance(found[-1], Done)
    assert found[-1].brain == "two"
    assert (chain.name, chain.local, chain.provider, chain.model, chain.count(QUESTION)) == (
        "two",
        False,
        "scripted",
        "m",
        7,
    )


@pytest.mark.requirement("brains.premises")
async def test_a_question_never_leaves_the_premises_unless_that_was_allowed() -> None:
    cloud = Scripted("cloud")
    chain = Chain([Scripted("here", local=True, failures=down()), cloud])
    with pytest.raises(BrainOffline) as found:
        await events(chain)

    assert cloud.asked == 0
    assert found.value.reason == "here: it is not running"
    assert found.value.todo == "Start it. Brains elsewhere are not asked: the policy does not let it."


async def test_a_question_leaves_the_premises_where_that_was_allowed() -> None:
    chain = Chain([Scripted("here", local=True, failures=down()), Scripted("cloud")], may_leave=True)

    assert isinstance((await events(chain))[-1], Done)


async def test_a_local_brain_may_always_stand_in() -> None:
    chain = Chain([Scripted("cloud", failures=down()), Scripted("here", local=True)])

    assert isinstance((await events(chain))[-1], Done)
    assert chain.local


async def test_a_brain_that_is_configured_wrongly_is_not_passed_over() -> None:
    second = Scripted("two")
    chain = Chain([Scripted("one", failures=[BrainMisconfigured("the key is wrong")]), second])
    with pytest.raises(BrainMisconfigured):
        await events(chain)

    assert second.asked == 0


async def test_all_reasons_are_told_where_all_are_offline() -> None:
    with pytest.raises(BrainOffline) as found:
        await events(Chain([Scripted("one", failures=down()), Scripted("two", failures=down())]))

    assert found.value.reason == "one: it is not running; two: it is not running"


async def test_a_brain_that_was_offline_is_left_alone_for_a_while() -> None:
    clock, first = Hours(), Scripted("one", failures=down())
    chain = Chain([first, Scripted("two")], rest=300, now=clock)
    await events(chain)
    second = await events(chain)
    clock.now = 301
    third = await events(chain)

    assert second[0] == Switched("one", "two", "it is not running")
    assert isinstance(third[-1], Done)
    assert third[-1].brain == "one"
    assert first.asked == 2


async def test_where_all_are_left_alone_all_are_asked_again() -> None:
    first, second = Scripted("one", failures=down()), Scripted("two", failures=down())
    chain = Chain([first, second], now=Hours())
    with pytest.raises(BrainOffline):
        await events(chain)

    assert isinstance((await events(chain))[-1], Done)
    assert first.asked == 2


async def test_health_is_that_of_the_first_that_would_answer_and_all_are_closed() -> None:
    first, second = Scripted("one", failures=down()), Scripted("two")
    chain = Chain([first, second])
    health = await chain.check()
    second.failures = down()
    none = await chain.check()
    await chain.close()

    assert health.ok
    assert none.reason == "one is down"
    assert first.closed
    assert second.closed


def test_a_chain_needs_a_brain() -> None:
    with pytest.raises(ValueError, match="needs a brain"):
        Chain([])
