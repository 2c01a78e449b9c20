"""Plays the tape of an investigation again: with the brain it had, for nothing, or with another, to compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubesteward.reasoning.brains.base import Brain, BrainOffline
from kubesteward.reasoning.loop import answer, loop
from kubesteward.reasoning.loop.case import Case, Tell
from kubesteward.reasoning.loop.state import Investigation
from kubesteward.reasoning.loop.tape import PlayedBrain, PlayedHands, Tape
from kubesteward.reasoning.running import Thinking


@dataclass
class Scratch:
    """Where a replay keeps what nobody needs afterwards."""

    results: list[str] = field(default_factory=list)

    def save(self, body: Mapping[str, Any], owner: str) -> None:
        """Replays are not kept."""

    def wished(self, name: str) -> str:
        return ""

    def spill(self, name: str, text: str) -> int:
        self.results.append(text)
        return len(self.results)

    def record(self, name: str, kind: str, digest: str, body: Mapping[str, Any]) -> None:
        """There is a tape already."""


@dataclass(frozen=True)
class Played:
    """`before` and `after` are records; `missing` counts calls that nobody had made when it was recorded."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    missing: int

    def differences(self) -> dict[str, tuple[Any, Any]]:
        """What was concluded otherwise."""
        named = {
            "status": ("status",),
            "category": ("root_cause", "category"),
            "culprit": ("root_cause", "culprit"),
            "answer": ("answer",),
        }
        pairs = {name: (_at(self.before, path), _at(self.after, path)) for name, path in named.items()}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _at(record: Mapping[str, Any], path: Sequence[str]) -> Any:
    found: Any = record
    for step in path:
        found = (found or {}).get(step)
    return found


async def replay(
    original: Investigation,
    rows: Sequence[tuple[str, str, Mapping[str, Any]]],
    thinking: Thinking | None = None,
    tell: Tell = lambda _step, _text: None,
) -> Played:
    """With `thinking` instead of the brain that it had. Tools answer what they answered then.

    Raises:
        BrainOffline: the brain cannot go on; of a tape that is played as it is, it then is not whole.
    """
    tape = Tape.of(rows)
    if not tape.tools:
        raise BrainOffline("nothing was recorded", "Replay an investigation that has begun.")
    brain: Brain = (
        PlayedBrain(tape, original.brain, original.model, _provider(original)) if thinking is None else thinking.brain
    )
    hands = PlayedHands(tape)
    fresh = Investigation(
        id=original.id,
        principal=original.principal,
        question=original.question,
        asked={name: text for name, text in original.asked.items() if name != "brain"},
        budget=original.budget,
        brain=brain.name,
        model=brain.model,
        created=original.created,
    )
    case = Case(fresh, hands, brain, Scratch(), tell=tell, clock=lambda: original.created)
    if thinking is not None:
        case.priced, case.withheld = thinking.priced, thinking.withheld
    await loop.run(case)
    return Played(answer.record(original), answer.record(fresh), hands.missing)


def _provider(original: Investigation) -> str:
    """The loop shows results to the built-in brain as data."""
    return original.brain if original.brain == "builtin" else "tape"
