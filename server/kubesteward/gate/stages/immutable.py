"""Rules in code that nobody can configure away."""

from __future__ import annotations

from kubesteward.gate.case import Case, allow, deny
from kubesteward_policies.immutable import judge
from kubesteward_policies.verdict import Verdict

STAGE = "immutable"


async def immutable(case: Case) -> Verdict:
    broken = judge(case.change)
    if broken is not None:
        return deny(STAGE, broken.rule, broken.reason, broken.remedy)
    return allow(STAGE, "immutable.ok", "no immutable rule speaks against it")
