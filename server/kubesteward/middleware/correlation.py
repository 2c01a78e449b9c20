"""Gives a tool call the id by which logs, errors and audit records of it are found again."""

from __future__ import annotations

import secrets
from dataclasses import replace

from kubesteward.audit.actors import CORRELATION
from kubesteward.middleware.call import Call, Handler, Reply


async def correlate(call: Call, proceed: Handler) -> Reply:
    """16 hex digits, also in a context variable for whoever logs further down. What the reasoning inside calls has the
    id of the call that began it.
    """
    correlation = call.caller.correlation or secrets.token_hex(8)
    token = CORRELATION.set(correlation)
    try:
        return await proceed(replace(call, correlation=correlation))
    finally:
        CORRELATION.reset(token)
