"""Puts a change before the person at the client: a form, in the way of either protocol era.

Up to 2025-11-25 the server asks while the call waits. From 2026-07-28 on the call ends with the question and a sealed
state, and the client calls again with the answer; the SDK seals the state to tool, arguments and principal, and a token
in it, burnt on first use, makes it good for one answer only.
"""

from __future__ import annotations

from typing import Any

import anyio
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CallToolRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequiredResult,
)
from mcp_types.version import is_version_at_least

from kubesteward.mcp.identity import Context, can_be_asked
from kubesteward.middleware.call import Answered, Ask, Question

MODERN = "2026-07-28"
KEY = "approval"
ANSWER_TIME = 600.0
"""Seconds; approvals expire after that anyway."""

FORM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "approve": {"type": "boolean", "title": "Approve exactly this"},
        "comment": {"type": "string", "title": "Comment for the audit log", "maxLength": 500},
    },
    "required": ["approve"],
}


def is_modern(ctx: Context) -> bool:
    return is_version_at_least(ctx.protocol_version, MODERN)


def way_to_ask(ctx: Context) -> Ask | None:
    """None for clients that show no forms, and for those that are asked by ending the call."""
    if is_modern(ctx) or not can_be_asked(ctx):
        return None

    async def ask(message: str) -> Answered:
        """A client that fails to ask, or takes for ever, has not decided anything."""
        try:
            with anyio.fail_after(ANSWER_TIME):
                return _read(await ctx.session.elicit_form(message, FORM, related_request_id=ctx.request_id))
        except (MCPError, TimeoutError):
            return Answered("cancel")

    return ask


def answer_of(ctx: Context, params: CallToolRequestParams) -> Answered | None:
    """The answer that a repeated call brings along, if it brings one."""
    answer = (params.input_responses or {}).get(KEY)
    if not is_modern(ctx) or params.request_state is None or not isinstance(answer, ElicitResult):
        return None
    return _read(answer, params.request_state)


def put(question: Question) -> InputRequiredResult:
    """The result that asks."""
    form = ElicitRequestFormParams(message=question.message, requested_schema=FORM)
    return InputRequiredResult(input_requests={KEY: ElicitRequest(params=form)}, request_state=question.token)


def _read(result: ElicitResult, token: str = "") -> Answered:
    content = result.content or {}
    comment = content.get("comment")
    return Answered(
        action=result.action,
        approve=content.get("approve") is True,
        comment=comment[:500] if isinstance(comment, str) else "",
        token=token,
    )
