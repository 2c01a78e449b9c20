"""What one stage of the gate says about one change."""

from __future__ import annotations

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
    """`took_ms` is wall time and no part of the digest: the same decision made slower is the same decision."""

    stage: str
    decision: Decision
    rule_id: str
    reason: str
    remediation: str = ""
    took_ms: float = 0.0

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
        }
