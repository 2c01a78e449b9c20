"""MCP over standard input and output, tolerant of clients that probe.

The SDK fixes the protocol era by the first request. Clients exist that send `server/discover`, take the answer, and go
on with `initialize` on the same pipe (anthropics/claude-code#96183); an SDK server then answers -32022 for ever.
Leading discovers are therefore answered here and fix no era; whatever comes first after them decides.
"""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import TYPE_CHECKING, Any

import anyio
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp_types import PROTOCOL_VERSION_META_KEY, SERVER_INFO_META_KEY, DiscoverResult, JSONRPCRequest, JSONRPCResponse
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server


async def serve(server: Server[Any]) -> None:
    """Until the client closes its end."""
    async with stdio_server() as (incoming, outgoing):
        await run(server, incoming, outgoing)


async def run(server: Server[Any], incoming: AsyncIterable[Any], outgoing: Any) -> None:
    """The same over any pair of streams."""
    send, receive = anyio.create_memory_object_stream[Any](0)

    async def relay() -> None:
        undecided = True
        async with send:
            async for item in incoming:
                message = getattr(item, "message", None)
                if undecided and isinstance(message, JSONRPCRequest):
                    if _probes(message):
                        await outgoing.send(discovered(server, message))
                        continue
                    undecided = False
                await send.send(item)

    async with anyio.create_task_group() as group:
        group.start_soon(relay)
        await server.run(receive, outgoing, server.create_initialization_options())
        group.cancel_scope.cancel()


def _probes(message: JSONRPCRequest) -> bool:
    """Versions that we do not speak are left to the SDK, which refuses them properly."""
    meta = (message.params or {}).get("_meta") or {}
    return message.method == "server/discover" and meta.get(PROTOCOL_VERSION_META_KEY) in MODERN_PROTOCOL_VERSIONS


def discovered(server: Server[Any], request: JSONRPCRequest) -> SessionMessage:
    """What the SDK's own handler answers, in the wire form it gives it."""
    result = DiscoverResult(
        supported_versions=list(MODERN_PROTOCOL_VERSIONS),
        capabilities=server.get_capabilities(protocol_version=MODERN_PROTOCOL_VERSIONS[-1]),
        instructions=server.instructions,
        ttl_ms=0,
        cache_scope="private",
    )
    body = result.model_dump(by_alias=True, mode="json", exclude_none=True)
    body |= {"resultType": "complete", "_meta": {SERVER_INFO_META_KEY: server.server_info_stamp}}
    return SessionMessage(JSONRPCResponse(jsonrpc="2.0", id=request.id, result=body))
