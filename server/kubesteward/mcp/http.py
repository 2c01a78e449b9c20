"""MCP over streamable HTTP: loopback by default, never in public without tokens and allowed names."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import ipaddress
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.lowlevel

from kubesteward_tools.errors import InvalidArguments

if TYPE_CHECKING:
    from mcp.server.auth.provider import AccessToken
    from mcp.server.auth.settings import AuthSettings
    from mcp.server.lowlevel import Server
    from starlette.applications import Starlette

    from kubesteward.app import App
    from kubesteward.mcp.oauth import Issued
    from kubesteward.settings import Settings

PATH = "/mcp"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
SHORTEST_TOKEN = 16
_WAYS = "Set KUBESTEWARD_HTTP_TOKEN, KUBESTEWARD_HTTP_TOKENS or KUBESTEWARD_OAUTH_ISSUER"
GRACE = 3
"""Seconds after Ctrl-C for open streams, which never end by themselves."""


async def serve(server: Server[Any], settings: Settings, app: App | None = None) -> int:
    """Until SIGINT or SIGTERM, whose number is returned: what was opened for the server can then be closed.

    Raises:
        InvalidArguments: the settings would expose the cluster. The address is taken.
    """
    heard: list[int] = []
    with _signals(heard.append):
        await anyio.lowlevel.checkpoint()  # Ctrl-C that was heard before ends it here, not in the middle of uvicorn
        import uvicorn

        application = make_application(server, settings, app)
        listening = listen(settings.http_host, settings.http_port, "--host and --port")
        config = uvicorn.Config(
            application,
            log_level=settings.log_level,
            ws="none",
            timeout_graceful_shutdown=GRACE,
        )
        print(f"MCP is served at {_url(settings.http_host, listening)}", file=sys.stderr)  # noqa: T201 - whoever starts it by hand
        if not heard:
            await uvicorn.Server(config).serve(sockets=[listening])
    return heard[0] if heard else 0


@contextlib.contextmanager
def _signals(hear: Callable[[int], object]) -> Iterator[None]:
    """What ends a server is told. uvicorn ends in order, then raises the signal again, which would end all the rest."""
    ending = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda heard, _: hear(heard)) for number in ending}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def listen(host: str, port: int, option: str = "--port") -> socket.socket:
    """Raises InvalidArguments when nobody can listen there; `option` is what chooses another port."""
    try:
        family = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host.strip("[]"), port), family=family)
    except OSError as error:
        why = f"Nothing can listen on {host} port {port} ({error.strerror or error})."
        raise InvalidArguments(why, todo=f"Choose another with {option}.") from None


def _url(host: str, listening: socket.socket) -> str:
    shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"http://{shown}:{listening.getsockname()[1]}{PATH}"


def make_application(server: Server[Any], settings: Settings, app: App | None = None) -> Starlette:
    """The ASGI application, with `/metrics` of `app`.

    Raises:
        InvalidArguments: the settings would expose the cluster.
    """
    from mcp.server.transport_security import TransportSecuritySettings

    from kubesteward.telemetry.scraping import routes

    tokens, issuer = tokens_of(settings), _issuer(settings)
    guarded = bool(tokens) or issuer is not None
    if settings.impersonate and not guarded:
        raise InvalidArguments("Nobody is known whom to act for.", todo=f"Impersonation needs callers: {_WAYS}.")
    hosts, origins = _names(settings, guarded)
    security = TransportSecuritySettings(
        enable_dns_rebinding_protection=True, allowed_hosts=hosts, allowed_origins=origins
    )
    application = server.streamable_http_app(
        streamable_http_path=PATH,
        host=settings.http_host,
        transport_security=security,
        auth=_auth(settings) if guarded else None,
        token_verifier=Verifiers(tokens, issuer, settings) if guarded else None,
        custom_starlette_routes=routes(app, guarded=guarded, hosts=hosts, tokens=tokens) if app else None,
    )
    if guarded or settings.metrics_token:
        from kubesteward.mcp.slowing import Slowing

        application.add_middleware(Slowing)
    return application


def _issuer(settings: Settings) -> Issued | None:
    """Raises InvalidArguments. JWTs are learnt about where there may be some, and nowhere else."""
    from kubesteward.mcp.oauth import issued

    return issued(settings)


def _auth(settings: Settings) -> AuthSettings:
    """With an issuer, the server says where tokens come from (RFC 9728). Tokens that the operator hands out come from
    no issuer to point clients to; the model wants one."""
    from mcp.server.auth.settings import AuthSettings

    if not settings.oauth_issuer:
        return AuthSettings.model_validate({"issuer_url": "https://localhost", "resource_server_url": None})
    return AuthSettings.model_validate(
        {
            "issuer_url": settings.oauth_issuer,
            "resource_server_url": settings.oauth_audience,
            "required_scopes": list(settings.oauth_scopes),
            "validate_token_resource": True,
        }
    )


class Verifiers:
    """The operator's tokens first, for they cost nothing to know; then the issuer's."""

    def __init__(self, tokens: dict[str, str], issuer: Issued | None, settings: Settings) -> None:
        self._known = Tokens(tokens, settings.oauth_audience, settings.oauth_scopes)
        self._issuer = issuer

    async def verify_token(self, token: str) -> AccessToken | None:
        found = await self._known.verify_token(token)
        return found or (await self._issuer.verify_token(token) if self._issuer else None)


class Tokens:
    """Verifies bearer tokens against digests, so that the tokens themselves stay nowhere."""

    def __init__(self, principals: dict[str, str], resource: str = "", scopes: Iterable[str] = ()) -> None:
        """They are for this server, `resource`, and for all of it."""
        self._principals = {_digest(token): principal for token, principal in principals.items()}
        self._resource = resource or None
        self._scopes = list(scopes)

    async def verify_token(self, token: str) -> AccessToken | None:
        from mcp.server.auth.provider import AccessToken

        given = _digest(token)
        for known, principal in self._principals.items():
            if hmac.compare_digest(known, given):
                return AccessToken(
                    token=given.hex(),
                    client_id=principal,
                    subject=principal,
                    scopes=self._scopes,
                    resource=self._resource,
                )
        return None


def tokens_of(settings: Settings) -> dict[str, str]:
    """Principal by token, from the file and the single token.

    Raises:
        InvalidArguments: a token is too short, or a line is not `principal token`.
    """
    found = {settings.http_token: "operator"} if settings.http_token else {}
    found |= tokens_in(settings.http_tokens) if settings.http_tokens else {}
    _long_enough(found)
    return found


def tokens_in(path: Path) -> dict[str, str]:
    """Principal by token, from a file of `principal token` lines. Raises InvalidArguments as `tokens_of`."""
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            principal, _, token = line.strip().partition(" ")
            if not token.strip():
                raise InvalidArguments(f"{path}, line {number}: not `principal token`.")
            found[token.strip()] = principal
    _long_enough(found)
    return found


def _long_enough(tokens: Iterable[str]) -> None:
    if any(len(token) < SHORTEST_TOKEN for token in tokens):
        raise InvalidArguments(
            f"A token is shorter than {SHORTEST_TOKEN} characters.", todo="Make one: openssl rand -hex 32"
        )


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _names(settings: Settings, guarded: bool) -> tuple[list[str], list[str]]:
    """The values of Host and Origin that are answered."""
    hosts, origins = list(settings.http_allowed_hosts), list(settings.http_allowed_origins)
    if is_loopback(settings.http_host):
        hosts += [f"{name}:*" for name in LOOPBACK]
        origins += [f"http://{name}:*" for name in LOOPBACK]
    elif not guarded:
        todo = f"{_WAYS}, or listen on 127.0.0.1."
        raise InvalidArguments(f"{settings.http_host} is reachable by others, and no token is set.", todo=todo)
    elif not hosts:
        todo = "Set KUBESTEWARD_HTTP_ALLOWED_HOSTS, for instance to mcp.example.com."
        raise InvalidArguments(f"{settings.http_host} is public, and no allowed hosts are set.", todo=todo)
    return hosts, origins


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
