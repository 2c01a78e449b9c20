"""What is said about an action: what happened, what did not, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubesteward.gate.quoting import in_own_words, quotations
from kubesteward.middleware.call import Reply

if TYPE_CHECKING:
    from kubesteward.gate.gate import Action

NOT_DONE = {
    "blocked": "BLOCKED",
    "rejected": "REJECTED",
    "expired": "EXPIRED",
    "failed": "FAILED",
    "unknown": "UNKNOWN",
}
"""States that answer a call with an error, so that no client takes the change for made."""

ADVICE = {
    "previewed": "Preview only: nothing was changed. Call again with dry_run=false to make the change.",
    "blocked": "Nothing was changed. Follow the remedy or ask the operator; do not just repeat the same change.",
    "rejected": "Nothing was changed. Do not retry on your own.",
    "expired": "Nothing was changed: the approval came too late. Propose the change again if it is still wanted.",
    "failed": "See get_action for the outcome before anything else is tried; rollback_action takes back what was done.",
    "unknown": "Whether it took effect is not known yet. Do not repeat it; get_action with wait=25 tells when it is.",
    "executing": "Still running: call get_action with this id and wait=25.",
}


def reply_about(action: Action) -> Reply:
    """Text that stands alone, and the action's record as data."""
    note = {"action": action.id, "action_digest": action.digest, "status": str(action.status)}
    code, quoted = NOT_DONE.get(action.status, ""), quotations(action.verdicts)
    source = f"what the cluster and its rehearsal say of {action.id}"
    return Reply("\n".join(_lines(action)), action.shown(), untrusted=quoted, source=source, code=code, note=note)


def _lines(action: Action) -> list[str]:
    head = f"{_word(action)}: {action.change.summary}"
    told = [verdict for verdict in action.verdicts if str(verdict.decision) != "allow"]
    if len(told) > 1:  # the last stage only sums up what the others ask for
        told = [verdict for verdict in told if verdict.stage != "approval"]
    verdicts = [_verdict(verdict) for verdict in told]
    return [head, f"Action {action.id} on {action.change.cluster or 'the current cluster'}", *verdicts, _advice(action)]


def _word(action: Action) -> str:
    return "APPROVAL_REQUIRED" if action.status == "pending_approval" else str(action.status).upper()


def _verdict(verdict: Any) -> str:
    remedy = f" Remedy: {verdict.remediation}" if verdict.remediation else ""
    prefix = "Blocked by Safety: " if str(verdict.decision) == "deny" else f"{verdict.decision}: "
    return f"{prefix}{in_own_words(verdict)} [{verdict.stage} {verdict.rule_id}]{remedy}"


def _advice(action: Action) -> str:
    if action.status == "pending_approval":
        return _who_agrees(action)
    if action.exception:
        return (
            f"{ADVICE['blocked']} Somebody other than {action.principal} can grant an exception: `{action.exception}`."
        )
    if action.status == "executed" and action.change.tool == "exec_in_pod":
        return "get_action shows what it printed."
    return ADVICE.get(action.status, "")


def _who_agrees(action: Action) -> str:
    start = "Nothing was changed yet. "
    command = f"`kubesteward approve {action.id}`"
    if action.agreed:
        return f"{start}{_sentence(action.waiting)}, who is not {action.principal} either: by {command} or on the page."
    if action.required > 1:
        return (
            f"{start}Two persons have to agree, and the second is not {action.principal}: each runs {command} in a "
            "terminal or opens the approvals page; it is then executed. Follow it with get_action."
        )
    return (
        f"{start}A person has to agree: ask the operator to run {command} in a terminal; it is then executed. "
        "Follow it with get_action."
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
