"""Outcomes as SARIF, with the writer that rehearsals have; ignored ones are suppressed results with their reason.

Source: OASIS SARIF 2.1.0, sections 3.27 (result) and 3.35 (suppression).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kubesteward_policies.check import Check, Severity
from kubesteward_tools.checks.reports.data import message, summary
from kubesteward_tools.checks.run import Outcome, Report
from kubesteward_tools.pictures.escapes import line
from kubesteward_tools.pictures.sarif import SCHEMA, driver, physical

_LEVELS = {Severity.LOW: "note", Severity.MEDIUM: "warning", Severity.HIGH: "error", Severity.CRITICAL: "error"}
_SCORES = {Severity.LOW: "2.0", Severity.MEDIUM: "5.0", Severity.HIGH: "7.5", Severity.CRITICAL: "9.5"}
"""What code scanning sorts security findings by: below 4, 7 and 9 it shows low, medium and high."""
_RESULTS = 5000


def log(report: Report, version: str, exit_code: int) -> dict[str, Any]:
    """The whole log, with one run."""
    outcomes = _gravest(report.outcomes)
    checks = sorted({item.check.id: item.check for item in outcomes}.items())
    numbers = {name: number for number, (name, _) in enumerate(checks)}
    run = {
        "tool": {"driver": driver(version, [_rule(check) for _, check in checks])},
        "automationDetails": {"id": "kubesteward/check/"},
        "invocations": [{"executionSuccessful": True, "exitCode": exit_code}],
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "Where the manifests' paths begin."}}},
        "columnKind": "unicodeCodePoints",
        "results": _results(outcomes, numbers),
        "properties": {"summary": summary(report)},
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _gravest(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """As many as code scanning takes, in the report's order."""
    ranked = sorted(range(len(outcomes)), key=lambda at: (bool(outcomes[at].ignored), -outcomes[at].severity.rank))
    return [outcomes[at] for at in sorted(ranked[:_RESULTS])]


def _results(outcomes: Iterable[Outcome], numbers: Mapping[str, int]) -> list[dict[str, Any]]:
    """A check that tells several things of one field has a fingerprint for each."""
    found: Counter[str] = Counter()
    results = []
    for item in outcomes:
        key = _key(item)
        results.append(_result(item, numbers[item.check.id], f"{key}\n{found[key]}" if found[key] else key))
        found[key] += 1
    return results


def _key(item: Outcome) -> str:
    return f"{item.check.id}\n{item.object}\n{item.where}\n{item.place.source if item.place else ''}"


def _rule(check: Check) -> dict[str, Any]:
    tags = [check.category, *(f"{name}-{number}" for name, found in check.frameworks.items() for number in found)]
    security = check.category in {"security", "access", "network"}
    return {
        "id": check.id,
        "name": "".join(word.capitalize() for word in check.id.split("-")),
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": check.why},
        "help": {"text": check.fix},
        "defaultConfiguration": {"level": _LEVELS[check.severity]},
        "properties": {"tags": tags, **({"security-severity": _SCORES[check.severity]} if security else {})},
    }


def _result(item: Outcome, number: int, key: str) -> dict[str, Any]:
    name = line(str(item.object))
    location: dict[str, Any] = {
        "logicalLocations": [{"fullyQualifiedName": name, "name": line(item.object.name), "kind": "object"}]
    }
    if item.place is not None:
        location = {"physicalLocation": physical(item.place), **location}
    found = {
        "ruleId": item.check.id,
        "ruleIndex": number,
        "level": _LEVELS[item.severity],
        "message": {"text": line(f"{message(item)}. {item.check.fix}", 4000)},
        "locations": [location],
        "partialFingerprints": {"finding/v1": hashlib.sha256(key.encode()).hexdigest()},
    }
    if item.ignored:
        found["suppressions"] = [{"kind": "inSource", "justification": line(item.ignored, 500)}]
    return found
