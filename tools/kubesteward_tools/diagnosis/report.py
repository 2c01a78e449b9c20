"""A verdict in words: the object, what is wrong with it, the evidence, what follows from it, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from kubesteward_policies.ref import Ref
from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.ranking import Ranked
from kubesteward_tools.diagnosis.reading import kind_of, listed, named
from kubesteward_tools.proposals.proposal import Proposal
from kubesteward_tools.text.fence import clean
from kubesteward_tools.text.redact import redact
from kubesteward_tools.twin.clock import timestamp
from kubesteward_tools.world.store import Key

LONGEST = 1200
"""Characters of a diagnosis."""
_EVIDENCE = 320


@dataclass(frozen=True)
class Finding:
    """One root cause. `culprit` is None where nothing is blamed. `proposal` is what may be rehearsed, if anything."""

    category: str
    culprit: Ref | None
    diagnosis: str
    confidence: float
    evidence: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    explains: tuple[str, ...] = ()
    fix: str = ""
    since: str = ""
    proposal: Proposal | None = None

    def beside(self, lines: Iterable[str]) -> Finding:
        """The same with what else is on record, as far as there is room for it."""
        shown = self.diagnosis
        for line in map(_line, lines):
            if len(shown) + len(line) + 12 <= LONGEST:
                shown = f"{shown} {'|' if shown is not self.diagnosis else 'On record:'} {line}"
        return replace(self, diagnosis=clean(shown, LONGEST))

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "category": self.category,
            "culprit": {"kind": self.culprit.kind, "name": self.culprit.name, "namespace": self.culprit.namespace}
            if self.culprit
            else None,
            "diagnosis": self.diagnosis,
            "confidence": round(self.confidence, 2),
            "evidence": list(self.evidence),
        }
        extra = {"against": list(self.against), "explains": list(self.explains), "fix": self.fix, "since": self.since}
        return found | {name: value for name, value in extra.items() if value}


def finding(one: Ranked, cluster: str, roll_out: str = "") -> Finding:
    candidate = one.candidate
    evidence = tuple(_line(item) for item in dict.fromkeys(candidate.evidence) if item)
    explains = tuple(f"{item.category}: {named(item.culprit)}" for item in one.explains)
    since = timestamp(candidate.since) if candidate.since else ""
    return Finding(
        candidate.category,
        ref(candidate.culprit, cluster),
        _diagnosis(candidate, evidence, explains, since, roll_out),
        min(one.score, 0.99),
        evidence,
        candidate.against,
        explains,
        redact(candidate.fix),
        since,
        candidate.proposal,
    )


def ref(key: Key, cluster: str) -> Ref:
    return Ref(cluster, key.resource.partition(".")[2], kind_of(key.resource), key.namespace, key.name)


def _line(text: str) -> str:
    return redact(clean(" ".join(text.split()), _EVIDENCE))


def _diagnosis(
    candidate: Candidate, evidence: tuple[str, ...], explains: tuple[str, ...], since: str, roll_out: str
) -> str:
    sentence = redact(clean(" ".join(candidate.sentence.split()), 800))
    parts = [f"{candidate.category}: {sentence[:1].upper()}{sentence[1:]}"]
    if candidate.fix:
        parts.append(f"Fix: {redact(candidate.fix)}")
    if roll_out:
        parts.append(roll_out)
    if evidence:
        parts.append(f"Evidence: {' | '.join(evidence)}")
    if explains:
        parts.append(f"It explains {listed(explains, 4)}.")
    if since:
        parts.append(f"Since {since}.")
    return clean(" ".join(parts), LONGEST)
