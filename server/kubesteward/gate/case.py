"""What the stages of the gate look at while they judge one change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kubesteward.audit.actors import actor, behind
from kubesteward.audit.log import AuditLog
from kubesteward.execution.apply import Writing
from kubesteward.gate.action import Action
from kubesteward.gate.process import account
from kubesteward.gate.safety import Pulse
from kubesteward.gate.writers import Reviewer
from kubesteward.settings import Settings
from kubesteward.store.store import Store
from kubesteward_policies.change import Change
from kubesteward_policies.persons import Person
from kubesteward_policies.verdict import Decision, Verdict
from kubesteward_tools.twin.rehearsal import Rehearsal
from kubesteward_tools.world.world import World


@dataclass(frozen=True, slots=True)
class Caller:
    """Who proposes: `principal` is the person or service, `can_be_asked` whether the client can show them a form.

    `user` and `groups` are the Kubernetes identity on whose behalf everything is asked and done ("": the server's own),
    `tiers` those whose tools the caller may use (None: all). `correlation` is the call that this one is made for, ""
    where it stands for itself.
    """

    principal: str
    client: str = ""
    session: str = ""
    channel: str = ""
    can_be_asked: bool = False
    user: str = ""
    groups: tuple[str, ...] = ()
    tiers: frozenset[int] | None = None
    correlation: str = ""

    @property
    def who(self) -> tuple[str, ...]:
        return (self.user, *self.groups) if self.user else ()


def proposer(action: Action) -> Caller:
    """Who proposed an action, for judging and doing more on their behalf."""
    user, groups = action.kubernetes_user, action.kubernetes_groups
    return Caller(action.principal, action.client, channel=action.channel, user=user, groups=groups)


def person(caller: Caller) -> Person:
    """The caller as somebody to be told apart from who agrees. Over stdio they are at this machine."""
    return Person(caller.principal, account() if caller.channel == "stdio" else "")


def actor_of(caller: Caller) -> dict[str, Any]:
    """As audit records name them."""
    kind = behind(caller.channel, can_be_asked=caller.can_be_asked)
    return actor(kind, caller.principal, client=caller.client, kubernetes_user=caller.user, channel=caller.channel)


@dataclass(slots=True)
class Case:
    """`writer` is None where nothing can be written, `reviewer` where the world itself is asked what may be.

    `rehearsal`, `versions`, `permissions` (what the reviews said) and `answers` (the API server's to the dry run, by
    number of the call) are filled in by the stages that make them, `verdicts` by the walk. `action` is the id of what
    is judged once more, "" for a new change. `pods` (by namespace) and `restarts` (workloads) are what the change would
    take of the hourly limits and of the restart ladder, `exceptions` the ids of those that it uses. `alone` says that
    it takes back what ran without a person.
    """

    change: Change
    dry_run: bool
    settings: Settings
    store: Store
    audit: AuditLog
    world: World
    writer: Writing | None
    caller: Caller
    pulse: Pulse
    justification: str = ""
    rehearsal: Rehearsal | None = None
    versions: dict[str, str] = field(default_factory=dict)
    answers: dict[int, dict[str, Any]] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    action: str = ""
    pods: dict[str, int] = field(default_factory=dict)
    restarts: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = ()
    alone: bool = False
    reviewer: Reviewer | None = None
    permissions: list[dict[str, Any]] = field(default_factory=list)


def allow(stage: str, rule: str, reason: str) -> Verdict:
    return Verdict(stage, Decision.ALLOW, rule, reason)


def warn(stage: str, rule: str, reason: str, remediation: str = "") -> Verdict:
    return Verdict(stage, Decision.WARN, rule, reason, remediation)


def ask(stage: str, rule: str, reason: str, remediation: str = "", persons: int = 1) -> Verdict:
    return Verdict(stage, Decision.NEEDS_APPROVAL, rule, reason, remediation, persons=persons)


def deny(stage: str, rule: str, reason: str, remediation: str = "") -> Verdict:
    return Verdict(stage, Decision.DENY, rule, reason, remediation)
