"""Counts and times every tool call, and gives its span the words of its audit record."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kubesteward.middleware.call import Call, Handler, Reply
from kubesteward.telemetry.tracing import mark

if TYPE_CHECKING:
    from kubesteward.app import App

UNKNOWN = "unknown"
"""The label for whatever clients call that is no tool: names of theirs would each be a series for good."""


class Measured:
    """Outside of everything that answers by itself, so that calls which were refused count as well."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, call: Call, proceed: Handler) -> Reply:
        started, outcome = time.perf_counter(), "cancelled"
        try:
            reply = await proceed(call)
            outcome = reply.code or ("asked" if reply.question else "ok")
            return reply
        finally:
            inside = bool(call.caller.correlation)  # what the reasoning calls has come by no transport
            channel = "" if inside else call.caller.channel
            mark(call.correlation, outcome, int(call.tool.tier) if call.tool else 0, channel)
            if self._app.measuring:
                name = call.name if call.tool else UNKNOWN
                self._app.metrics.call(name, outcome, time.perf_counter() - started)
