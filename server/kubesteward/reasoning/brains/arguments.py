"""Arguments of tool calls as models write them: JSON that may be cut, wrong or no object. Such a call is never made."""

from __future__ import annotations

import json
import re
from hashlib import sha256

from kubesteward.reasoning.brains.base import Json, ToolCall

_SHOWN = 300
_TAKEN = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def call(identity: str, name: str, text: str, *, cut: bool = False) -> ToolCall:
    """The call with its arguments out of the model's text; `cut` where the answer ended at its limit just there.

    No arguments at all are none, but not where the answer was cut: they may have been about to come.
    """
    if cut and not text.strip():
        return ToolCall(identity, name, {}, "the answer ended at its limit of tokens before the arguments")
    try:
        found = json.loads(text, parse_constant=_refuse) if text.strip() else {}
    except (ValueError, RecursionError) as error:
        ended = "the answer ended at its limit of tokens within the arguments" if cut else "the arguments are no JSON"
        return ToolCall(identity, name, {}, f"{ended} ({_why(error)}): {text[:_SHOWN]}")
    if not isinstance(found, dict):
        return ToolCall(identity, name, {}, f"the arguments are no JSON object: {text[:_SHOWN]}")
    return ToolCall(identity, name, found)


def identity(given: str) -> str:
    """The id of a call as every provider takes it; some that a conversation has been with make them otherwise."""
    return given if _TAKEN.fullmatch(given) else f"call_{sha256(given.encode()).hexdigest()[:24]}"


def name(given: str) -> str:
    """The name as a provider takes it back; models call tools that there are none of by names of any form."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", given)[:64] or "nameless"


def shown(made: ToolCall) -> Json:
    """The arguments as the model is shown its own call again."""
    return {"malformed": made.malformed} if made.malformed else made.arguments


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _why(error: Exception) -> str:
    return f"{error.msg} at {error.pos}" if isinstance(error, json.JSONDecodeError) else str(error)[:100]
