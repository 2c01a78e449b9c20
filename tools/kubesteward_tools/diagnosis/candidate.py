"""What an analyser says: one possible cause, the object to blame for it, and what speaks for and against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kubesteward_tools.proposals.proposal import Proposal
from kubesteward_tools.world.store import Key

Category = Literal[
    "CrashLoop",
    "OOMKilled",
    "ImagePull",
    "Pending",
    "PVC",
    "Quota",
    "ConfigMissing",
    "ProbeFailure",
    "ServiceRouting",
    "Ingress",
    "NetworkPolicy",
    "DNS",
    "RBAC",
    "HPA",
    "JobFailure",
    "PDB",
    "InitStuck",
    "NodePressure",
    "NodeNotReady",
    "CPUThrottling",
    "ScaledToZero",
    "WrongCommand",
    "AdmissionWebhook",
    "PodSecurity",
    "AppError",
    "BadRollout",
    "CertificateExpired",
    "MemoryGrowth",
    "NoisyNeighbour",
    "Healthy",
    "Inconclusive",
]

BLAMED = 0.6
"""From this confidence on a candidate is blamed though nobody has complained about it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """`suffers` are the objects in trouble because of it, `needs` what those could not reach or wait for.

    `confidence` (0..1) is how sure the analyser is that this is a fault at all; `since` epoch seconds, None if unknown.
    `fix` says in words what `proposal`, where there is one, does.
    """

    category: Category
    culprit: Key
    sentence: str
    confidence: float
    evidence: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    fix: str = ""
    proposal: Proposal | None = None
    since: float | None = None
    suffers: tuple[Key, ...] = ()
    needs: tuple[Key, ...] = ()
    generic: bool = False
    """It tells what happened rather than why, and gives way to any cause that explains it."""
