"""Writes every tool call into the audit log, with who called, what came of it, and never with a secret."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kubesteward.middleware.call import Call, Handler, Reply
from kubesteward_tools.errors import SteadyError

if TYPE_CHECKING:
    from kubesteward.app import App


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
            record = self._record(call) | outcome | {"took_ms": round((time.monotonic() - started) * 1000, 1)}
            self._app.audit.append(record)

    def _record(self, call: Call) -> dict[str, Any]:
        from kubesteward_tools.text.redact import redact_object

        return {
            "type": "tool_call",
            "correlation": call.correlation,
            "tool": call.name[:100],
            "arguments": redact_object(dict(call.arguments)),
            "principal": call.caller.principal,
            "client": call.caller.client,
            "session": call.caller.session,
            "channel": call.caller.channel,
        }
