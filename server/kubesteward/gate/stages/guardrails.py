"""The operator's own rules, twice: what needs no rehearsal before the API server is asked, the rest after it.

A rule that cannot be read or evaluated denies. Every denial is told to the log and the audit log, for alerts.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from kubesteward.audit.actors import CORRELATION
from kubesteward.gate.case import Case, person
from kubesteward.gate.exceptions import Exceptions
from kubesteward.guardrails.history import History
from kubesteward.guardrails.situations import situations
from kubesteward.guardrails.sources import GuardrailsUnusable, gathered
from kubesteward_policies.exceptions import mark
from kubesteward_policies.judge import Ruling, judge
from kubesteward_policies.rules import Effect, RuleSet
from kubesteward_policies.verdict import Decision, Verdict

STAGE = "guardrails"
_DECISIONS = {
    Effect.WARN: Decision.WARN,
    Effect.REQUIRE_APPROVAL: Decision.NEEDS_APPROVAL,
    Effect.REQUIRE_TWO: Decision.NEEDS_APPROVAL,
    Effect.DENY: Decision.DENY,
}
_RANKS = list(Decision)
_PERSONS = {Effect.REQUIRE_APPROVAL: 1, Effect.REQUIRE_TWO: 2}
log = logging.getLogger(__name__)


async def guardrails(case: Case) -> tuple[Verdict, ...]:
    return _verdicts(case, rehearsed=False)


async def guardrails_rehearsed(case: Case) -> tuple[Verdict, ...]:
    return _verdicts(case, rehearsed=True)


def _verdicts(case: Case, *, rehearsed: bool) -> tuple[Verdict, ...]:
    """One for each rule that speaks, the strictest last."""
    from kubesteward_tools.twin.cel import compiled

    try:
        rules = _rules(case)
    except GuardrailsUnusable as error:
        verdict = Verdict(STAGE, Decision.DENY, "guardrails.unusable", error.message, error.todo)
        _alert(case, verdict, "")
        return (verdict,)
    asked = [rule for rule in rules.rules if rule.rehearsed == rehearsed]
    rulings = judge(asked, situations(case), compiled) if asked else ()
    found = (_excepted(case, _verdict(ruling)) for ruling in rulings)
    verdicts = tuple(sorted(found, key=lambda item: _RANKS.index(item.decision)))
    for verdict in verdicts:
        if verdict.decision is Decision.DENY:
            _alert(case, verdict, rules.digest)
    about = f"none of {len(asked)} rules of {rules.digest[7:19]} speaks against it"
    return verdicts or (Verdict(STAGE, Decision.ALLOW, "guardrails.ok", about),)


def _rules(case: Case) -> RuleSet:
    configured = gathered(case.settings.policies)
    return History(case.store, case.audit).in_force(configured, case.settings.principal)


def _verdict(ruling: Ruling) -> Verdict:
    reason = f"{ruling.message}; excepted: {ruling.exempted}" if ruling.exempted else ruling.message
    persons = _PERSONS.get(ruling.effect, 0)
    return Verdict(STAGE, _DECISIONS[ruling.effect], ruling.rule, reason, ruling.remediation, persons=persons)


def _excepted(case: Case, verdict: Verdict) -> Verdict:
    """A denial for which somebody granted an exception is a question to a person instead."""
    if verdict.decision is not Decision.DENY:
        return verdict
    known = Exceptions(case.store, case.audit)
    found = known.find(verdict.rule_id, mark(case.change, case.world.server), person(case.caller), case.action)
    if found is None:
        return verdict
    case.exceptions = (*case.exceptions, found.id)
    reason = f"{verdict.reason}; excepted by {found.grantor} ({found.id}): {found.justification}"
    return replace(verdict, decision=Decision.NEEDS_APPROVAL, reason=reason, persons=1)


def _alert(case: Case, verdict: Verdict, digest: str) -> None:
    """Without texts of the change: a line of the log goes to places that nobody here knows."""
    record = {
        "type": "guardrail_violation",
        "rule": verdict.rule_id,
        "tool": case.change.tool,
        "cluster": case.world.cluster,
        "target": str(case.change.target),
        "principal": case.caller.principal,
        "correlation": CORRELATION.get(),
        "dry_run": case.dry_run,
        "rules": digest,
    }
    log.warning("guardrail violated: %s", " ".join(f"{key}={value!r}" for key, value in record.items()))
    case.audit.append({**record, "reason": verdict.reason})
