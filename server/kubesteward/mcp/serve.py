"""Runs the server: what `kubesteward serve` calls once its options are read."""

from __future__ import annotations

import logging
import os
import signal
import sys
from typing import Literal

import anyio

from kubesteward.app import App
from kubesteward.mcp.server import build
from kubesteward.settings import Settings

Transport = Literal["stdio", "http"]

CLOSING = 30.0
"""Seconds for changes that are being executed to come to their end."""


def main(settings: Settings, transport: Transport = "stdio", scenario: str | None = None) -> None:
    """Serve until the client goes away or Ctrl-C.

    Raises:
        SteadyError: the settings do not allow it; one sentence.
    """
    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    serve = serve_stdio if transport == "stdio" else serve_http
    anyio.run(serve, settings, scenario)


async def serve_stdio(settings: Settings, scenario: str | None = None) -> None:
    from kubesteward.mcp import stdio

    app = App.build(settings, scenario)
    async with anyio.create_task_group() as group:
        group.start_soon(_end_on_signal, app)
        try:
            await stdio.serve(build(app))
        finally:
            await _close(app)
            group.cancel_scope.cancel()


async def _end_on_signal(app: App) -> None:
    """Leave without waiting for standard input: the thread that reads it cannot be interrupted."""
    if sys.platform == "win32":  # no signal receivers there; Ctrl-C ends the process at once
        return
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for number in signals:
            await _close(app)
            os._exit(128 + number)


async def serve_http(settings: Settings, scenario: str | None = None) -> None:
    from kubesteward.mcp import http

    app = App.build(settings, scenario)
    try:
        await http.serve(build(app), settings)
    finally:
        await _close(app)


async def _close(app: App) -> None:
    with anyio.move_on_after(CLOSING, shield=True):
        await app.close()
