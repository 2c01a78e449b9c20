"""From an API server's answer to a write to the error that says whether anything has changed."""

from __future__ import annotations

import json
from typing import Any

from kubesteward_tools.cluster.transport import refusal
from kubesteward_tools.errors import AskAgain, AskDifferently, SteadyError

UNTOLD = frozenset({500, 502, 504})
"""The server or something before it gave up: the write may have reached the storage (etcd's own timeouts are 500)."""

_OWNED = "Apply failed with "
_TAKE_OVER = "Leave these fields out, or take them over with force_conflicts=true."


class Conflict(AskAgain):
    """The object has moved since it was looked at: nothing was changed."""

    code = "CONFLICT"


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
        message = str(decoded(data).get("message") or "the object has been modified")[:500]
        if message.startswith(_OWNED):
            return Owned(f"{cluster!r} refused: {' '.join(message.split())}.", todo=_TAKE_OVER)
        return Conflict(f"{cluster!r} refused: {message}.", todo="Look at the object again, then propose anew.")
    if status in UNTOLD and not dry_run:
        return unknown(cluster, f"it answered HTTP {status}")
    return refusal(status, data, cluster)


def unknown(cluster: str, why: str) -> OutcomeUnknown:
    message = f"the API server of {cluster!r} did not say what became of the call ({why})."
    return OutcomeUnknown(message, todo="Look at the object before anything else is tried.")
