"""What one stage of the gate says about one change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kubesteward_policies.digest import digest


class Decision(StrEnum):
    """Ordered from harmless to final; the first DENY ends the gate's walk."""

    ALLOW = "allow"
    WARN = "warn"
    NEEDS_APPROVAL = "needs_approval"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`took_ms` is wall time and no part of the digest: the same decision made slower is the same decision.

    `persons` is how many have to agree where the decision is NEEDS_APPROVAL: 1 or 2.
    """

    stage: str
    decision: Decision
    rule_id: str
    reason: str
    remediation: str = ""
    took_ms: float = 0.0
    persons: int = 0

    @property
    def digest(self) -> str:
        return digest({key: value for key, value in self.as_json().items() if key != "took_ms"})

    def as_json(self) -> dict[str, Any]:
        return {
            "stage": self.stage,
            "decision": self.decision.value,
            "rule_id": self.rule_id,
            "reason": self.reason,
            "remediation": self.remediation,
            "took_ms": self.took_ms,
            "persons": self.persons,
        }


def persons_needed(verdicts: Iterable[Verdict]) -> int:
    """How many have to agree, by the strictest of the verdicts; 0 when none of them asks."""
    asking = (item for item in verdicts if item.decision is Decision.NEEDS_APPROVAL)
    return max((max(1, item.persons) for item in asking), default=0)
