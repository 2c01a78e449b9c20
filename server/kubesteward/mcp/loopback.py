"""An MCP client in the same process: the demo and the reasoning come in through the front door like all others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mcp import Client

from kubesteward.mcp.identity import Context, Identity
from kubesteward.mcp.server import build
from kubesteward_policies.tiers import Tier

if TYPE_CHECKING:
    from kubesteward.app import App
    from kubesteward.gate.gate import Caller
    from kubesteward.reasoning.brains.base import ToolSpec

READING = frozenset({int(Tier.OBSERVE), int(Tier.ANALYSE), int(Tier.RECOMMEND)})


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

    async def tools(self) -> Sequence[ToolSpec]:
        """Those that the server lists for this client."""
        from kubesteward.reasoning.brains.base import ToolSpec

        listed = (await self._client.list_tools()).tools
        return [ToolSpec(tool.name, tool.description or "", dict(tool.input_schema)) for tool in listed]


class _OnBehalf(Identity):
    """Everything is asked in one caller's name, whatever the connection."""

    def __init__(self, app: App, caller: Caller) -> None:
        super().__init__(app.settings)
        self._caller = caller

    def principal(self, ctx: Context) -> str:
        return self._caller.principal

    def caller(self, ctx: Context) -> Caller:
        return self._caller

    def tiers(self) -> frozenset[int] | None:
        return self._caller.tiers


def reading(caller: Caller, client: str) -> Caller:
    """The same caller, who may only read and recommend and cannot be asked for approval: whatever a brain makes up,
    the server itself refuses it the rest.
    """
    allowed = READING if caller.tiers is None else READING & caller.tiers
    return replace(caller, client=client, can_be_asked=False, tiers=frozenset(allowed))


@asynccontextmanager
async def connect(app: App, caller: Caller | None = None) -> AsyncIterator[Loopback]:
    """A connected client that cannot be asked for approval: a person approves elsewhere. `caller` is in whose name it
    asks; without one it is who sits at this machine.
    """
    async with Client(build(app, _OnBehalf(app, caller) if caller is not None else None)) as client:
        yield Loopback(client)
