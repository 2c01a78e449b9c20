"""All that an investigation knows, as it is stored after each step: whoever has it can go on where it stopped."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from kubesteward.reasoning.brains.base import Message, Usage

Status = Literal["running", "paused", "cancelled", "done", "failed"]
Outcome = Literal["ANSWERED", "INCONCLUSIVE", "HEALTHY"]
IntentKind = Literal["DIAGNOSTIC", "INFORMATIONAL", "ACTION", "PLAN"]
Verdict = Literal["supports", "refutes", "neutral"]
Found = Literal["true", "false", "unknown", "disputed"]


class Culprit(BaseModel):
    """An object. `namespace` is "" for kinds without."""

    kind: str
    namespace: str = ""
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class Intent(BaseModel):
    """What is wanted, and of what. `ambiguous` are the other objects that may have been meant."""

    kind: IntentKind = "DIAGNOSTIC"
    target: Culprit | None = None
    namespace: str = ""
    ambiguous: list[Culprit] = Field(default_factory=list)


class Packet(BaseModel):
    """What is known before anybody thinks: sections of text by name, and the digest of what does not age."""

    sections: dict[str, str] = Field(default_factory=dict)
    digest: str = ""
    tokens: int = 0


class Hypothesis(BaseModel):
    """`standing` is what the evidence has made of it, 0 to 1."""

    id: str
    category: str
    culprit: Culprit | None = None
    because: str = ""
    confirms: list[str] = Field(default_factory=list)
    refutes: list[str] = Field(default_factory=list)
    standing: float = 0.5


class Evidence(BaseModel):
    """What a call says about a hypothesis; `call` is the number of a call that was made."""

    hypothesis: str
    call: str
    tool: str = ""
    verdict: Verdict
    weight: float
    says: str


class Claim(BaseModel):
    """Something in an answer that can be looked up. `sentence` is where it stands, `why` what was found instead;
    "disputed": two readings of the cluster do not agree. `others` are objects nearby that it may be said of as well.
    """

    kind: str
    subject: Culprit | None = None
    value: str = ""
    sentence: str = ""
    verdict: Found = "unknown"
    why: str = ""
    others: list[Culprit] = Field(default_factory=list, exclude=True)

    @property
    def said(self) -> tuple[str, str, str]:
        """The same for a claim that is made twice."""
        return self.kind, str(self.subject), self.value


class Recommendation(BaseModel):
    """`actions` as simulate_impact takes them, with what came of rehearsing each; `saved` is the record's id."""

    text: str = ""
    actions: list[dict[str, Any]] = Field(default_factory=list)
    saved: str = ""


class Draft(BaseModel):
    """A conclusion that is not yet checked."""

    status: Outcome
    answer: str
    category: str = ""
    culprit: Culprit | None = None
    since: str = ""
    confidence: float = 0.0
    ruled_out: list[str] = Field(default_factory=list)
    recommendation: Recommendation = Field(default_factory=Recommendation)
    claims: list[Claim] = Field(default_factory=list)


class Call(BaseModel):
    """A call of a tool. `by` is the brain that wanted it, `spilled` the number of a result that is kept beside."""

    number: str
    tool: str
    arguments: dict[str, Any]
    says: str = ""
    is_error: bool = False
    why: str = ""
    by: str = ""
    spilled: str = ""


class Step(BaseModel):
    """One line of the explanation. `at` is RFC 3339."""

    step: str
    detail: str
    at: str
    tool_call: str = ""


class Budget(BaseModel):
    """Limits of one investigation; money in dollars, time in seconds."""

    turns: int = Field(24, ge=1, le=200)
    seconds: float = Field(600.0, gt=0, le=86_400)
    tokens: int = Field(400_000, ge=1)
    usd: float = Field(2.0, ge=0)


class Spent(BaseModel):
    """`seconds` is time in which it was worked on; `money` in millionths of a dollar, None where nobody knows."""

    turns: int = 0
    seconds: float = 0.0
    calls: int = 0
    failed_calls: int = 0
    money: int | None = 0
    tokens: dict[str, int] = Field(default_factory=dict)
    saturation: float = 0.0

    def add(self, usage: Usage) -> None:
        self.tokens = (Usage.from_json({**Usage().to_json(), **self.tokens}) + usage).to_json()

    @property
    def total(self) -> int:
        return sum(self.tokens.get(name, 0) for name in ("input", "output", "cache_read", "cache_write"))


class Checked(BaseModel):
    """Claims that were looked at over all drafts, and those that were false."""

    claims: int = 0
    false: int = 0
    disputed: int = 0
    sent_back: int = 0

    @property
    def rate(self) -> float:
        return self.false / self.claims if self.claims else 0.0


class Investigation(BaseModel):
    """`phase` is the step to be done next, "" when all are. `unchecked` are sentences of the answer that nobody could
    look up.
    """

    id: str
    principal: str
    question: str
    asked: dict[str, str] = Field(default_factory=dict)
    brain: str = ""
    model: str = ""
    brain_status: str = ""
    budget: Budget = Field(default_factory=Budget)
    status: Status = "running"
    reason: str = ""
    phase: str = ""
    created: float = 0.0
    intent: Intent = Field(default_factory=Intent)
    packet: Packet = Field(default_factory=Packet)
    hypotheses: list[Hypothesis] = Field(default_factory=list)
    evidence: list[Evidence] = Field(default_factory=list)
    calls: list[Call] = Field(default_factory=list)
    messages: list[dict[str, Any]] = Field(default_factory=list)
    unexplained: int = 0
    repeated: int = 0
    doubts: int = 0
    draft: Draft | None = None
    claims: list[Claim] = Field(default_factory=list)
    unchecked: list[str] = Field(default_factory=list)
    checked: Checked = Field(default_factory=Checked)
    spent: Spent = Field(default_factory=Spent)
    trace: list[Step] = Field(default_factory=list)
    reused: str = ""
    saved_steps: int = 0

    @property
    def over(self) -> bool:
        return self.status in {"cancelled", "done", "failed"}

    @property
    def talk(self) -> tuple[Message, ...]:
        return tuple(Message.from_json(item) for item in self.messages)

    def say(self, message: Message) -> None:
        self.messages.append(message.to_json())

    def hypothesis(self, name: str) -> Hypothesis | None:
        return next((item for item in self.hypotheses if item.id == name), None)
