"""What is said about an action: what happened, what did not, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    return Reply("\n".join(_lines(action)), action.shown(), code=NOT_DONE.get(action.status, ""), note=note)


def _lines(action: Action) -> list[str]:
    head = f"{_word(action)}: {action.change.summary}"
    waiting = action.status == "pending_approval"
    told = [verdict for verdict in action.verdicts if waiting or verdict.stage != "approval"]
    verdicts = [_verdict(verdict) for verdict in told if str(verdict.decision) != "allow"]
    return [head, f"Action {action.id} on {action.change.cluster or 'the current cluster'}", *verdicts, _advice(action)]


def _word(action: Action) -> str:
    return "APPROVAL_REQUIRED" if action.status == "pending_approval" else str(action.status).upper()


def _verdict(verdict: Any) -> str:
    remedy = f" Remedy: {verdict.remediation}" if verdict.remediation else ""
    prefix = "Blocked by Safety: " if str(verdict.decision) == "deny" else f"{verdict.decision}: "
    return f"{prefix}{verdict.reason} [{verdict.stage} {verdict.rule_id}]{remedy}"


def _advice(action: Action) -> str:
    if action.status == "pending_approval":
        return (
            "Nothing was changed yet. A person has to agree: ask the operator to run "
            f"`kubesteward approve {action.id}` in a terminal; it is then executed. Follow it with get_action."
        )
    return ADVICE.get(action.status, "")
