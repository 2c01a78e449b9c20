"""The dead man's switch: no mutation on a stale world or with an audit log that cannot be trusted."""

from __future__ import annotations

from kubesteward.gate.case import Case, allow, deny
from kubesteward_policies.verdict import Verdict

STAGE = "liveness"
MAX_STALENESS = 30.0


async def liveness(case: Case) -> Verdict:
    staleness = case.world.staleness()
    if staleness > MAX_STALENESS:
        reason = f"the view of {case.world.cluster!r} is {staleness:.0f} s old"
        return deny(STAGE, "liveness.stale", reason, "Wait until the API server answers again.")
    if not case.audit.intact():
        return deny(
            STAGE, "liveness.audit", "the audit log does not fit its own end", "Run `kubesteward audit verify`."
        )
    return allow(STAGE, "liveness.ok", "the world is fresh and the audit log intact")
