"""How far the operator lets changes go in the cluster and namespaces that they touch. Previews are always allowed."""

from __future__ import annotations

from kubesteward.gate.case import Case, allow, ask, deny
from kubesteward.gate.levels import level_for, scene
from kubesteward_policies.fixes import fitting
from kubesteward_policies.tiers import Autonomy
from kubesteward_policies.verdict import Verdict

STAGE = "autonomy"


async def autonomy(case: Case) -> Verdict:
    level = level_for(case)
    if case.dry_run:
        return allow(STAGE, "autonomy.preview", "a preview executes nothing")
    if case.settings.read_only:
        return deny(STAGE, "autonomy.read_only", "this server is read-only", "Preview the change with dry_run=true.")
    if level is Autonomy.ADVISOR:
        remedy = "Preview it with dry_run=true; the operator can start the server with --autonomy 2."
        return deny(STAGE, "autonomy.advisor", "at autonomy 1 (advisor) nothing is executed", remedy)
    if level is Autonomy.COPILOT:
        return ask(STAGE, "autonomy.copilot", "at autonomy 2 (copilot) every action needs a person")
    if level is Autonomy.GUARDIAN:
        return _guardian(case)
    return allow(STAGE, "autonomy.agent", "autonomy 4 (agent): it may run alone within the limits")


def _guardian(case: Case) -> Verdict:
    if case.alone:
        return allow(STAGE, "autonomy.rollback", "autonomy 3 (guardian): it takes back what ran alone")
    name, why = fitting(case.change, scene(case), case.settings.allow_auto_fix)
    if name:
        return allow(STAGE, f"autonomy.{name}", f"autonomy 3 (guardian): {name} may run alone; {why}")
    allowed = ", ".join(case.settings.allow_auto_fix) or "none"
    reason = f"at autonomy 3 (guardian) only allowed fixes run alone ({allowed}), and this is none"
    return ask(STAGE, "autonomy.guardian", reason)
