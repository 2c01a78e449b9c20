"""One proposed change with everything that was said and done about it: the record that outlives every process."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from kubesteward_policies.change import Change
from kubesteward_policies.persons import Person, objection
from kubesteward_policies.verdict import Decision, Verdict
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
    "pending_approval": frozenset({"pending_approval", "approved", "rejected", "expired"}),
    "approved": frozenset({"executing", "expired"}),
    "rejected": frozenset(),
    "expired": frozenset(),
    "executing": frozenset({"executing", "unknown", "executed", "failed", "blocked", "pending_approval"}),
    "unknown": frozenset({"unknown", "executed", "failed"}),
    "executed": frozenset({"executed"}),
    "failed": frozenset({"failed"}),
}
"""Which status may follow which; what was executed or failed is written once more when it has been verified and when it
has been rolled back, and what waits for two persons when the first has agreed.
"""

FORM = "elicitation"
"""The channel of a client's form: the requester is asked there, through the client that proposed."""

FINAL = frozenset({"previewed", "blocked", "rejected", "expired", "executed", "failed"})


class Approval(BaseModel):
    """A decision of a person. Times in epoch seconds; `latency` from the question to the answer.

    `account` is the operating system's behind a terminal, "" where a token or a client's form was used.
    """

    model_config = ConfigDict(frozen=True)

    approver: str
    channel: str
    approved: bool
    digest: str
    at: float
    latency: float
    comment: str = ""
    account: str = ""


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
    `reverted_by` the one that has taken this one back. `kubernetes_user` and `kubernetes_groups` are whom every request
    is made for, whoever approves and whichever process executes ("": the server's own account). `correlation` and
    `session` are those of the call that proposed it, `actor` is the kind of who called.

    `required` is how many persons have to agree, 0 for what runs alone. `heard` is how many of the approvals are of an
    earlier question, about what the change would have done then: they stay on record and count no more.
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
    kubernetes_user: str = ""
    kubernetes_groups: tuple[str, ...] = ()
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
    correlation: str = ""
    session: str = ""
    actor: str = "agent"
    outcome: str = ""
    verified: bool | None = None
    misses: tuple[str, ...] = ()
    required: int = 1
    heard: int = 0
    account: str = ""
    pods: dict[str, int] = Field(default_factory=dict)
    restarts: tuple[str, ...] = ()
    reverts: str = ""
    reverted_by: str = ""

    @property
    def automatic(self) -> bool:
        """Whether it runs without a person."""
        return self.required == 0

    @property
    def agreed(self) -> tuple[Approval, ...]:
        """The approvals that count for the action as it is now."""
        return tuple(item for item in self.approvals[self.heard :] if item.approved and item.digest == self.digest)

    @property
    def protected(self) -> bool:
        """Whether a rule that nobody can configure away leaves it to people: no form of a client is enough then."""
        return any(item.stage == "immutable" and item.decision is Decision.NEEDS_APPROVAL for item in self.verdicts)

    def objection(self, approver: str, channel: str, account: str = "") -> str:
        """Why the yes of somebody would not count now, "" where it would."""
        if channel == FORM and self.protected:
            return "what it touches is protected: no form of a client is enough"
        agreed = [Person(item.approver, item.account) for item in self.agreed]
        return objection(self.required, Person(self.principal, self.account), agreed, Person(approver, account))

    @property
    def waiting(self) -> str:
        """For whom it waits, with who has agreed so far; "" where it waits for nobody."""
        if self.status != "pending_approval":
            return ""
        if self.agreed:
            told = f"{len(self.agreed)} of {self.required} persons have agreed, {self.agreed[0].approver} first"
            return f"{told}: it waits for a second person"
        return "it waits for a person" if self.required < 2 else f"it waits for {self.required} persons"

    @property
    def denied_by(self) -> list[str]:
        """The guardrails that block it, from which somebody may grant an exception; not those that are unreadable."""
        found = [item for item in self.verdicts if (item.stage, item.decision) == ("guardrails", Decision.DENY)]
        return [item.rule_id for item in found if self.status == "blocked" and item.rule_id != "guardrails.unusable"]

    @property
    def exception(self) -> str:
        """The command by which somebody other than the requester excepts a blocked change; "" where nothing helps."""
        if not self.denied_by:
            return ""
        return f'kubesteward policy except {self.denied_by[0]} --action {self.id} --justification "..."'

    @property
    def who(self) -> tuple[str, ...]:
        return (self.kubernetes_user, *self.kubernetes_groups) if self.kubernetes_user else ()

    def shown(self) -> dict[str, Any]:
        """As JSON for clients, without what only the gate's processes tell each other."""
        return {**self.model_dump(mode="json", exclude=_INTERNAL), "waiting": self.waiting, "exception": self.exception}


_INTERNAL = {
    "diff",
    "idempotency_key",
    "home",
    "executor",
    "intended",
    "snapshot",
    "heard",
    "account",
    "pods",
    "restarts",
    "correlation",
    "session",
    "actor",
}
