"""What a loopback server answers, turn by turn, in words that fit all providers; and what it was asked.

server.script = Script(
    Turn(think="It restarts.", say="Looking at the pods.", calls=(Use("diagnose", {"namespace": "shop"}),)),
    Fail(429, retry_after="2"),
    lambda heard: Turn(say=f"It said {heard.results}"),
)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Use:
    """A call of a tool. Arguments that are a text go out as they are, whole JSON or not."""

    name: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict)


@dataclass(frozen=True)
class Turn:
    """One answer: thinking, then text, then calls. `ends`: at its limit of tokens, or with a refusal.

    `cut`: the connection ends before the answer does. `stream`: it ends in order, with a piece missing.
    """

    say: str = ""
    think: str = ""
    calls: tuple[Use, ...] = ()
    ends: Literal["", "truncated", "refused"] = ""
    cut: Literal["", "connection", "stream"] = ""
    input: int = 100
    output: int = 20
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0


@dataclass(frozen=True)
class Fail:
    """A failure in the provider's form; "" stands for its usual word. `streaming`: after the answer has begun."""

    status: int
    message: str = "that did not work"
    code: str = ""
    retry_after: str = ""
    location: str = ""
    streaming: bool = False


@dataclass(frozen=True)
class Stall:
    """Nothing comes any more, `begun` says after what: the headers, or not even those."""

    begun: bool = False


@dataclass(frozen=True)
class Garbage:
    """A stream of something that is no JSON."""


@dataclass(frozen=True)
class Raw:
    """An answer as somebody's server gives it, byte by byte."""

    body: bytes
    status: int = 200
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Heard:
    """A request that was valid. `results`: the results of tools that came with it, by the call's id or the tool."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    system: str
    said: str
    results: Mapping[str, str]
    tools: tuple[str, ...]


Told = Callable[[dict[str, Any]], tuple[str, str]]
"""Whose result a message of a tool is, and what it says."""


def heard(path: str, headers: Mapping[str, str], body: dict[str, Any], told: Told) -> Heard:
    """Of a body as Chat and Ollama have it."""
    messages = body["messages"]
    last = max((n for n, message in enumerate(messages) if message["role"] == "assistant"), default=-1)
    said = [message["content"] for message in messages if message["role"] == "user"]
    return Heard(
        path,
        headers,
        body,
        "".join(message["content"] for message in messages if message["role"] == "system"),
        said[-1] if said else "",
        dict(told(found) for found in messages[last + 1 :] if found["role"] == "tool"),
        tuple(tool["function"]["name"] for tool in body.get("tools", ())),
    )


Answer = Turn | Fail | Stall | Garbage | Raw
Entry = Answer | Callable[[Heard], Answer]


class Script:
    """Entries are used up one by one; where they are, the server says so with a 400, which no brain tries again."""

    def __init__(self, *entries: Entry) -> None:
        self._entries = list(entries)

    @property
    def left(self) -> int:
        return len(self._entries)

    def next(self, heard: Heard) -> Answer:
        if not self._entries:
            return Fail(400, "the script is over")
        entry = self._entries.pop(0)
        return entry(heard) if callable(entry) else entry
