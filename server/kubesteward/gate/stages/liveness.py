"""The dead man's switch: in safe mode nothing is judged further. What counts is listed in `gate.safety`."""

from __future__ import annotations

from kubesteward.execution.snapshot import keys
from kubesteward.gate.case import Case, allow, ask, deny, warn
from kubesteward_policies.verdict import Verdict

STAGE = "liveness"


async def liveness(case: Case) -> Verdict:
    touched = {key.resource for key in keys(case.world, case.change)}
    found = await case.pulse.trouble(case.world, touched)
    if found is None:
        return allow(STAGE, "liveness.ok", "the world is fresh, the store can be written, the audit log is intact")
    if not found.alone:
        return deny(STAGE, found.rule, f"safe mode: {found.reason}", found.remedy)
    return (warn if case.dry_run else ask)(STAGE, found.rule, found.reason, found.remedy)
