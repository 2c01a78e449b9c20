"""What a rehearsal returns: plain data that can be shown, kept, compared and digested."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from kubesteward_policies.digest import digest

Verdict = Literal["safe", "warn", "blocked", "unknown"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Admission(_Frozen):
    """The answer to one API call of the change, as the API server would give it; `why` are budgets that forbid it."""

    call: str
    allowed: bool
    code: int
    reason: str = ""
    message: str = ""
    why: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class Step(_Frozen):
    """`t` is in virtual seconds from the change."""

    t: float
    object: str
    what: str


class Pending(_Frozen):
    """A pod that no node takes, with the scheduler's words."""

    pod: str
    message: str


class Effects(_Frozen):
    created: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    pods_started: int = 0
    pods_stopped: int = 0
    pending: tuple[Pending, ...] = ()
    blocked: tuple[str, ...] = ()


class Availability(_Frozen):
    """Ready pods of a workload, or ready endpoints of a Service: before, fewest on the way, and at the end.

    `best` assumes that new pods become ready, `worst` that they never do.
    """

    object: str
    before: int
    best_min: int
    best_after: int
    worst_min: int
    worst_after: int


class Concern(_Frozen):
    """A finding, as `kubesteward_policies.finding.Finding` in JSON form."""

    rule: str
    severity: Literal["info", "warn", "block"]
    object: str
    message: str
    remedy: str = ""


class BlastRadius(_Frozen):
    """Pods started or stopped, and their share of all pods there were; what else depends on them.

    `spread` counts pods by namespace: the greater of those started and those stopped, so that one replaced counts once.
    """

    objects: int = 0
    pods: int = 0
    share_of_namespace: float = 0.0
    share_of_cluster: float = 0.0
    spread: dict[str, int] = Field(default_factory=dict)
    dependents: tuple[str, ...] = ()


class Rehearsal(_Frozen):
    """`verdict` is unknown whenever something that matters was not simulated, and never safe then."""

    verdict: Verdict
    admission: tuple[Admission, ...]
    timeline: tuple[Step, ...] = ()
    effects: Effects = Effects()
    availability: tuple[Availability, ...] = ()
    findings: tuple[Concern, ...] = ()
    blast_radius: BlastRadius = BlastRadius()
    assumptions: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        return digest(self.model_dump(mode="json"))

    def render(self) -> str:
        """A compact page for people and models."""
        lines = [f"Rehearsal: {self.verdict}"]
        lines += [f"  {item.severity}: {item.message} [{item.rule}] {item.remedy}".rstrip() for item in self.findings]
        effects = self.effects
        lines.append(f"Pods started {effects.pods_started}, stopped {effects.pods_stopped}; {self._share()}")
        lines += [f"  pending {item.pod}: {item.message}" for item in effects.pending[:5]]
        for item in self.availability:
            best = f"best case {item.best_min} at least, {item.best_after} at the end"
            worst = f"worst case {item.worst_min}, {item.worst_after}"
            lines.append(f"  {item.object}: ready {item.before} before; {best}; {worst}")
        lines += [f"  unknown: {text}" for text in self.assumptions]
        return "\n".join(lines)

    def _share(self) -> str:
        radius = self.blast_radius
        return f"blast radius {radius.pods} pods ({radius.share_of_namespace:.0%} of the namespace's)"
