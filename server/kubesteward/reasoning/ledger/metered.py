"""A brain that asks the ledger before each call and tells it after: the same protocol, one verb done otherwise.

To be put round each brain of a chain and not round the chain, for the ledger has to know who is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import replace

from kubesteward.reasoning.brains.around import Around
from kubesteward.reasoning.brains.base import (
    Ask,
    Brain,
    CallMade,
    Done,
    Event,
    Lost,
    TextDelta,
    ThoughtDelta,
    Usage,
    Waiting,
    event_from_json,
)
from kubesteward.reasoning.ledger.ledger import Hold, Known, Ledger
from kubesteward.reasoning.ledger.words import Payer, Seller
from kubesteward.store.store import StoreUnusable
from kubesteward.telemetry.chats import Chat, Watcher
from kubesteward_tools.errors import SteadyError

CHARACTERS_OF_A_TOKEN = 3
"""Of what had come when a call was cut off; rather too few, so that it is not counted too low."""
LAST = 1.0
"""Seconds of a wait after which the next attempt is made, without another word."""


def _ignored(_: str) -> None:
    """Nobody is told."""


class Metered(Around):
    """`world` tells the digest of what questions are about, "" where nobody can; `warn` hears each soft limit once."""

    def __init__(
        self,
        brain: Brain,
        ledger: Ledger,
        payer: Payer,
        *,
        world: Callable[[], str] = str,
        warn: Callable[[str], object] = _ignored,
        watcher: Watcher | None = None,
    ) -> None:
        super().__init__(brain)
        self._ledger = ledger
        self._payer = payer
        self._world = world
        self._warn = warn
        self._warned: set[str] = set()
        self._watcher = watcher

    async def stream(self, ask: Ask) -> AsyncGenerator[Event, None]:
        """As the brain does, but calls are announced when the answer is paid and written down.

        Raises:
            BudgetExceeded, PriceUnknown: nothing was sent. StoreUnusable: nothing may be spent. Else as the brain.
        """
        seller = Seller(self.provider, self.model, self.local)
        await asyncio.to_thread(self._ledger.prices.load, seller)
        estimate = self._ledger.estimate(self._brain.count(ask), ask.max_tokens, seller)
        with Chat(self._payer, seller, self._watcher, ask.max_tokens) as chat:
            begun = self._ledger.begin(self._payer, seller, ask.to_json(), estimate, self._world())
            if isinstance(begun, Known):
                done = event_from_json(dict(begun.body))
                assert isinstance(done, Done)  # noqa: S101 - as `_settled` keeps it
                chat.cached()
                for event in _announced(replace(done, usage=Usage())):
                    yield event
                return
            self._tell(begun)
            async with aclosing(self._asked(ask, begun, chat)) as events:
                async for event in events:
                    yield event

    def _tell(self, hold: Hold) -> None:
        for warning in hold.warnings:
            if warning not in self._warned:
                self._warned.add(warning)
                self._warn(warning)

    async def _asked(self, ask: Ask, hold: Hold, chat: Chat) -> AsyncGenerator[Event, None]:
        seen, idle, answer = 0, False, list[Event]()
        try:
            async with aclosing(self._brain.stream(ask)) as stream:
                async for event in stream:
                    if isinstance(event, Done):
                        answer = self._settled(hold, event, chat)
                        break
                    seen = self._heard(event, seen, hold, chat)
                    idle = isinstance(event, Waiting) and event.seconds > LAST
                    if not isinstance(event, CallMade):
                        yield event
        except BaseException as error:
            if idle:  # the attempt before is settled, and the next one has not begun
                self._ledger.release(hold)
            elif not answer:
                self._failed(error, ask, hold, seen, chat)
            raise
        if not answer:
            self._abandoned(ask, hold, seen, chat)
        for item in answer:
            yield item

    def _failed(self, error: BaseException, ask: Ask, hold: Hold, seen: int, chat: Chat) -> None:
        if isinstance(error, StoreUnusable):  # nobody could write down what was paid, so the most of it stays held
            return
        if isinstance(error, SteadyError):  # there is no answer; what was lost on the way is written down
            self._ledger.release(hold)
            return
        self._abandoned(ask, hold, seen, chat)  # cut off in the middle: what was sent, and what had come, is paid

    def _heard(self, event: Event, seen: int, hold: Hold, chat: Chat) -> int:
        """How many characters of the attempt have come. Raises BudgetExceeded: none is left for another attempt."""
        if isinstance(event, Lost):
            chat.used(event.usage, self._ledger.lost(hold, event.usage))
            return 0
        if isinstance(event, TextDelta | ThoughtDelta):
            chat.began()
            return seen + len(event.text)
        return seen

    def _settled(self, hold: Hold, done: Done, chat: Chat) -> list[Event]:
        whole = replace(done, brain=done.brain or self.name, model=done.model or self.model)
        reusable = done.stop in {"end", "tools"}  # whoever asks anew what was refused wants another answer
        money = self._ledger.settle(hold, done.usage, whole.to_json(), reusable=reusable)
        chat.used(done.usage, money)
        chat.ended(whole.stop, whole.model)
        return _announced(whole)

    def _abandoned(self, ask: Ask, hold: Hold, seen: int, chat: Chat) -> None:
        usage = Usage(input=self._brain.count(ask), output=-(-seen // CHARACTERS_OF_A_TOKEN))
        with suppress(StoreUnusable):  # what interrupted it is the news; the most of it stays held
            chat.used(usage, self._ledger.settle(hold, usage))


def _announced(done: Done) -> list[Event]:
    return [*(CallMade(call) for call in done.message.calls), done]
