"""Runs the server: what `kubesteward serve` calls once its options are read."""

from __future__ import annotations

import atexit
import logging
import os
import signal
import sys
from typing import Literal

import anyio
from anyio.abc import TaskGroup, TaskStatus

from kubesteward.app import App
from kubesteward.mcp.server import build
from kubesteward.settings import Settings
from kubesteward.telemetry.asked import wanted
from kubesteward_tools.errors import InvalidArguments, SteadyError

log = logging.getLogger(__name__)

Transport = Literal["stdio", "http"]

SETTLED = 2.0
"""Seconds after the start: the host has its first answers, and left-over actions may cost what they cost."""

CLOSING = 30.0
"""Seconds for changes that are being executed to come to their end."""


def main(settings: Settings, transport: Transport = "stdio", scenario: str | None = None) -> None:
    """Serve until the client goes away, Ctrl-C or SIGTERM.

    Raises:
        SteadyError: the settings do not allow it; one sentence.
        KeyboardInterrupt: of Ctrl-C. SystemExit: with 128 and the number of another signal.
    """
    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    if wanted(os.environ):
        from kubesteward.telemetry.tracing import configure

        configure()
    serve = serve_stdio if transport == "stdio" else serve_http
    number = anyio.run(serve, settings, scenario)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    if number:
        raise SystemExit(128 + number)


async def serve_stdio(settings: Settings, scenario: str | None = None) -> int:
    if settings.impersonate:
        todo = "Serve over HTTP with tokens or OAuth, or unset KUBESTEWARD_IMPERSONATE."
        raise InvalidArguments("Over standard input and output nobody is known whom to act for.", todo=todo)
    app = App.build(settings, scenario)
    async with anyio.create_task_group() as group:
        await group.start(_end_on_signal, app)  # before anything reads standard input
        from kubesteward.mcp import stdio

        group.start_soon(_take_up, app)
        _console(group, app)
        try:
            await stdio.serve(build(app))
        finally:
            await _close(app)
            group.cancel_scope.cancel()
    return 0


async def _end_on_signal(app: App, *, task_status: TaskStatus[None]) -> None:
    """Leave without waiting for standard input: the thread that reads it cannot be interrupted."""
    if sys.platform == "win32":  # no signal receivers there; Ctrl-C ends the process at once
        task_status.started()
        return
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for number in signals:
            await _close(app)
            atexit._run_exitfuncs()  # the kubernetes package removes its copies of a kubeconfig's keys there
            os._exit(128 + number)


async def serve_http(settings: Settings, scenario: str | None = None) -> int:
    from kubesteward.mcp import http

    app = App.build(settings, scenario)
    async with anyio.create_task_group() as group:
        group.start_soon(_take_up, app)
        _console(group, app)
        try:
            number = await http.serve(build(app), settings, app)
        finally:
            await _close(app)
            group.cancel_scope.cancel()
    return number


def _console(group: TaskGroup, app: App) -> None:
    if app.settings.console:
        from kubesteward.console.serve import serve_beside

        group.start_soon(serve_beside, app, name="the approvals page")


async def _take_up(app: App) -> None:
    await anyio.sleep(SETTLED)
    try:
        app.take_up()
    except SteadyError as error:
        log.warning("left-over actions are not seen to: %s", error)


async def _close(app: App) -> None:
    with anyio.move_on_after(CLOSING, shield=True):
        await app.close()
