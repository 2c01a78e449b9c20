"""Where the page is served and under which names: what a request has to say to be answered at all.

Cookies know no ports (RFC 6265, 8.5): whatever listens beside this on loopback would be sent ours. So on loopback the
page lives under a path that nobody can guess, and the cookie is for that path alone.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from kubesteward.settings import Settings
from kubesteward_tools.errors import InvalidArguments

COOKIE = "kubesteward_session"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, slots=True)
class Site:
    """`hosts` and `origins` are compared letter by letter. `base` begins with a slash and ends without one."""

    hosts: frozenset[str]
    origins: frozenset[str]
    base: str
    public: bool

    @classmethod
    def of(cls, settings: Settings, port: int) -> Site:
        """Raises InvalidArguments where strangers could reach a page that asks for nothing."""
        from kubesteward.mcp.http import is_loopback

        if is_loopback(settings.console_host):
            hosts = frozenset(f"{name}:{port}" for name in _LOOPBACK)
            return cls(hosts, frozenset(f"http://{name}" for name in hosts), f"/c-{secrets.token_hex(16)}", False)
        if settings.console_tokens is None:
            todo = "Set KUBESTEWARD_CONSOLE_TOKENS to a file of `principal token` lines, or listen on 127.0.0.1."
            raise InvalidArguments(f"{settings.console_host} is reachable by others, and no tokens are set.", todo=todo)
        if not settings.console_allowed_hosts:
            todo = "Set KUBESTEWARD_CONSOLE_ALLOWED_HOSTS, for instance to approvals.example.com."
            raise InvalidArguments(f"{settings.console_host} is public, and no allowed hosts are set.", todo=todo)
        hosts = frozenset(settings.console_allowed_hosts)
        return cls(hosts, frozenset(f"https://{name}" for name in hosts), "/approvals", True)
