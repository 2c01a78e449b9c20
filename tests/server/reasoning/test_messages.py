"""What brains and the loop say to each other goes into the store and comes back as it was."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from kubesteward.reasoning.brains import arguments
from kubesteward.reasoning.brains.base import (
    Ask,
    CallMade,
    Done,
    Event,
    Lost,
    Message,
    Switched,
    Text,
    TextDelta,
    Thought,
    ThoughtDelta,
    ToolCall,
    ToolResult,
    ToolSpec,
    Usage,
    Waiting,
    event_from_json,
)

_json = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=8,
)
_objects = some.dictionaries(some.text(), _json, max_size=3)
_parts = (
    some.builds(Text, some.text(), _objects)
    | some.builds(Thought, some.text(), _objects)
    | some.builds(ToolCall, some.text(), some.text(), _objects, some.text())
    | some.builds(ToolResult, some.text(), some.text(), some.booleans())
)
_messages = some.builds(Message, some.sampled_from(["user", "assistant", "tool"]), some.lists(_parts).map(tuple))
_asks = some.builds(
    Ask,
    some.text(),
    some.lists(_messages, max_size=3).map(tuple),
    some.lists(some.builds(ToolSpec, some.text(), some.text(), _objects), max_size=2).map(tuple),
    some.integers(1, 10_000),
    some.none() | some.floats(0, 1),
    some.lists(some.text(), max_size=2).map(tuple),
)


def stored(value: Any) -> Any:
    return json.loads(json.dumps(value.to_json()))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_asks)
def test_questions_come_back_as_they_were(ask: Ask) -> None:
    assert Ask.from_json(stored(ask)) == ask


CALL = ToolCall("call_1", "diagnose", {"type": "text", "text": "a trap"})
EVENTS: list[Event] = [
    TextDelta("It"),
    ThoughtDelta("Hm"),
    CallMade(CALL),
    Waiting(2.5, "it is overloaded", 2),
    Lost(Usage(3, 1)),
    Switched("main", "spare", "it is not running"),
    Done(
        Message("assistant", (Thought("Hm", {"anthropic": {"type": "thinking"}}), CALL)), "tools", Usage(1, 2), "b", "m"
    ),
]


@pytest.mark.parametrize("event", EVENTS)
def test_events_come_back_as_they_were(event: Event) -> None:
    assert event_from_json(stored(event)) == event


def test_usages_add_up() -> None:
    assert Usage(1, 2, 3, 4, 5) + Usage(10, 20, 30, 40, 50) == Usage(11, 22, 33, 44, 55)


@given(some.text())
def test_whatever_a_model_writes_as_arguments_is_an_object_or_malformed(text: str) -> None:
    found = arguments.call("call_1", "diagnose", text)

    assert bool(found.malformed) == (found.arguments == {} and text.strip() not in {"", "{}"})


@given(_objects)
def test_arguments_that_are_whole_come_through(given_arguments: dict[str, Any]) -> None:
    text = json.dumps(given_arguments)

    assert arguments.call("call_1", "diagnose", text, cut=True).arguments == given_arguments


@pytest.mark.parametrize("module", ["base", "registry", "chain", "setups", "keys", "retry"])
def test_no_sdk_is_loaded_before_a_brain_is_asked(module: str) -> None:
    code = (
        f"import sys, kubesteward.reasoning.brains.{module};"
        "print([name for name in ('anthropic', 'openai', 'ollama', 'httpx', 'httpx2', 'keyring', 'aiohttp', 'anyio')"
        " if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"
