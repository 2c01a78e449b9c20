"""Runs the server: what `kubesteward serve` calls once its options are read."""

from __future__ import annotations

import logging
from typing import Any, Literal

import anyio

from kubesteward.app import App
from kubesteward.mcp.server import build
from kubesteward.settings import Settings

Transport = Literal["stdio", "http"]


def main(settings: Settings, transport: Transport = "stdio", scenario: str | None = None) -> None:
    """Serve until the client goes away or Ctrl-C.

    Raises:
        SteadyError: the settings do not allow it; one sentence.
    """
    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    serve = serve_stdio if transport == "stdio" else serve_http
    anyio.run(serve, settings)


async def serve_stdio(settings: Settings) -> None:
    from kubesteward.mcp import stdio

    app = App.build(settings)
    try:
        await stdio.serve(build(app))
    finally:
        await _close(app)


async def serve_http(settings: Settings) -> None:
    from kubesteward.mcp import http

    app = App.build(settings)
    try:
        await http.serve(build(app), settings)
    finally:
        await _close(app)


async def _close(app: Any) -> None:
    with anyio.CancelScope(shield=True):
        await app.close()
