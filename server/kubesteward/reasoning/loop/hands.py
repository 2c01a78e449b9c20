"""What the loop may reach: an MCP client's tools and nothing else. `kubesteward.mcp.loopback` has the real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from kubesteward.reasoning.brains.base import ToolSpec


class Result(Protocol):
    """A tool's answer: its text, its data, and whether it is an error."""

    @property
    def text(self) -> str: ...
    @property
    def data(self) -> Mapping[str, Any]: ...
    @property
    def is_error(self) -> bool: ...


class Hands(Protocol):
    async def tools(self) -> Sequence[ToolSpec]:
        """Those of tiers 1 to 3 that whoever asks may use."""
        ...

    async def call(self, tool: str, /, **arguments: Any) -> Result:
        """Never raises for what a tool does."""
        ...
