"""What the stages of the gate look at while they judge one change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kubesteward.audit.actors import actor, behind
from kubesteward.audit.log import AuditLog
from kubesteward.execution.apply import Writing
from kubesteward.gate.safety import Pulse
from kubesteward.settings import Settings
from kubesteward.store.store import Store
from kubesteward_policies.change import Change
from kubesteward_policies.verdict import Decision, Verdict
from kubesteward_tools.twin.rehearsal import Rehearsal
from kubesteward_tools.world.world import World


@dataclass(frozen=True, slots=True)
class Caller:
    """Who proposes: `principal` is the person or service, `can_be_asked` whether the client can show them a form."""

    principal: str
    client: str = ""
    session: str = ""
    channel: str = ""
    can_be_asked: bool = False


def actor_of(caller: Caller) -> dict[str, Any]:
    """As audit records name them."""
    kind = behind(caller.channel, can_be_asked=caller.can_be_asked)
    user = getattr(caller, "user", "")
    return actor(kind, caller.principal, client=caller.client, kubernetes_user=user, channel=caller.channel)


@dataclass(slots=True)
class Case:
    """`writer` is None where nothing can be written. `rehearsal`, `versions`, `permissions` (what the reviews said)
    and `answers` (the API server's to the dry run, by number of the call) are filled in by the stages that make them.
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
    permissions: list[dict[str, Any]] = field(default_factory=list)


def allow(stage: str, rule: str, reason: str) -> Verdict:
    return Verdict(stage, Decision.ALLOW, rule, reason)


def warn(stage: str, rule: str, reason: str, remediation: str = "") -> Verdict:
    return Verdict(stage, Decision.WARN, rule, reason, remediation)


def ask(stage: str, rule: str, reason: str, remediation: str = "") -> Verdict:
    return Verdict(stage, Decision.NEEDS_APPROVAL, rule, reason, remediation)


def deny(stage: str, rule: str, reason: str, remediation: str = "") -> Verdict:
    return Verdict(stage, Decision.DENY, rule, reason, remediation)
