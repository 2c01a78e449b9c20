"""One proposed change with everything that was said and done about it: the record that outlives every process."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from kubesteward_policies.change import Change
from kubesteward_policies.verdict import Verdict
from kubesteward_tools.twin.rehearsal import Rehearsal

Status = Literal[
    "previewed",
    "blocked",
    "pending_approval",
    "approved",
    "rejected",
    "expired",
    "executing",
    "unknown",
    "executed",
    "failed",
]
"""`unknown`: the change was sent and nobody knows yet what became of it; it is looked up until it is known."""

STEPS: dict[Status, frozenset[Status]] = {
    "previewed": frozenset(),
    "blocked": frozenset(),
    "pending_approval": frozenset({"approved", "rejected", "expired"}),
    "approved": frozenset({"executing", "expired"}),
    "rejected": frozenset(),
    "expired": frozenset(),
    "executing": frozenset({"executing", "unknown", "executed", "failed", "blocked", "pending_approval"}),
    "unknown": frozenset({"unknown", "executed", "failed"}),
    "executed": frozenset({"executed"}),
    "failed": frozenset({"failed"}),
}
"""Which status may follow which; what was executed or failed is written once more when it has been verified, and when
it has been rolled back.
"""

FINAL = frozenset({"previewed", "blocked", "rejected", "expired", "executed", "failed"})


class Approval(BaseModel):
    """A decision of a person. Times in epoch seconds; `latency` from the question to the answer."""

    model_config = ConfigDict(frozen=True)

    approver: str
    channel: str
    approved: bool
    digest: str
    at: float
    latency: float
    comment: str = ""


class Difference(BaseModel):
    """One value of one object before and after the change, redacted; `path` is "" for an object that comes or goes."""

    model_config = ConfigDict(frozen=True)

    object: str
    path: str
    before: str
    after: str


class Action(BaseModel):
    """`digest` covers the change, its rehearsal and the versions of its targets: it is what gets approved.

    `server` is the API server that it was judged against, `home` the process that proposed it, `executor` the one that
    executes it. `diff` is that of the API server's dry run, when it was last judged. `done` counts the calls that were
    answered; `intended` says that the first may have left. `reverts` is the action that this one takes back,
    `reverted_by` the one that has taken this one back. `required` persons have to agree; with 0 it runs alone.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    status: Status
    principal: str
    client: str = ""
    channel: str = ""
    change: Change
    justification: str = ""
    idempotency_key: str = ""
    server: str = ""
    home: str = ""
    created: float
    asked: float
    expires: float
    verdicts: tuple[Verdict, ...] = ()
    rehearsal: Rehearsal | None = None
    diff: tuple[Difference, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)
    digest: str = ""
    approvals: tuple[Approval, ...] = ()
    executor: str = ""
    intended: bool = False
    done: int = 0
    snapshot: str = ""
    outcome: str = ""
    verified: bool | None = None
    misses: tuple[str, ...] = ()
    required: int = 1
    reverts: str = ""
    reverted_by: str = ""

    def shown(self) -> dict[str, Any]:
        """As JSON for clients, without what only the gate's processes tell each other."""
        return self.model_dump(mode="json", exclude=_INTERNAL)


_INTERNAL = {"diff", "idempotency_key", "home", "executor", "intended", "snapshot"}
