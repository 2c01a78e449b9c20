"""Several brains behind one: where the first is offline the next goes on, as far as the operator allowed it.

What was meant for a brain on the premises goes to one outside only where that was said in so many words. A brain that
is configured wrongly is not passed over: somebody should mend it, and would never learn of it otherwise.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from kubesteward.reasoning.brains.base import Ask, Brain, BrainForbidden, BrainOffline, Event, Health, Switched


class Chain:
    """Speaks for the brain that answered last. One that was offline is left alone for `rest` seconds."""

    def __init__(
        self,
        brains: Sequence[Brain],
        *,
        may_leave: bool = False,
        rest: float = 300.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`may_leave`: after a local brain also one that is not local. Raises ValueError without a brain."""
        if not brains:
            raise ValueError("a chain needs a brain")
        self._brains = _allowed(brains, may_leave=may_leave)
        self._kept_back = len(brains) - len(self._brains)
        self._at = 0
        self._rest = rest
        self._clock = now
        self._until: dict[int, tuple[float, BrainOffline]] = {}

    @property
    def _now(self) -> Brain:
        return self._brains[self._at]

    @property
    def name(self) -> str:
        return self._now.name

    @property
    def provider(self) -> str:
        return self._now.provider

    @property
    def model(self) -> str:
        return self._now.model

    @property
    def local(self) -> bool:
        return self._now.local

    async def stream(self, ask: Ask) -> AsyncGenerator[Event, None]:
        """Raises as the brains do; BrainOffline where the last one is, with all reasons; BrainForbidden where none
        may be told.
        """
        failed: list[BrainOffline | BrainForbidden] = []
        for number, brain in enumerate(self._brains):
            try:
                async with aclosing(self._asked(number, ask)) as events:
                    async for event in events:
                        yield event
            except (BrainOffline, BrainForbidden) as error:
                failed.append(error)
            else:
                self._at = number
                return
            if number + 1 < len(self._brains):
                why = failed[-1]
                offline = isinstance(why, BrainOffline)
                yield Switched(brain.name, self._brains[number + 1].name, why.reason, offline)
        reasons = "; ".join(f"{brain.name}: {why.reason}" for brain, why in zip(self._brains, failed, strict=True))
        if all(isinstance(why, BrainForbidden) for why in failed):
            raise BrainForbidden(reasons, failed[0].todo)
        raise BrainOffline(reasons, f"{failed[0].todo}{self._allowance}".strip())

    async def _asked(self, number: int, ask: Ask) -> AsyncGenerator[Event, None]:
        """Raises BrainOffline at once where the brain is left alone and another one is there."""
        if self._rests(number) and not all(map(self._rests, range(len(self._brains)))):
            _, before = self._until[number]
            raise BrainOffline(before.reason, before.todo)
        try:
            async with aclosing(self._brains[number].stream(ask)) as events:
                async for event in events:
                    yield event
        except BrainOffline as error:
            self._until[number] = (self._clock() + self._rest, error)
            raise
        self._until.pop(number, None)

    def _rests(self, number: int) -> bool:
        return number in self._until and self._clock() < self._until[number][0]

    @property
    def _allowance(self) -> str:
        return " Brains elsewhere are not asked: the policy does not let it." if self._kept_back else ""

    def count(self, ask: Ask) -> int:
        return self._now.count(ask)

    async def check(self) -> Health:
        """Of the first that would answer; the first one's where none would."""
        found = [await brain.check() for brain in self._brains]
        return next((health for health in found if health.ok), found[0])

    async def close(self) -> None:
        for brain in self._brains:
            await brain.close()


def _allowed(brains: Sequence[Brain], *, may_leave: bool) -> tuple[Brain, ...]:
    if may_leave or not brains[0].local:
        return tuple(brains)
    return tuple(brain for brain in brains if brain.local)
