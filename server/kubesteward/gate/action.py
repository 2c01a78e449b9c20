"""One proposed change with everything that was said and done about it: the record that outlives every process."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from kubesteward_policies.change import Change
from kubesteward_policies.verdict import Verdict
from kubesteward_tools.twin.rehearsal import Rehearsal

Status = Literal[
    "previewed", "blocked", "pending_approval", "approved", "rejected", "expired", "executing", "executed", "failed"
]
FINAL = frozenset({"previewed", "blocked", "rejected", "expired", "executed", "failed"})


class Approval(BaseModel):
    """A decision of a person. Times in epoch seconds; `latency` from the question to the answer."""

    model_config = ConfigDict(frozen=True)

    approver: str
    channel: str
    approved: bool
    at: float
    latency: float
    comment: str = ""


class Action(BaseModel):
    """`digest` covers the change, its rehearsal and the versions of its targets: it is what gets approved."""

    model_config = ConfigDict(frozen=True)

    id: str
    status: Status
    principal: str
    client: str = ""
    change: Change
    justification: str = ""
    idempotency_key: str = ""
    created: float
    expires: float
    verdicts: tuple[Verdict, ...] = ()
    rehearsal: Rehearsal | None = None
    versions: dict[str, str] = Field(default_factory=dict)
    digest: str = ""
    approvals: tuple[Approval, ...] = ()
    snapshot: tuple[dict[str, Any], ...] = ()
    executor: int = 0
    outcome: str = ""
    verified: bool | None = None
