"""A verdict in words: the object, what is wrong with it, the evidence, what follows from it, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kubesteward_policies.ref import Ref
from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.ranking import Ranked
from kubesteward_tools.diagnosis.reading import kind_of, listed, named
from kubesteward_tools.lookup.shown import sentence
from kubesteward_tools.proposals.proposal import Proposal
from kubesteward_tools.text.fence import clean
from kubesteward_tools.twin.clock import timestamp
from kubesteward_tools.world.store import Key

LONGEST = 1200
"""Characters of a diagnosis."""
_EVIDENCE = 320
_SAID = 800
_STORY = 500


@dataclass(frozen=True)
class Finding:
    """One root cause. `culprit` is None where nothing is blamed. `proposal` is what may be rehearsed, if anything.

    `ruled_out` and `look_next` belong to Inconclusive: what does not explain it, and where a person would look now.
    """

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
    ruled_out: tuple[str, ...] = ()
    look_next: tuple[str, ...] = ()
    said: str = ""
    """What is wrong, alone: the diagnosis has all the rest too."""

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
            "against": list(self.against),
        }
        extra = {
            "explains": list(self.explains),
            "fix": self.fix,
            "since": self.since,
            "ruled_out": list(self.ruled_out),
            "look_next": list(self.look_next),
        }
        return found | {name: value for name, value in extra.items() if value}


def finding(one: Ranked, cluster: str, story: Sequence[str] = ()) -> Finding:
    """`story` is what happened before it, in sentences."""
    candidate = one.candidate
    evidence = tuple(_line(item) for item in dict.fromkeys(candidate.evidence) if item)
    explains = tuple(f"{item.category}: {named(item.culprit)}" for item in one.explains)
    against = tuple(_line(item) for item in dict.fromkeys(candidate.against) if item)
    since = timestamp(candidate.since) if candidate.since else ""
    told = tuple(sentence(item, _STORY) for item in story)
    return Finding(
        candidate.category,
        ref(candidate.culprit, cluster),
        _diagnosis(replace(candidate, against=against), evidence, explains, since, told),
        min(one.score, 0.99),
        tuple(dict.fromkeys([*evidence, *told])),
        against,
        explains,
        sentence(candidate.fix, _SAID),
        since,
        candidate.proposal,
        said=_said(candidate),
    )


def ref(key: Key, cluster: str) -> Ref:
    return Ref(cluster, key.resource.partition(".")[2], kind_of(key.resource), key.namespace, key.name)


def _line(text: str) -> str:
    return sentence(text, _EVIDENCE)


def _said(candidate: Candidate) -> str:
    said = sentence(candidate.sentence, _SAID)
    return f"{said[:1].upper()}{said[1:]}"


def _diagnosis(
    candidate: Candidate, evidence: tuple[str, ...], explains: tuple[str, ...], since: str, story: tuple[str, ...]
) -> str:
    parts = [f"{candidate.category}: {_said(candidate)}"]
    if candidate.fix:
        parts.append(f"Fix: {sentence(candidate.fix, _SAID)}")
    if since:
        parts.append(f"Since {since}.")
    if story:
        parts.append(sentence(" ".join(story), _STORY))
    if evidence:
        parts.append(f"Evidence: {' | '.join(evidence).rstrip('.')}.")
    if explains:
        parts.append(f"It explains {listed(explains, 4)}.")
    against = " | ".join(candidate.against)
    parts.append(f"Against it: {against.rstrip('.') or 'nothing was found'}.")
    return clean(" ".join(parts), LONGEST)
