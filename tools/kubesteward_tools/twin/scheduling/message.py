"""What kube-scheduler says of a pod that it cannot place: the counted reasons, then the outcome of preemption."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from kubesteward_tools.twin.scheduling.filters import Refusal

NEVER = "not eligible due to preemptionPolicy=Never."
TERMINATING = "not eligible due to a terminating pod on the nominated node."
_NO_NODES = "no nodes available to schedule pods"


def blocked(total: int, why: str) -> str:
    """The pod itself cannot go anywhere, whatever the nodes are like."""
    return f"0/{total} nodes are available: {why}. not found" if total else _NO_NODES


def unschedulable(refusals: Mapping[str, Refusal], preemption: str = "") -> str:
    """`preemption` is its outcome, "" when it found somebody to take away."""
    if not refusals:
        return _NO_NODES
    reasons = _counted(reason for refusal in refusals.values() for reason in refusal.reasons)
    text = f"0/{len(refusals)} nodes are available: {reasons}."
    return f"{text} no new claims to deallocate, preemption: {preemption}" if preemption else text


def no_victims(refusals: Mapping[str, Refusal]) -> str:
    outcomes = (
        "Preemption is not helpful for scheduling" if refusal.final else "No preemption victims found for incoming pod"
        for refusal in refusals.values()
    )
    return f"0/{len(refusals)} nodes are available: {_counted(outcomes)}."


def _counted(reasons: Iterable[str]) -> str:
    return ", ".join(sorted(f"{count} {reason}" for reason, count in Counter(reasons).items()))
