"""Progress notifications of one call, in their order, none after its answer (MCP, basic/utilities/progress)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count

from mcp.shared.exceptions import MCPError

from kubesteward.mcp.identity import Context
from kubesteward.middleware.call import Tell


@asynccontextmanager
async def told(ctx: Context) -> AsyncIterator[Tell]:
    """A way to say how far the call is; nothing is sent where the client has not asked to hear of it."""
    waiting: asyncio.Queue[str | None] = asyncio.Queue()
    sending: list[asyncio.Task[None]] = []
    over = False

    def tell(message: str) -> None:
        if over:
            return
        if not sending:  # most calls have nothing to tell
            sending.append(asyncio.create_task(_send(ctx, waiting)))
        waiting.put_nowait(message)

    try:
        yield tell
        over = True
        waiting.put_nowait(None)
        await asyncio.gather(*sending)
    finally:
        over = True
        for task in sending:
            task.cancel()


async def _send(ctx: Context, waiting: asyncio.Queue[str | None]) -> None:
    for number in count(1):
        message = await waiting.get()
        if message is None:
            return
        with suppress(MCPError):  # the client is gone
            await ctx.session.report_progress(float(number), None, message)
