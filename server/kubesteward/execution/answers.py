"""From an API server's answer to a write to the error that says whether anything has changed."""

from __future__ import annotations

import json
from typing import Any

from kubesteward_tools.cluster.transport import refusal
from kubesteward_tools.errors import AskAgain, AskDifferently, SteadyError
from kubesteward_tools.text.fence import clean

UNTOLD = frozenset({500, 502, 504})
"""The server or something before it gave up: the write may have reached the storage (etcd's own timeouts are 500)."""

_OWNED = "Apply failed with "
_TAKE_OVER = "Leave these fields out, or take them over with force_conflicts=true."


TOO_MANY = 429


class Conflict(AskAgain):
    """The object has moved since it was looked at: nothing was changed."""

    code = "CONFLICT"


class Held(AskAgain):
    """The server says "not now": a disruption budget, or too many requests. Nothing was changed."""

    code = "HELD"


class OutcomeUnknown(AskAgain):
    """The request was sent and no answer tells what became of it: it may have taken effect."""

    code = "OUTCOME_UNKNOWN"


class Owned(AskDifferently):
    """Server-side apply would change fields that another manager has set: trying again changes nothing about that."""

    code = "APPLY_CONFLICT"


def decoded(data: bytes) -> dict[str, Any]:
    """The object in an answer; empty where there is none that can be read, for the write has been made all the same."""
    try:
        found = json.loads(data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def refused(status: int, data: bytes, cluster: str, *, dry_run: bool) -> SteadyError:
    """The error for an answer of 300 or more."""
    if status == 409 and decoded(data).get("reason") != "AlreadyExists":
        message = _line(data, "the object has been modified")
        if message.startswith(_OWNED):
            return Owned(f"{cluster!r} refused: {message}.", todo=_TAKE_OVER)
        return Conflict(f"{cluster!r} refused: {message}.", todo="Look at the object again, then propose anew.")
    if status == TOO_MANY:
        return Held(f"{cluster!r} answered: {_line(data, 'too many requests')}", todo="Ask again in a moment.")
    if status in UNTOLD and not dry_run:
        return unknown(cluster, f"it answered HTTP {status}")
    return refusal(status, data, cluster)


def _line(data: bytes, otherwise: str) -> str:
    """The server's own sentence, which may quote whoever wrote a policy: one line, and nothing that cannot be seen."""
    return " ".join(clean(str(decoded(data).get("message") or otherwise)).split())[:500]


def unknown(cluster: str, why: str) -> OutcomeUnknown:
    message = f"the API server of {cluster!r} did not say what became of the call ({why})."
    return OutcomeUnknown(message, todo="Look at the object before anything else is tried.")
