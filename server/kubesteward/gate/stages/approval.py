"""Whether a person has to agree. In this version always."""

from __future__ import annotations

from kubesteward.gate.case import Case, allow
from kubesteward_policies.verdict import Decision, Verdict

STAGE = "approval"


async def approval(case: Case) -> Verdict:
    if case.dry_run:
        return allow(STAGE, "approval.preview", "a preview needs none")
    return Verdict(STAGE, Decision.NEEDS_APPROVAL, "approval.person", "a person has to agree")
