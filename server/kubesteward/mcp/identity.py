"""Who is calling: the token's principal over HTTP, the operating system's user over stdio. No client's claim."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.context import ServerRequestContext

from kubesteward_policies.tiers import Tier
from kubesteward_tools.errors import Refused

if TYPE_CHECKING:
    from mcp.server.auth.provider import AccessToken

    from kubesteward.gate.gate import Caller
    from kubesteward.settings import Settings

Context = ServerRequestContext[Any, Any]

PROCESS = f"process-{secrets.token_hex(6)}"
"""The session of a connection that has no id of its own: stdio is one process, one session."""

_HARMLESS = "system:authenticated"


class Identity:
    """Also tells whether the person behind the client can be asked, which the client declares."""

    def __init__(self, settings: Settings) -> None:
        self._local = settings.principal
        self._impersonate = settings.impersonate
        self._tier_scopes = settings.oauth_tier_scopes
        self._prefixes = settings.impersonate_user_prefix, settings.impersonate_group_prefix

    def principal(self, ctx: Context) -> str:
        """An issuer's subject and a name in the operator's list are never the same principal."""
        token = get_access_token()
        if token is not None:
            return f"oauth:{token.subject}" if token.claims else f"token:{token.client_id}"
        return self._local if ctx.request is None else "http:loopback"

    def caller(self, ctx: Context) -> Caller:
        """Raises Refused where nobody may be acted for in the caller's name."""
        from kubesteward.gate.gate import Caller

        user, groups = self._kubernetes(get_access_token())
        return Caller(
            principal=self.principal(ctx),
            client=client_name(ctx),
            session=_session(ctx),
            channel="stdio" if ctx.request is None else "http",
            can_be_asked=can_be_asked(ctx),
            user=user,
            groups=groups,
            tiers=self.tiers(),
        )

    def reader(self, ctx: Context) -> Caller:
        """The same of whoever reads without a tool. Raises Refused where the token's scopes do not cover it, too."""
        found = self.caller(ctx)
        if found.tiers is not None and Tier.OBSERVE not in found.tiers:
            raise Refused("the access token does not cover reading.", todo="It needs another scope; do not retry.")
        return found

    def tiers(self) -> frozenset[int] | None:
        """Those that the token's scopes allow; None where no scope is asked for."""
        token = get_access_token()
        if not self._tier_scopes or token is None or not token.claims:
            return None
        from kubesteward.mcp.oauth import tiers

        return tiers(token.scopes)

    def _kubernetes(self, token: AccessToken | None) -> tuple[str, tuple[str, ...]]:
        if not self._impersonate:
            return "", ()
        if token is None:
            raise Refused("nobody is known whom to act for.", todo="Send a token.")
        before, before_groups = self._prefixes
        claims = token.claims or {}
        return acted_for(
            f"{before}{claims.get('user') or token.client_id}",
            [f"{before_groups}{group}" for group in claims.get("groups") or ()],
        )


def acted_for(user: str, groups: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """User and groups to impersonate.

    Raises:
        Refused: they are names of the system, which belong to the control plane and to service accounts. A token that
            holds one of them would be worth the whole cluster.
    """
    reserved = [name for name in (user, *groups) if name.startswith("system:") and name != _HARMLESS]
    if reserved or user == _HARMLESS:
        what = (reserved or [user])[0][:80]
        todo = "Names that begin with system: are Kubernetes' own; a prefix keeps an issuer's names apart from them."
        raise Refused(f"nobody is acted for as {what!r}.", todo=todo)
    return user, tuple(sorted(set(groups) - {_HARMLESS}))


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
