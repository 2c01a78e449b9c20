"""The operator's guardrails over an object that somebody is about to apply, before there is any change to rehearse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubesteward_policies.judge import Ruling, judge
from kubesteward_policies.rules import RuleSet
from kubesteward_tools.checks.inventory import Subject
from kubesteward_tools.twin.cel import compiled
from kubesteward_tools.twin.clock import timestamp

_TOOL, _TIER, _AUTONOMY = "apply_manifest", 4, 2


def rulings(
    rules: RuleSet, subject: Subject, old: Mapping[str, Any] | None, space: Mapping[str, Any] | None, now: float
) -> tuple[tuple[Ruling, ...], tuple[str, ...]]:
    """What rules say of applying it, the strictest last; and the ids of those that have to wait for a rehearsal.

    `old` is the object as it is, `space` its namespace; None where there is none.
    """
    waiting = tuple(rule.id for rule in rules.rules if rule.rehearsed)
    asked = [rule for rule in rules.rules if not rule.rehearsed]
    return judge(asked, [_situation(subject, old, space, now)], compiled), waiting


def _situation(
    subject: Subject, old: Mapping[str, Any] | None, space: Mapping[str, Any] | None, now: float
) -> dict[str, Any]:
    ref = subject.ref
    return {
        "change": {"tool": _TOOL, "tier": _TIER, "calls": 1},
        "call": {
            "verb": "create" if old is None else "patch",
            "group": ref.group,
            "kind": ref.kind,
            "namespace": subject.space,
            "name": ref.name,
            "subresource": "",
            "body": subject.obj,
        },
        "object": subject.obj,
        "oldObject": old,
        "namespaceObject": space,
        "rehearsal": None,
        "request": {"user": "", "client": "", "channel": "", "dryRun": True, "justification": ""},
        "cluster": {"name": ref.cluster},
        "now": timestamp(now),
        "autonomy": _AUTONOMY,
    }
