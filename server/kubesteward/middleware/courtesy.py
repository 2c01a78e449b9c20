"""Reading calls go before the judging of changes."""

from __future__ import annotations

from kubesteward.middleware.call import Call, Handler, Reply
from kubesteward_policies.tiers import Tier

_WAITING = "get_action"
"""The one reading call that waits for what is being judged."""


async def readers_first(call: Call, proceed: Handler) -> Reply:
    if call.tool is None or call.tool.tier == Tier.EXECUTE or call.name == _WAITING:
        return await proceed(call)
    from kubesteward.gate.courtesy import COURTESY

    with COURTESY.reading():
        return await proceed(call)
