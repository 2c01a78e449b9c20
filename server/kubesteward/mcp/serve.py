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
from kubesteward_tools.errors import SteadyError

log = logging.getLogger(__name__)

Transport = Literal["stdio", "http"]

SETTLED = 2.0
"""Seconds after the start: the host has its first answers, and left-over actions may cost what they cost."""

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
        group.start_soon(_take_up, app)
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
    async with anyio.create_task_group() as group:
        group.start_soon(_take_up, app)
        try:
            await http.serve(build(app), settings)
        finally:
            await _close(app)
            group.cancel_scope.cancel()


async def _take_up(app: App) -> None:
    await anyio.sleep(SETTLED)
    try:
        app.take_up()
    except SteadyError as error:
        log.warning("left-over actions are not seen to: %s", error)


async def _close(app: App) -> None:
    with anyio.move_on_after(CLOSING, shield=True):
        await app.close()
