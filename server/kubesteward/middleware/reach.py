"""Refuses what this server is not there for, when the call comes, not when tools are listed: a list is only a view."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kubesteward.middleware.call import Call, Handler, Reply
from kubesteward.settings import Settings
from kubesteward_policies.tiers import Tier
from kubesteward_tools.errors import AskDifferently, Refused
from kubesteward_tools.tool import Tool

if TYPE_CHECKING:
    from kubesteward.gate.switch import Stopped


class UnknownTool(AskDifferently):
    code = "UNKNOWN_TOOL"


class ReadOnly(Refused):
    code = "READ_ONLY"


class OutOfScope(Refused):
    code = "INSUFFICIENT_SCOPE"


def listed(settings: Settings, tool: Tool, tiers: frozenset[int] | None = None) -> bool:
    """Whether a tool is offered to somebody who may use `tiers` (None: all)."""
    return (not settings.read_only or tool.tier != Tier.EXECUTE) and (tiers is None or tool.tier in tiers)


class Reach:
    def __init__(self, settings: Settings, stopped: Callable[[], Stopped | None]) -> None:
        self._settings = settings
        self._stopped = stopped

    async def __call__(self, call: Call, proceed: Handler) -> Reply:
        if call.tool is None:
            raise UnknownTool(f"There is no tool {call.name!r}.", todo="tools/list names those there are.")
        if not listed(self._settings, call.tool):
            todo = "Reading tools still work; do not retry."
            raise ReadOnly(f"{call.name} is refused: this server runs read-only.", todo=todo)
        if not listed(self._settings, call.tool, call.caller.tiers):
            todo = "The access token needs another scope; do not retry."
            raise OutOfScope(f"{call.name} is refused: the token does not cover tier {int(call.tool.tier)}.", todo=todo)
        if call.tool.tier == Tier.EXECUTE and (found := self._stopped()):
            raise found.refusal()
        return await proceed(call)
