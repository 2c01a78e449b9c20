"""Which verdicts may quote the cluster: the words of admission policies, webhooks, authorizers, schedulers and events.

Whoever wrote such a text must not speak in KubeSteward's name, so it is shown as data, apart from our own sentences.
What is not known to be in our own words counts as a quotation.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubesteward_policies.verdict import Decision, Verdict

_REHEARSED = (
    "availability.",
    "change.",
    "config.",
    "data.",
    "deletion.",
    "failure.",
    "network.",
    "pdb.",
    "pod.",
    "rehearsal.failed",
    "rehearsal.safe",
    "service.",
    "workload.",
)
"""Findings that name objects and numbers and nothing else."""


def quotes(verdict: Verdict) -> bool:
    if verdict.decision == Decision.ALLOW:
        return False
    if verdict.stage == "rehearsal":
        return not verdict.rule_id.startswith(_REHEARSED)
    return verdict.stage in {"server_dry_run", "rights"} or verdict.rule_id.endswith(".unanswered")


def in_own_words(verdict: Verdict) -> str:
    """The reason, or where it is to be found."""
    return "the reason stands below, as it was told" if quotes(verdict) else verdict.reason


def quotations(verdicts: Iterable[Verdict]) -> str:
    """The reasons that quote, a line each; "" where none does. To be fenced."""
    return "\n".join(f"{item.stage} {item.rule_id}: {item.reason}" for item in verdicts if quotes(item))
