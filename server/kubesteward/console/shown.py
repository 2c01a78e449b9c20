"""What the page says of an action in its own words, and how texts of others get into it: cleaned, redacted, marked.

Nothing of a cluster, a client or a model stands in the sentence that asks for approval.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

from kubesteward.gate.action import Action, Status
from kubesteward_tools.twin.rehearsal import Rehearsal

WORDS: dict[Status, str] = {
    "previewed": "only previewed: nothing will be executed",
    "blocked": "blocked by the gate",
    "pending_approval": "waits for a decision",
    "approved": "approved, not executed yet",
    "rejected": "rejected",
    "expired": "expired without being executed",
    "executing": "is being executed",
    "unknown": "was sent, and what became of it is being looked up",
    "executed": "executed",
    "failed": "failed",
}
DECISIONS = {"allow": "allows", "warn": "warns", "needs_approval": "asks for a person", "deny": "denies"}
SEVERITIES = {"block": "blocks", "warn": "warning", "info": "note"}


def line(text: object) -> str:
    """One line without what cannot be seen and without secrets."""
    from kubesteward_tools.pictures.escapes import line as cleaned
    from kubesteward_tools.text.redact import redact

    return redact(cleaned(str(text), 2000))


def lines(text: object) -> str:
    """All of it: nobody approves what was cut off."""
    from kubesteward_tools.text.fence import clean
    from kubesteward_tools.text.redact import redact

    return redact(clean(str(text), len(str(text)) + 1))


def moment(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))


def left(action: Action, now: float) -> str:
    """How long there is to decide, in words."""
    return span(action.expires - now)


def span(seconds: float) -> str:
    whole = int(seconds)
    if whole <= 0:
        return "no time left"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def calls(action: Action) -> list[tuple[str, str]]:
    """Each request, and its body without secrets."""
    from kubesteward.gate.privacy import without_secrets

    found = []
    for call in without_secrets(action.change).calls:
        hidden = call.target.kind == "Secret" and call.body is None and call.verb != "delete"
        body = "" if call.body is None else json.dumps(call.body, indent=2, ensure_ascii=False)
        query = "".join(f" {name}={value}" for name, value in call.query)
        found.append((f"{call.verb.upper()} {call.path}{query}", "(a Secret's body is not shown)" if hidden else body))
    return found


def picture(action: Action) -> str:
    """Timeline and blast radius as SVG, in which every text is escaped; "" where nothing was rehearsed."""
    from kubesteward_tools.pictures.svg import picture as drawn

    if action.rehearsal is None:
        return ""
    return drawn(_redacted(action.rehearsal), line(f"{action.change.tool} {action.change.target}"))


def _redacted(rehearsal: Rehearsal) -> Rehearsal:
    from kubesteward_tools.text.redact import redact_object

    return type(rehearsal).model_validate(redact_object(rehearsal.model_dump()))


def changes(before: Action, now: Action) -> list[str]:
    """What is not as it was when it was shown, in the page's own words and names of objects."""
    return [*_states(before, now), *_moved(before, now), *_rehearsed(before.rehearsal, now.rehearsal)]


def _states(before: Action, now: Action) -> Iterator[str]:
    if before.status != now.status:
        yield f"Its state is now: {WORDS[now.status]}. When you saw it: {WORDS[before.status]}."
    for item in now.approvals[len(before.approvals) :]:
        yield f"“{line(item.approver)}” {'approved' if item.approved else 'rejected'} it at {moment(item.at)}."
    if before.change.digest != now.change.digest:
        yield "The calls to the API server are others."


def _moved(before: Action, now: Action) -> Iterator[str]:
    for name in sorted(before.versions.keys() | now.versions.keys()):
        if before.versions.get(name) != now.versions.get(name):
            yield f"“{line(name)}” was changed by somebody else in the cluster."


def _rehearsed(before: Rehearsal | None, now: Rehearsal | None) -> Iterator[str]:
    if before is None or now is None or before.digest == now.digest:
        return
    if before.verdict != now.verdict:
        yield f"The rehearsal says {now.verdict}; it said {before.verdict}."
    told = {(item.rule, item.object) for item in before.findings}
    for item in now.findings:
        if (item.rule, item.object) not in told:
            yield f"A new finding: {line(item.rule)} on “{line(item.object)}”."
    yield "The rehearsal was played again and its result differs."
