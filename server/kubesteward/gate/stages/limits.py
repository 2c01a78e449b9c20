"""The hard limit of what runs alone: so many pods in an hour, of the cluster and of each namespace."""

from __future__ import annotations

import time

from kubesteward.gate.automatic import Automatic
from kubesteward.gate.case import Case, allow, ask
from kubesteward_policies.limits import HOUR, excess
from kubesteward_policies.verdict import Verdict, persons_needed

STAGE = "limits"


async def limits(case: Case) -> Verdict:
    if case.dry_run:
        return allow(STAGE, "limits.preview", "a preview changes nothing")
    if case.rehearsal is not None:
        case.pods = dict(case.rehearsal.blast_radius.spread)
    if persons_needed(case.verdicts):
        return allow(STAGE, "limits.person", "only what runs alone is counted")
    return within_limits(case)


def within_limits(case: Case) -> Verdict:
    """Also asked in the transaction that adds what runs alone."""
    if case.alone:
        return allow(STAGE, "limits.rollback", "it takes back what was counted when it was done")
    used = Automatic(case.store).pods(case.world.server, time.time() - HOUR, case.action)
    store = case.world.store
    there = {space: store.count("pods", space) for space in case.pods}
    over = excess(case.pods, used, there, store.count("pods"), case.settings.auto_pods_per_hour)
    if over:
        return ask(STAGE, "limits.pods", over, "A person can let it through, or wait until the hour is over.")
    return allow(STAGE, "limits.ok", "within the hourly limits")
