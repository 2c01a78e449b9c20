"""What a witness says about a candidate: lines for it and against it, a story, and a fix that it knows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kubesteward_tools.proposals.proposal import Proposal


@dataclass(frozen=True, slots=True)
class Testimony:
    """`story` is sentences about what came before; `fix` says what `proposal` does, the fix to rehearse then."""

    evidence: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    story: tuple[str, ...] = ()
    fix: str = ""
    proposal: Proposal | None = None

    @classmethod
    def joined(cls, heard: Iterable[Testimony]) -> Testimony:
        """All that was said; the first fix counts."""
        found = list(heard)
        first = next((one for one in found if one.proposal), cls())
        return cls(
            tuple(line for one in found for line in one.evidence),
            tuple(line for one in found for line in one.against),
            tuple(line for one in found for line in one.story),
            first.fix,
            first.proposal,
        )
