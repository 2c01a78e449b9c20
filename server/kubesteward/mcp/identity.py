"""Who is calling: the token's principal over HTTP, the operating system's user over stdio. No client's claim."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.context import ServerRequestContext

if TYPE_CHECKING:
    from kubesteward.gate.gate import Caller
    from kubesteward.settings import Settings

Context = ServerRequestContext[Any, Any]

PROCESS = f"process-{secrets.token_hex(6)}"
"""The session of a connection that has no id of its own: stdio is one process, one session."""


class Identity:
    """Also tells whether the person behind the client can be asked, which the client declares."""

    def __init__(self, settings: Settings) -> None:
        self._local = settings.principal

    def principal(self, ctx: Context) -> str:
        token = get_access_token()
        if token is not None:
            return f"token:{token.client_id}"
        return self._local if ctx.request is None else "http:loopback"

    def caller(self, ctx: Context) -> Caller:
        from kubesteward.gate.gate import Caller

        return Caller(
            principal=self.principal(ctx),
            client=client_name(ctx),
            session=_session(ctx),
            channel="stdio" if ctx.request is None else "http",
            can_be_asked=can_be_asked(ctx),
        )


def client_name(ctx: Context) -> str:
    """What the client calls itself, for the audit log only: anybody may claim any name."""
    params = ctx.session.client_params
    return f"{params.client_info.name} {params.client_info.version}"[:100] if params else "unknown"


def can_be_asked(ctx: Context) -> bool:
    """Whether the client shows forms. An empty elicitation capability means forms (spec, 2025-11-25 and later)."""
    capabilities = ctx.session.client_capabilities
    asking = capabilities.elicitation if capabilities else None
    return asking is not None and (asking.form is not None or asking.url is None)


def _session(ctx: Context) -> str:
    headers = getattr(ctx.request, "headers", None) or {}
    return str(headers.get("mcp-session-id") or PROCESS)
