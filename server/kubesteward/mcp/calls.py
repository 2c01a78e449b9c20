"""tools/list and tools/call: from the wire into the middleware, and what came of it back onto the wire."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    InputRequiredResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
)

from kubesteward.mcp.asking import answer_of, put, way_to_ask
from kubesteward.mcp.identity import Context, Identity
from kubesteward.mcp.progress import told
from kubesteward.mcp.registry import Registry
from kubesteward.middleware.call import Call, Handler, Reply
from kubesteward.middleware.failures import reply_to
from kubesteward.middleware.reach import listed
from kubesteward_tools.errors import Refused

if TYPE_CHECKING:
    from kubesteward.app import App


class Calls:
    def __init__(self, app: App, identity: Identity) -> None:
        self._app = app
        self._identity = identity

    @cached_property
    def registry(self) -> Registry:
        return Registry(self._app.tools)

    @cached_property
    def _handler(self) -> Handler:
        from kubesteward.middleware.endpoint import Endpoint
        from kubesteward.middleware.stack import compose, stack

        return compose(stack(self._app), Endpoint(self._app, self.registry.arguments))

    async def list_tools(self, _: Context, __: PaginatedRequestParams | None) -> ListToolsResult:
        """One page, the same for every token (the specification forbids lists that depend on earlier calls)."""
        settings, registry, tiers = self._app.settings, self.registry, self._identity.tiers()
        shown = [registry.definitions[name] for name, tool in registry.tools.items() if listed(settings, tool, tiers)]
        return ListToolsResult(tools=shown)

    def input_schema(self, name: str) -> Mapping[str, Any] | None:
        return self.registry.arguments[name].schema if name in self.registry.arguments else None

    async def call_tool(self, ctx: Context, params: CallToolRequestParams) -> CallToolResult | InputRequiredResult:
        """Never raises for what a tool does: failures are results that the model can read."""
        try:
            caller = self._identity.caller(ctx)
        except Refused as error:
            return _wire(reply_to(error))
        async with told(ctx) as tell:
            call = Call(
                name=params.name,
                tool=self.registry.tools.get(params.name),
                arguments=params.arguments or {},
                caller=caller,
                ask=way_to_ask(ctx),
                answered=answer_of(ctx, params),
                tell=tell,
            )
            reply = await self._handler(call)
        return _wire(reply)


def _wire(reply: Reply) -> CallToolResult | InputRequiredResult:
    if reply.question is not None:
        return put(reply.question)
    return CallToolResult(
        content=[TextContent(type="text", text=reply.text)],
        structured_content=dict(reply.data) if reply.data is not None else None,
        is_error=bool(reply.code),
    )
