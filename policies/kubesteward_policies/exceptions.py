"""What an exception from a rule is good for: one change, once, for a written reason, and not for whoever grants it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubesteward_policies.change import Change
from kubesteward_policies.digest import digest
from kubesteward_policies.ladder import RESTARTED
from kubesteward_policies.persons import Person, same

LONGEST = 24 * 60.0
_WORDS, _LETTERS = 3, 20


def mark(change: Change, server: str) -> str:
    """The name of a change that is proposed again on the same API server: the moment that a restart writes into the
    template is another one each time.
    """
    calls = [{**call.as_json(), "body": _timeless(call.body)} for call in change.calls]
    return digest({"tool": change.tool, "calls": calls, "server": server})


def fault(justification: str, minutes: float, grantor: Person, requester: Person) -> str:
    """Why an exception is not granted, "" where it is."""
    if same(grantor, requester):
        return f"{requester.principal!r} asked for this change: somebody else has to grant the exception"
    if len(justification.split()) < _WORDS or len(justification.strip()) < _LETTERS:
        return "an exception needs a justification of a sentence"
    return "" if 0 < minutes <= LONGEST else f"an exception lasts up to {LONGEST:.0f} minutes"


def _timeless(body: Any) -> Any:
    if isinstance(body, Mapping):
        return {key: "" if key == RESTARTED else _timeless(value) for key, value in body.items()}
    return [_timeless(item) for item in body] if isinstance(body, list | tuple) else body
