"""PodDisruptionBudgets. Evictions ask them; roll-outs, scale-downs and deletes do not: those are measured here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubesteward_tools.twin import disruption
from kubesteward_tools.twin.findings.evidence import Evidence, Run, name
from kubesteward_tools.twin.rehearsal import Concern
from kubesteward_tools.world.store import Key, Object


def broken(evidence: Evidence) -> Iterator[Concern]:
    for run, words in evidence.runs():
        for key, lowest in sorted(run.watcher.budget_lowest.items()):
            budget = evidence.origin.get(key)
            if budget is None:
                continue
            before = disruption.status(evidence.origin, budget)
            if before["currentHealthy"] >= before["desiredHealthy"] and lowest < _least(run, key, before):
                yield Concern(
                    rule="pdb.broken",
                    severity="block",
                    object=name(key),
                    message=f"{name(key)} wants {before['desiredHealthy']} healthy pods and would have {lowest}{words}",
                    remedy=f"{_way_out(evidence, budget, before['desiredHealthy'])}, or change the budget first.",
                )


def loosened(evidence: Evidence) -> Iterator[Concern]:
    """A budget that protects fewer pods than before, or none any more: whatever drains next may stop them all."""
    for key, before, after in evidence.touched(evidence.best, "poddisruptionbudgets.policy"):
        if before is None:
            continue
        wanted = disruption.status(evidence.origin, before)["desiredHealthy"]
        left = disruption.status(evidence.origin, after)["desiredHealthy"] if after else 0
        if left < wanted:
            yield Concern(
                rule="pdb.loosened",
                severity="warn",
                object=name(key),
                message=f"{name(key)} would keep {left} pods from being evicted instead of {wanted}",
                remedy="Restore it as soon as what needs this is done.",
            )


def _way_out(evidence: Evidence, budget: Object, wanted: int) -> str:
    """Pods that are gone for good do not come back more gently."""
    if disruption.status(evidence.best.store, budget)["currentHealthy"] < wanted:
        return f"Leave at least {wanted} of its pods running"
    return "Use a gentler strategy (maxUnavailable 0)"


def _least(run: Run, key: Key, before: dict[str, Any]) -> int:
    """What the budget wants; one that the change itself loosens wants less."""
    left = run.store.get(key)
    wanted = disruption.status(run.store, left)["desiredHealthy"] if left else before["desiredHealthy"]
    return int(min(before["desiredHealthy"], wanted))
