"""How many persons have to agree: as many as the strictest stage asks for."""

from __future__ import annotations

from kubesteward.gate.case import Case, allow, ask
from kubesteward_policies.fixes import expects
from kubesteward_policies.verdict import Decision, Verdict, persons_needed

STAGE = "approval"
_TELLING = frozenset({"rehearsal", "server_dry_run"})
"""Stages whose warnings somebody has to read: nothing that they warn of runs alone."""


async def approval(case: Case) -> Verdict:
    if case.dry_run:
        return allow(STAGE, "approval.preview", "a preview needs none")
    needed = persons_needed(case.verdicts)
    if needed > 1:
        reason = "two persons have to agree; the second is neither the first nor the requester"
        return ask(STAGE, "approval.two", reason, persons=2)
    if needed:
        return ask(STAGE, "approval.person", "a person has to agree")
    if not case.alone and (warned := _warned(case)):
        return ask(STAGE, "approval.warned", f"a person has to agree: {warned.stage} warns ({warned.rule_id})")
    if not case.caller.can_be_asked and not case.justification:
        reason = "a person has to agree: the change came without a justification, and its client cannot be asked"
        return ask(STAGE, "approval.unjustified", reason, "Propose it with a justification.")
    return allow(STAGE, "approval.alone", "no stage asks for a person: it runs alone")


def _warned(case: Case) -> Verdict | None:
    warnings = (item for item in case.verdicts if item.decision is Decision.WARN)
    return next((item for item in warnings if item.stage in _TELLING and not _expected(case, item)), None)


def _expected(case: Case, verdict: Verdict) -> bool:
    """The verdict names one finding; all that warn have to be such as the change always gets."""
    if verdict.stage != "rehearsal" or case.rehearsal is None:
        return False
    warnings = (item for item in case.rehearsal.findings if item.severity == "warn")
    return all(expects(case.change, item.rule, item.object) for item in warnings)
