"""The one place where an exception becomes what a model reads: a stable code, a sentence, and whether to try again."""

from __future__ import annotations

import logging
import traceback

from kubesteward.middleware.call import Call, Handler, Reply
from kubesteward_tools.errors import SteadyError

log = logging.getLogger(__name__)


async def explain_failures(call: Call, proceed: Handler) -> Reply:
    """Only errors written for readers are shown; anything else is named by the correlation id alone."""
    try:
        return await proceed(call)
    except SteadyError as error:
        return reply_to(error)
    except Exception as error:  # noqa: BLE001 - the outermost handler: nothing internal may reach the model
        from kubesteward_tools.text.redact import redact

        trace = redact("".join(traceback.format_exception(error)))
        log.error("call %s of %r failed\n%s", call.correlation, call.name, trace)  # noqa: TRY400 - redacted here
        text = f"Internal error, correlation id {call.correlation}. The server's log has the details; do not retry."
        return Reply(f"INTERNAL: {text}", {"code": "INTERNAL", "message": text, "retry": False}, code="INTERNAL")


def reply_to(error: SteadyError) -> Reply:
    """Text for people and models, and the same as data."""
    advice = "The same call may work later." if error.retry else ""
    text = " ".join(part for part in (f"{error.code}:", str(error), advice) if part)
    data = {"code": error.code, "message": error.message, "todo": error.todo, "retry": error.retry}
    return Reply(text, data, code=error.code)
