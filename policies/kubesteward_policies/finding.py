"""One thing that a rule has to say about one object."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kubesteward_policies.digest import digest
from kubesteward_policies.ref import Ref


class Severity(StrEnum):
    """`BLOCK` stops a change, `WARN` is shown to whoever approves it, `INFO` is worth knowing."""

    INFO = "info"
    WARN = "warn"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Finding:
    """`rule` is a stable id such as `pdb.availability`; `message` says what is wrong; `remedy` what to do about it."""

    rule: str
    severity: Severity
    object: Ref
    message: str
    remedy: str = ""

    @property
    def digest(self) -> str:
        return digest(self)

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "severity": self.severity.value,
            "object": self.object.as_json(),
            "message": self.message,
            "remedy": self.remedy,
        }
