"""Writes every tool call into the audit log, with who called, what came of it, and never with a secret."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kubesteward.middleware.call import Call, Handler, Reply
from kubesteward_policies.digest import digest
from kubesteward_tools.errors import SteadyError

if TYPE_CHECKING:
    from kubesteward.app import App

log = logging.getLogger(__name__)

LONGEST = 16_000
"""Characters of arguments that one record keeps."""

_PLACES = ("cluster", "namespace", "kind", "name")

SAFE_DIGITS = 16
"""2**53 has 16 digits."""


class Audit:
    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, call: Call, proceed: Handler) -> Reply:
        started = time.monotonic()
        outcome: dict[str, Any] = {"outcome": "cancelled"}
        try:
            reply = await proceed(call)
            outcome = {"outcome": reply.code or ("asked" if reply.question else "ok"), **reply.note}
        except SteadyError as error:
            outcome = {"outcome": error.code, "reason": error.message}
            raise
        except Exception:
            outcome = {"outcome": "INTERNAL"}
            raise
        else:
            return reply
        finally:
            self._keep(self._record(call) | outcome | {"took_ms": round((time.monotonic() - started) * 1000, 1)})

    def _keep(self, record: dict[str, Any]) -> None:
        """Observation goes on where nothing can be written down; the gate by itself refuses to change anything."""
        from kubesteward.store.store import StoreUnusable

        try:
            self._app.audit.append(record)
        except StoreUnusable as error:
            log.warning("a call of %s is not in the audit log: %s", record["tool"], error)

    def _record(self, call: Call) -> dict[str, Any]:
        from kubesteward.gate.case import actor_of
        from kubesteward.telemetry.tracing import trace_id

        trace = trace_id()
        return {
            "type": "tool_call",
            "correlation": call.correlation,
            **({"trace": trace} if trace else {}),
            "tool": call.name[:100],
            "arguments": _kept(call.arguments),
            "principal": call.caller.principal,
            "client": call.caller.client,
            "actor": actor_of(call.caller),
            "scope": _scope(call.arguments),
            "session": call.caller.session,
            "channel": call.caller.channel,
        }


def _scope(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Where the call looked or meant to change something, as far as it said so."""
    return {name: str(arguments[name])[:253] for name in _PLACES if isinstance(arguments.get(name), str)}


def _kept(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Redacted; of very long ones the digest, so that nobody fills the log with one call."""
    from kubesteward_tools.text.redact import redact_object

    text = json.dumps(redact_object(dict(arguments)), default=str)
    redacted: dict[str, Any] = json.loads(text, parse_int=_integer, parse_constant=str)
    return redacted if len(text) <= LONGEST else {"digest": digest(redacted), "characters": len(text)}


def _integer(text: str) -> int | str:
    """Integers beyond what canonical JSON holds (RFC 8785) as text: a refused call must still be written down."""
    return int(text) if len(text) < SAFE_DIGITS else text
