"""How far the operator lets changes go. Previews are always allowed."""

from __future__ import annotations

from kubesteward.gate.case import Case, allow, deny
from kubesteward_policies.tiers import Autonomy
from kubesteward_policies.verdict import Verdict

STAGE = "autonomy"


async def autonomy(case: Case) -> Verdict:
    level = Autonomy(case.settings.autonomy)
    if case.dry_run:
        return allow(STAGE, "autonomy.preview", "a preview executes nothing")
    if case.settings.read_only:
        return deny(STAGE, "autonomy.read_only", "this server is read-only", "Preview the change with dry_run=true.")
    if level is Autonomy.ADVISOR:
        remedy = "Preview it with dry_run=true; the operator can start the server with --autonomy 2."
        return deny(STAGE, "autonomy.advisor", "at autonomy 1 (advisor) nothing is executed", remedy)
    return allow(STAGE, "autonomy.level", f"autonomy {int(level)}: a person decides")
