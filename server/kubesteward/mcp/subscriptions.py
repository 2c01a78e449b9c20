"""Subscriptions to overlays, in the way of either protocol era.

Up to 2025-11-25 a client subscribes to one resource after the other and hears of them on its connection. From
2026-07-28 on it opens a stream with `subscriptions/listen` and hears of them there. Both end with the client.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
from mcp.server.subscriptions import ListenHandler, ResourceUpdated, ServerEvent
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    EmptyResult,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
    UnsubscribeRequestParams,
)

from kubesteward.mcp.identity import Context, Identity
from kubesteward.mcp.overlays import looking
from kubesteward.watches import Tell, Watches
from kubesteward_tools.errors import AskDifferently, InvalidArguments, ObjectNotFound, SteadyError

if TYPE_CHECKING:
    from kubesteward.app import App
    from kubesteward_tools.overlay.overlay import Overlay

Who = tuple[str, ...]

MOST = 100
"""Resources that one client may be subscribed to, counted by connection or, where there is none, by principal."""
NOT_FOUND = -32002
"""The code of the specification up to 2025-11-25."""


class Subscriptions:
    def __init__(self, app: App, identity: Identity) -> None:
        self._app = app
        self._identity = identity
        self._watches: dict[Who, Watches] = {}
        self._clients: dict[int, _Client] = {}
        self._streaming: Counter[str] = Counter()

    async def _take(self, who: Who, uri: str, tell: Tell) -> tuple[Callable[[], None], SteadyError | None]:
        """Have `tell` told of what a user may see. Users share no watch: they see different things."""
        watches = self._watches.setdefault(who, Watches(partial(self._look, who)))

        def done() -> None:
            release()
            if not len(watches) and self._watches.get(who) is watches:
                del self._watches[who]

        release = await watches.hold(uri, tell)
        return done, watches.failure(uri)

    async def _look(self, who: Who, uri: str) -> Overlay:
        """Overlays show nobody's records, so that it makes no difference who looks on behalf of the same user."""
        from kubesteward.gate.gate import Caller

        look = looking(uri)
        if look is None:
            raise ObjectNotFound("Resource not found.")
        await self._app.ready()
        user, *groups = who or ("",)
        return await look(self._app.desk(Caller(principal="", user=user, groups=tuple(groups))))

    async def subscribe(self, ctx: Context, params: SubscribeRequestParams) -> EmptyResult:
        """Raises MCPError: there is no such overlay, or the client has subscribed to very many."""
        uri = str(params.uri)
        if not _is_overlay(uri):
            raise MCPError(NOT_FOUND, "Nothing at this URI can be subscribed to.", data={"uri": uri})
        client, who = self._client(ctx), self._who(ctx)
        if uri in client.holds:
            return EmptyResult()
        if len(client.holds) >= MOST:
            raise MCPError(INVALID_REQUEST, f"At most {MOST} subscriptions a client: end some first.")
        client.holds[uri] = None
        await self._hold(client, who, uri)
        return EmptyResult()

    def _who(self, ctx: Context) -> Who:
        """Raises MCPError where the caller may not read, or has read too often."""
        try:
            caller = self._identity.reader(ctx)
            self._app.rates.read(caller.principal)
        except SteadyError as error:
            raise MCPError(INVALID_REQUEST, str(error)) from None
        return caller.who

    async def _hold(self, client: _Client, who: Who, uri: str) -> None:
        from kubesteward_tools.text.redact import redact

        try:
            release, failure = await self._take(who, uri, client.tell)
        except BaseException:
            client.holds.pop(uri, None)
            raise
        if uri not in client.holds or isinstance(failure, AskDifferently):
            client.holds.pop(uri, None)
            release()
        else:
            client.holds[uri] = release
        if isinstance(failure, AskDifferently):
            code = NOT_FOUND if isinstance(failure, ObjectNotFound) else INVALID_PARAMS
            raise MCPError(code, redact(str(failure)), data={"uri": uri})

    async def unsubscribe(self, ctx: Context, params: UnsubscribeRequestParams) -> EmptyResult:
        """Of what nobody subscribed to there is nothing to end."""
        self._client(ctx).let_go(str(params.uri))
        return EmptyResult()

    def _client(self, ctx: Context) -> _Client:
        connection = ctx.session._connection  # nothing public tells connections apart, or when they end
        found = self._clients.get(id(connection))
        if found is None:
            found = self._clients[id(connection)] = _Client(ctx.session)
            connection.exit_stack.callback(self._clients.pop, id(connection), None)
            connection.exit_stack.callback(found.close)
        return found

    async def listen(self, ctx: Context, params: SubscriptionsListenRequestParams) -> SubscriptionsListenResult:
        """Until the client ends the stream. URIs that mean no overlay are never told of, as the specification has it.

        Raises:
            MCPError: the principal's streams have very many subscriptions.
        """
        wanted = [uri for uri in dict.fromkeys(params.notifications.resource_subscriptions or ()) if _is_overlay(uri)]
        stream, releases, who = _Stream(), list[Callable[[], None]](), self._who(ctx)

        async def take(uri: str) -> None:
            release, _ = await self._take(who, uri, stream.tell)
            releases.append(release)

        with self._counted(self._identity.principal(ctx), max(1, len(wanted))):
            try:
                await asyncio.gather(*map(take, wanted))
                return await ListenHandler(stream)(ctx, params)
            finally:
                for release in releases:
                    release()

    @contextlib.contextmanager
    def _counted(self, principal: str, number: int) -> Iterator[None]:
        if self._streaming[principal] + number > MOST:
            raise MCPError(INVALID_REQUEST, f"At most {MOST} subscriptions a client: end some first.")
        self._streaming[principal] += number
        try:
            yield
        finally:
            self._streaming[principal] -= number


def _is_overlay(uri: str) -> bool:
    try:
        return looking(uri) is not None
    except InvalidArguments:
        return False


class _Client:
    """A connection of the handshake era. What is due to it is sent by a task of its own: a client that does not read
    holds up nobody else, and what is due twice meanwhile is sent once."""

    def __init__(self, session: Any) -> None:
        self.holds: dict[str, Callable[[], None] | None] = {}
        self._session = session
        self._due: dict[str, None] = {}
        self._wake = asyncio.Event()
        self._sending = asyncio.create_task(self._send(), name="resource updates")

    def tell(self, uri: str) -> None:
        self._due[uri] = None
        self._wake.set()

    async def _send(self) -> None:
        with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._due:
                    uri = next(iter(self._due))
                    del self._due[uri]
                    await self._session.send_resource_updated(uri)

    def let_go(self, uri: str) -> None:
        release = self.holds.pop(uri, None)
        self._due.pop(uri, None)
        if release is not None:
            release()

    def close(self) -> None:
        self._sending.cancel()
        for uri in tuple(self.holds):
            self.let_go(uri)


class _Stream:
    """The bus of one listening client (mcp.server.subscriptions.SubscriptionBus)."""

    def __init__(self) -> None:
        self._listeners: dict[object, Callable[[ServerEvent], None]] = {}

    def tell(self, uri: str) -> None:
        for listener in tuple(self._listeners.values()):
            listener(ResourceUpdated(uri))

    async def publish(self, event: ServerEvent) -> None:
        for listener in tuple(self._listeners.values()):
            listener(event)

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        token = object()
        self._listeners[token] = listener

        def unsubscribe() -> None:
            self._listeners.pop(token, None)

        return unsubscribe
