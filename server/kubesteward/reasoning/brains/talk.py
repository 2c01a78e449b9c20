"""A conversation as the built-in brain reads it: what was asked, what was called, and the data that came back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property

from kubesteward.reasoning.brains.base import Ask, Json, ToolCall, ToolResult

MOST_FINDINGS = 4
_BACK = "Your conclusion was looked up"


@dataclass(frozen=True)
class Talk:
    """What the conversation says so far."""

    ask: Ask
    heads: Json = field(default_factory=dict)

    @classmethod
    def of(cls, ask: Ask) -> Talk:
        first = ask.messages[0].text.partition("\n\n")[0] if ask.messages else ""
        pairs = (line.partition(": ") for line in first.splitlines())
        return cls(ask, {name: value for name, _, value in pairs})

    @cached_property
    def calls(self) -> dict[str, ToolCall]:
        return {call.id: call for message in self.ask.messages for call in message.calls}

    @cached_property
    def results(self) -> list[tuple[ToolCall, str, Json]]:
        """Call, its number and its data; without what went wrong."""
        found = []
        for message in self.ask.messages:
            for part in message.parts:
                if isinstance(part, ToolResult) and part.call_id in self.calls and not part.is_error:
                    body = _parsed(part.text)
                    if body.get("data"):
                        found.append((self.calls[part.call_id], str(body["call"]), dict(body["data"])))
        return found

    @property
    def failed(self) -> list[str]:
        """Why calls failed, and what to do then."""
        parts = [part for message in self.ask.messages for part in message.parts if isinstance(part, ToolResult)]
        data = [_parsed(part.text).get("data") or {} for part in parts if part.is_error]
        told = (f"{item.get('message', '')} {item.get('todo', '')}".strip() for item in data)
        return [text for text in told if text]

    def has(self, name: str) -> bool:
        """Whether it was called, whatever came of it."""
        return any(call.name == name for call in self.calls.values())

    @property
    def findings(self) -> list[Json]:
        found = [data.get("findings") or [] for call, _, data in self.results if call.name == "diagnose"]
        return list(found[0])[:MOST_FINDINGS] if found else []

    @property
    def false(self) -> list[str]:
        """Sentences that were sent back."""
        told = [message.text for message in self.ask.messages if message.text.startswith(_BACK)]
        return [line[2:] for text in told for line in text.splitlines() if line.startswith("- ")]


def _parsed(text: str) -> Json:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def call(talk: Talk, name: str, arguments: Json, place: int = 0) -> ToolCall:
    """Ids are by place, so that the same conversation leads to the same calls."""
    return ToolCall(f"call-{len(talk.calls) + 1 + place}", name, arguments)
