"""Listens and prints the link: alone, or beside MCP in one process."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from typing import TYPE_CHECKING

import anyio

from kubesteward.console.access import Keys, Ticket
from kubesteward.console.application import make_application
from kubesteward.console.records import BesideServers, InServer, Records
from kubesteward.console.site import Site
from kubesteward_tools.errors import InvalidArguments

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette

    from kubesteward.app import App
    from kubesteward.settings import Settings

GRACE = 1
"""Seconds for what is being answered when it ends; live updates never end by themselves."""


async def serve_beside(app: App) -> None:
    """Until it is cancelled. Raises InvalidArguments as `Site.of`, and when nobody can listen there."""
    await _serve(InServer(app), app.settings, alone=False)


async def serve_alone(settings: Settings) -> None:
    """Until Ctrl-C. Raises as `serve_beside`, and StoreUnusable."""
    from kubesteward.store.store import Store

    with closing(Store.open(settings.state_dir)) as store:
        await _serve(BesideServers(store), settings, alone=True)


async def _serve(records: Records, settings: Settings, *, alone: bool) -> None:
    from kubesteward.mcp.http import listen

    listening = listen(settings.console_host, settings.console_port, "KUBESTEWARD_CONSOLE_PORT")
    with closing(listening):
        port: int = listening.getsockname()[1]
        site = Site.of(settings, port)
        ticket = None if site.public else Ticket(settings.principal, time.time)
        keys = _keys(settings) if site.public else None
        ending = asyncio.Event()
        application = make_application(records, site, ticket, keys, ending=ending)
        print(_where(site, port, ticket), file=sys.stderr, flush=True)  # noqa: T201 - whoever starts it by hand
        server = make_server(application, ending, alone=alone)
        try:
            await server.serve(sockets=[listening])
        except asyncio.CancelledError:  # the server that this is part of ends: let go of the browsers, too
            with anyio.CancelScope(shield=True):
                await server.shutdown(sockets=[listening])
            raise


def _keys(settings: Settings) -> Keys:
    """Raises InvalidArguments where nobody could come in, or a client of MCP could."""
    from kubesteward.mcp.http import tokens_in, tokens_of

    found = tokens_in(settings.console_tokens) if settings.console_tokens else {}
    if not found:
        raise InvalidArguments(f"{settings.console_tokens} holds no token.", todo="Add lines of `principal token`.")
    if found.keys() & tokens_of(settings).keys():
        why = "a token of an MCP client is one of the approvals page too: its model could approve what it proposes."
        raise InvalidArguments(why, todo="Give people tokens of their own: openssl rand -hex 32")
    return Keys(found)


def _where(site: Site, port: int, ticket: Ticket | None) -> str:
    if ticket is None:
        return f"Approvals are served on port {port} under {site.base}/ for {', '.join(sorted(site.hosts))}."
    return (
        f"Approvals: http://127.0.0.1:{port}{site.base}/open?ticket={ticket.secret}\n"
        "The link works once, within ten minutes, and lets whoever opens it decide as you."
    )


def make_server(application: Starlette, ending: asyncio.Event, *, alone: bool) -> uvicorn.Server:
    """One that sets `ending` before it waits for what is being answered, and leaves the signals to the process that it
    is part of unless it is `alone`.
    """
    import uvicorn

    class Serving(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            ending.set()
            await super().shutdown(sockets)

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            with super().capture_signals() if alone else nullcontext():
                yield

    config = uvicorn.Config(
        application,
        log_level="warning",
        access_log=False,  # it would write the link down
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=GRACE,
    )
    return Serving(config)
