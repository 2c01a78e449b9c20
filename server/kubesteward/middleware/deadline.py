"""Ends a reading call in time: hosts cut tool calls after 60 seconds or more without telling anybody why."""

from __future__ import annotations

import asyncio

from kubesteward.middleware.call import Call, Handler, Reply
from kubesteward_policies.tiers import Tier
from kubesteward_tools.errors import AskAgain


class TooSlow(AskAgain):
    code = "DEADLINE_EXCEEDED"


class Deadline:
    """Calls that propose a change are left alone: they wait for people, and the gate has its own deadlines."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def __call__(self, call: Call, proceed: Handler) -> Reply:
        if call.tool is None or call.tool.tier == Tier.EXECUTE:
            return await proceed(call)
        try:
            return await asyncio.wait_for(proceed(call), self._seconds)
        except TimeoutError:
            todo = "Ask for less: name a namespace, a selector or a smaller limit."
            raise TooSlow(f"No answer within {self._seconds:g} s.", todo=todo) from None
