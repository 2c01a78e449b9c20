"""What an exception from a rule is good for: one change, once, for a written reason, and not for whoever grants it."""

from __future__ import annotations

import re
from typing import Any

from kubesteward_policies.change import ApiCall, Change
from kubesteward_policies.digest import digest
from kubesteward_policies.ladder import RESTARTED, is_restart
from kubesteward_policies.persons import Person, same

LONGEST = 24 * 60.0
_WORDS, _LETTERS = 3, 20
_MOMENT = re.compile(r"[\dTZ:.+-]{10,40}")
_RESTART = "a restart, whenever"


def mark(change: Change, server: str) -> str:
    """The name of a change that is proposed again on the same API server: the moment that a restart writes into the
    template is another one each time.
    """
    calls = [{**call.as_json(), "body": _timeless(call)} for call in change.calls]
    steps = {"steps": list(change.steps)} if change.steps else {}
    return digest({"tool": change.tool, "calls": calls, "server": server, **steps})


def fault(justification: str, minutes: float, grantor: Person, requester: Person) -> str:
    """Why an exception is not granted, "" where it is."""
    if same(grantor, requester):
        return f"{requester.principal!r} asked for this change: somebody else has to grant the exception"
    if len(justification.split()) < _WORDS or len(justification.strip()) < _LETTERS:
        return "an exception needs a justification of a sentence"
    return "" if 0 < minutes <= LONGEST else f"an exception lasts up to {LONGEST:.0f} minutes"


def _timeless(call: ApiCall) -> Any:
    """A restart's body without its moment; that of any other call as it is."""
    return _RESTART if is_restart(call) and _is_moment(call.body) else call.body


def _is_moment(body: Any) -> bool:
    text = body["spec"]["template"]["metadata"]["annotations"][RESTARTED]
    return _MOMENT.fullmatch(text) is not None
