"""The dead man's switch: no mutation on a stale world, nor where it could not be written down what happened."""

from __future__ import annotations

from kubesteward.gate.case import Case, allow, deny
from kubesteward.store.store import StoreUnusable
from kubesteward_policies.verdict import Verdict

STAGE = "liveness"
MAX_STALENESS = 30.0


async def liveness(case: Case) -> Verdict:
    staleness = case.world.staleness()
    if staleness > MAX_STALENESS:
        reason = f"the view of {case.world.cluster!r} is {staleness:.0f} s old"
        return deny(STAGE, "liveness.stale", reason, "Wait until the API server answers again.")
    try:
        case.store.probe()
    except StoreUnusable as error:
        return deny(STAGE, "liveness.store", error.message, error.todo)
    found = await case.audit.intact()
    if not found.ok:
        remedy = "Run `kubesteward audit verify`; until the log is sound this server only reads."
        return deny(STAGE, "liveness.audit", f"the audit log is broken: {found.reason}", remedy)
    return allow(STAGE, "liveness.ok", "the world is fresh, the store can be written, the audit log is intact")
