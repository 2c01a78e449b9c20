"""Each provider with its loopback server and its brain, and what tests ask them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.server.reasoning.loopback.anthropic import AnthropicServer
from tests.server.reasoning.loopback.chat import ChatServer
from tests.server.reasoning.loopback.ollama import OllamaServer
from tests.server.reasoning.loopback.openai import OpenAIServer
from tests.server.reasoning.loopback.server import MODEL, Loopback

from kubesteward.reasoning.brains.addresses import address
from kubesteward.reasoning.brains.anthropic import AnthropicBrain
from kubesteward.reasoning.brains.base import Ask, Done, Event, Message, Text, ToolSpec
from kubesteward.reasoning.brains.http import Limits
from kubesteward.reasoning.brains.keys import Key
from kubesteward.reasoning.brains.ollama import OllamaBrain
from kubesteward.reasoning.brains.openai import OpenAIBrain
from kubesteward.reasoning.brains.openai_compatible import OpenAICompatibleBrain
from kubesteward.reasoning.brains.remote import Place, RemoteBrain
from kubesteward.reasoning.brains.retry import Patience, Retry

PROVIDERS: dict[str, tuple[type[Loopback], type[RemoteBrain]]] = {
    "anthropic": (AnthropicServer, AnthropicBrain),
    "openai": (OpenAIServer, OpenAIBrain),
    "openai-compatible": (ChatServer, OpenAICompatibleBrain),
    "ollama": (OllamaServer, OllamaBrain),
}
EVERY = tuple(PROVIDERS)
NOW = 1_795_000_000.0
"""Epoch seconds: 2026-11-18T11:06:40Z."""

DIAGNOSE = ToolSpec(
    "diagnose",
    "Say what is wrong",
    {
        "type": "object",
        "properties": {
            "namespace": {"type": "string", "description": "where"},
            "limit": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": 5},
        },
        "required": ["namespace"],
    },
)
LOGS = ToolSpec("pod_logs", "The end of a log", {"type": "object", "properties": {"pod": {"type": "string"}}})


def ask(text: str = "Why?", *more: Message, **options: Any) -> Ask:
    messages = (Message("user", (Text(text),)), *more)
    return Ask("You look after clusters.", messages, (DIAGNOSE, LOGS), **options)


@dataclass
class Asked:
    """A brain with its server. `slept` is what it waited, in seconds, though no time passed."""

    server: Loopback
    brain: RemoteBrain
    slept: list[float] = field(default_factory=list)

    async def answer(self, question: Ask | None = None) -> tuple[Done, list[Event]]:
        """The last event, and all before it."""
        events: list[Event] = [event async for event in self.brain.stream(question or ask())]
        last = events.pop()
        assert isinstance(last, Done)
        return last, events


@asynccontextmanager
async def asked(
    provider: str, *entries: Any, options: dict[str, Any] | None = None, **place: Any
) -> AsyncIterator[Asked]:
    """`options` are the server's, the rest is of the brain's `Place`."""
    server_class, brain_class = PROVIDERS[provider]
    options = dict(options or {})
    tls = options.pop("tls", None)
    server = server_class(*entries, **options)
    server.tls = tls
    found = Asked(server, None)  # type: ignore[arg-type]  # made below, when the server has its port

    async def sleep(seconds: float) -> None:
        found.slept.append(seconds)

    async with server.running():
        made: dict[str, Any] = {
            "name": "main",
            "model": MODEL,
            "address": address(server.url),
            "key": Key("the variable LOOPBACK_KEY", server.key) if server.key else None,
            "limits": Limits(connect=2, read=2, whole=5),
            "retry": Retry(Patience(attempts=3), sleep, Random(7)),
            "now": lambda: NOW,
        }
        found.brain = brain_class(Place(**{**made, **place}))
        try:
            yield found
        finally:
            await found.brain.close()
