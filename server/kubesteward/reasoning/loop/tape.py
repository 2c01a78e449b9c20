"""The tape of an investigation: every answer of a brain and every call, by the digest of what was asked; and the brain
and the hands that play it again, for nothing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubesteward.reasoning.brains.base import (
    Ask,
    BrainOffline,
    CallMade,
    Done,
    Event,
    Health,
    TextDelta,
    ToolSpec,
    Usage,
    estimate,
    event_from_json,
)
from kubesteward.reasoning.ledger import answers
from kubesteward.reasoning.loop import calls
from kubesteward.reasoning.loop.hands import Result


def digest_of(ask: Ask) -> str:
    """Of a question to a brain."""
    return answers.digest_of(ask.to_json())


@dataclass
class Tape:
    """`asks` are answers as JSON, `made` results of tools as JSON; both by digest, in the order of recording."""

    asks: dict[str, dict[str, Any]] = field(default_factory=dict)
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    tools: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, rows: Sequence[tuple[str, str, Mapping[str, Any]]]) -> Tape:
        found = cls()
        for kind, digest, body in rows:
            if kind == "ask":
                found.asks[digest] = dict(body)
            elif kind == "call":
                found.made[digest] = dict(body)
            elif kind == "tools":
                found.tools = list(body["tools"])
        return found


class PlayedBrain:
    """Answers what it was asked when the tape was recorded; anything else it cannot answer."""

    provider = "tape"
    local = True

    def __init__(self, tape: Tape, name: str, model: str, provider: str) -> None:
        self._tape = tape
        self.name, self.model, self.provider = name, model, provider

    async def stream(self, ask: Ask) -> AsyncGenerator[Event, None]:
        """Raises BrainOffline where it was not asked that."""
        body = self._tape.asks.get(digest_of(ask))
        if body is None:
            raise BrainOffline("this is not on the tape", "Replay with a brain that can think: --brain.")
        done = event_from_json(body)
        assert isinstance(done, Done)  # noqa: S101 - as it was recorded
        yield TextDelta(done.message.text)
        for call in done.message.calls:
            yield CallMade(call)
        yield Done(done.message, done.stop, Usage(), done.brain, done.model)

    def count(self, ask: Ask) -> int:
        return estimate(ask)

    async def check(self) -> Health:
        return Health(ok=bool(self._tape.asks), reason="the tape is empty" if not self._tape.asks else "")

    async def close(self) -> None:
        """Nothing is open."""


class PlayedHands:
    """What tools answered when the tape was recorded. What was not asked then is not known."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self.missing = 0

    async def tools(self) -> Sequence[ToolSpec]:
        return [ToolSpec.from_json(item) for item in self._tape.tools]

    async def call(self, tool: str, /, **arguments: Any) -> Result:
        kept = self._tape.made.get(calls.digest_of(tool, arguments)) or self._alike(tool, arguments)
        if kept is None:
            self.missing += 1
            text = "Not on the tape: nobody asked this when it was recorded. Go by what is known."
            return calls.Said(text, {"code": "NOT_RECORDED", "message": text}, is_error=True)
        return calls.Said(kept["text"], kept["data"], kept["is_error"])

    def _alike(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any] | None:
        """The same question in another form."""
        wanted = calls.meaning(tool, arguments)
        played = (kept for kept in self._tape.made.values() if kept["tool"] == tool)
        return next((kept for kept in played if calls.meaning(tool, kept["arguments"]) == wanted), None)
