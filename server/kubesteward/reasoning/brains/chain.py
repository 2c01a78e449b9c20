"""Several brains behind one: where the first is offline the next goes on, as far as the operator allowed it.

What was meant for a brain on the premises goes to one outside only where that was said in so many words. A brain that is
configured wrongly is not passed over: somebody should mend it, and would never learn of it otherwise.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from kubesteward.reasoning.brains.base import Ask, Brain, BrainOffline, Event, Health, Switched


class Chain:
    """Speaks for the brain that goes on at present; after `rested` calls of `stream` the first is tried again."""

    def __init__(self, brains: Sequence[Brain], *, may_leave: bool = False) -> None:
        """`may_leave`: after a local brain also one that is not local. Raises ValueError without a brain."""
        if not brains:
            raise ValueError("a chain needs a brain")
        self._brains = _allowed(brains, may_leave=may_leave)
        self._kept_back = len(brains) - len(self._brains)
        self._at = 0

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
        """Raises as the brains do; BrainOffline where the last one is, with all reasons."""
        reasons: list[str] = []
        for number, brain in enumerate(self._brains):
            self._at = number
            try:
                async with aclosing(_closable(brain, ask)) as events:
                    async for event in events:
                        yield event
            except BrainOffline as error:
                reasons.append(f"{brain.name}: {error.reason.rstrip('.')}")
                todo = error.todo
            else:
                return
            if number + 1 < len(self._brains):
                yield Switched(brain.name, self._brains[number + 1].name, reasons[-1])
        raise BrainOffline("; ".join(reasons), f"{todo}{self._allowance}".strip())

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


async def _closable(brain: Brain, ask: Ask) -> AsyncGenerator[Event, None]:
    async for event in brain.stream(ask):
        yield event
