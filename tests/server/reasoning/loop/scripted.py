"""A brain without a provider, which says what it is told to; and tools without a server, for what needs no cluster."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

from kubesteward.reasoning.brains.base import (
    Ask,
    BrainError,
    CallMade,
    Done,
    Event,
    Health,
    Message,
    Stop,
    Text,
    TextDelta,
    ToolCall,
    ToolSpec,
    Usage,
    Waiting,
)
from kubesteward.reasoning.loop.calls import Said

Entry = Message | BrainError | Waiting | Stop | Callable[[Ask], Message]


def says(text: str, *calls: tuple[str, dict[str, Any]]) -> Message:
    made = tuple(
        ToolCall(f"{name}-{number}-{hash(text) % 9973}", name, given) for number, (name, given) in enumerate(calls)
    )
    return Message("assistant", (*((Text(text),) if text else ()), *made))


class Scripted:
    """The last entry is said for ever."""

    name = "scripted"
    provider = "scripted"
    model = "model"
    local = True

    def __init__(self, *entries: Entry, size: int = 100, used: Usage | None = None) -> None:
        self._entries = list(entries)
        self._size = size
        self._used = used or Usage(input=10, output=5)
        self.asks: list[Ask] = []

    async def stream(self, ask: Ask) -> AsyncGenerator[Event, None]:
        self.asks.append(ask)
        entry = self._entries.pop(0) if len(self._entries) > 1 else self._entries[0]
        if isinstance(entry, BrainError):
            raise entry
        if isinstance(entry, Waiting):
            yield entry
            return
        if isinstance(entry, str):
            yield Done(Message("assistant", ()), entry, self._used, self.name, self.model)
            return
        message = entry(ask) if callable(entry) else entry
        yield TextDelta(message.text)
        for call in message.calls:
            yield CallMade(call)
        yield Done(message, "tools" if message.calls else "end", self._used, self.name, self.model)

    def count(self, ask: Ask) -> int:
        return self._size * len(ask.messages)

    async def check(self) -> Health:
        return Health(ok=True)

    async def close(self) -> None:
        """Nothing is open."""


class Pretend:
    """Tools that answer with a text."""

    def __init__(self, text: str = "14 pods, all well") -> None:
        self.made: list[tuple[str, dict[str, Any]]] = []
        self._text = text

    async def tools(self) -> Sequence[ToolSpec]:
        return [
            ToolSpec(name, "Look", {"type": "object"})
            for name in ("diagnose", "get_logs", "get_resource_yaml", "investigate")
        ]

    async def call(self, tool: str, /, **arguments: Any) -> Said:
        self.made.append((tool, arguments))
        return Said(self._text, {"items": []}, is_error=False)


IDEAS = {
    "hypotheses": [
        {"id": f"h{number}", "category": category, "because": "it could be", "confirms": ["a"], "refutes": ["b"]}
        for number, category in enumerate(("OOMKilled", "CrashLoop", "Pending"), 1)
    ]
}
WEIGHED = {"evidence": [{"hypothesis": "h1", "call": "1", "verdict": "refutes", "weight": 0.9, "says": "no"}]}
END = {"status": "INCONCLUSIVE", "answer": "Nothing decides it."}
