"""Outcomes as plain data. Every sentence is clean and without secrets, for it may quote a manifest."""

from __future__ import annotations

from collections import Counter
from typing import Any

from kubesteward_policies.check import Severity
from kubesteward_tools.checks.run import Outcome, Report
from kubesteward_tools.lookup.shown import sentence


def message(outcome: Outcome) -> str:
    return sentence(outcome.message, 500)


def finding(outcome: Outcome) -> dict[str, Any]:
    """`{check, severity, object, message, fix}`, and where, why and by which controls as far as that is known."""
    check = outcome.check
    found: dict[str, Any] = {
        "check": check.id,
        "severity": outcome.severity.value,
        "object": sentence(str(outcome.object), 400),
        "message": message(outcome),
        "fix": check.fix,
        "kind": outcome.object.kind,
        "namespace": outcome.object.namespace,
        "name": sentence(outcome.object.name),
        "title": check.title,
        "why": check.why,
        "category": check.category,
        "controls": {key: list(value) for key, value in check.frameworks.items()},
    }
    if outcome.object.cluster:
        found["cluster"] = outcome.object.cluster
    if outcome.path:
        found["field"] = sentence(outcome.where, 200)
    if outcome.place is not None:
        found |= {"file": outcome.place.source, "line": outcome.place.line}
    if outcome.details:
        found["details"] = dict(outcome.details)
    if outcome.ignored:
        found["ignored"] = sentence(outcome.ignored)
    return found


def counted(report: Report) -> dict[str, int]:
    """Open findings by severity, the gravest first."""
    counts = Counter(item.severity for item in report.open)
    return {severity.value: counts[severity] for severity in reversed(Severity) if counts[severity]}


def summary(report: Report) -> str:
    """`3 findings (1 high, 2 low) in 4 objects by 90 checks; 1 ignored with a reason`."""
    counts = counted(report)
    told = ", ".join(f"{number} {severity}" for severity, number in counts.items())
    ignored = len(report.outcomes) - len(report.open)
    return (
        f"{_many(sum(counts.values()), 'finding')}{f' ({told})' if told else ''} in {_many(report.objects, 'object')} "
        f"by {_many(report.checks, 'check')}" + (f"; {ignored} ignored with a reason" if ignored else "")
    )


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
