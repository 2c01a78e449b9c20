"""An MCP client in the same process: for the demo, which like everybody else comes in through the front door."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcp import Client

from kubesteward.mcp.server import build

if TYPE_CHECKING:
    from kubesteward.app import App


@dataclass(frozen=True, slots=True)
class Result:
    """A tool's answer: its text, its data, and whether it is an error."""

    text: str
    data: dict[str, Any]
    is_error: bool


class Loopback:
    def __init__(self, client: Client) -> None:
        self._client = client

    async def call(self, tool: str, /, **arguments: Any) -> Result:
        answer = await self._client.call_tool(tool, arguments)
        text = "\n".join(item.text for item in answer.content if item.type == "text")
        return Result(text, dict(answer.structured_content or {}), bool(answer.is_error))


@asynccontextmanager
async def connect(app: App) -> AsyncIterator[Loopback]:
    """A connected client that cannot be asked for approval: a person approves elsewhere."""
    async with Client(build(app)) as client:
        yield Loopback(client)
