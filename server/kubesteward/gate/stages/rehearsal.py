"""The twin: what would follow. A blocking finding ends it here; what is unknown is told to whoever approves."""

from __future__ import annotations

import time

from kubesteward.gate.case import Case, allow, deny, warn
from kubesteward_policies.verdict import Verdict
from kubesteward_tools.twin.rehearse import rehearse

STAGE = "rehearsal"


async def rehearsal(case: Case) -> Verdict:
    found = case.rehearsal = rehearse(case.world.store, case.change.calls, now=time.time(), unseen=case.world.forbidden)
    blocking = next((item for item in found.findings if item.severity == "block"), None)
    if blocking is not None:
        return deny(STAGE, blocking.rule, blocking.message, blocking.remedy)
    if found.verdict == "unknown":
        return warn(STAGE, "rehearsal.unknown", found.assumptions[0], "Decide with that in mind.")
    if found.verdict == "warn":
        first = found.findings[0]
        return warn(STAGE, first.rule, first.message, first.remedy)
    return allow(STAGE, "rehearsal.safe", "safe in the best and in the worst case")
