"""Whether a person has to agree. In this version always."""

from __future__ import annotations

from kubesteward.gate.case import Case, allow, ask
from kubesteward_policies.verdict import Verdict

STAGE = "approval"


async def approval(case: Case) -> Verdict:
    if case.dry_run:
        return allow(STAGE, "approval.preview", "a preview needs none")
    return ask(STAGE, "approval.person", "a person has to agree")
