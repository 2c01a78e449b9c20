"""How often one caller may read and propose: nobody's loop takes the server, or people's patience, from the rest."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable

from kubesteward.buckets import Buckets
from kubesteward.middleware.call import Call, Handler, Reply
from kubesteward.settings import Settings
from kubesteward_policies.tiers import Tier
from kubesteward_tools.errors import AskAgain


class RateLimited(AskAgain):
    code = "RATE_LIMITED"


class Rates:
    """Of every caller by principal; one for a process, whatever ways lead in."""

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._reads = Buckets(settings.rate_reads_per_minute, clock=clock)
        self._reasoning = Buckets(settings.rate_reads_per_minute, clock=clock)
        self._proposals = Buckets(settings.rate_proposals_per_minute, clock=clock)
        self._sleep = sleep

    def read(self, principal: str) -> None:
        """Raises RateLimited."""
        _taken(self._reads, principal, "read")

    def propose(self, principal: str) -> None:
        """Raises RateLimited."""
        _taken(self._proposals, principal, "propose changes")

    async def __call__(self, call: Call, proceed: Handler) -> Reply:
        """An answer to a form is no new proposal."""
        if call.answered is None:
            proposes = call.tool is not None and call.tool.tier == Tier.EXECUTE
            if call.caller.correlation and not proposes:
                await self._turn(call.caller.principal)
            else:
                (self.propose if proposes else self.read)(call.caller.principal)
        return await proceed(call)

    async def _turn(self, principal: str) -> None:
        """What the reasoning inside looks up waits instead, beside what the caller reads: a check of an answer that was
        refused its look-ups would have found nothing false.
        """
        while seconds := self._reasoning.take(principal):
            await self._sleep(seconds)


def _taken(buckets: Buckets, principal: str, what: str) -> None:
    seconds = buckets.take(principal)
    if seconds:
        raise RateLimited(f"too many calls that {what}.", todo=f"Try again in {max(1, math.ceil(seconds))} s.")
