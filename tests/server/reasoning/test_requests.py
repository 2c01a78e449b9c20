"""What a provider would not take is not sent: ids, names and thoughts of others, and settings that it does not know."""

from __future__ import annotations

import pytest
from tests.server.reasoning.loopback.anthropic import AnthropicServer
from tests.server.reasoning.loopback.bytes import said
from tests.server.reasoning.loopback.chat import ChatServer
from tests.server.reasoning.loopback.openai import OpenAIServer
from tests.server.reasoning.loopback.script import Turn
from tests.server.reasoning.providers import EVERY, ask, asked

from kubesteward.reasoning.brains.base import Message, PromptTooLong, Text, Thought, ToolCall, ToolResult

pytestmark = pytest.mark.anyio
every = pytest.mark.parametrize("provider", EVERY)
SHOP = {"namespace": "shop"}


async def test_settings_that_a_server_does_not_know_are_left_out_from_then_on() -> None:
    async with asked("openai-compatible", Turn(say="Yes."), Turn(say="Again.")) as it:
        assert isinstance(it.server, ChatServer)
        it.server.unknown = {"stream_options", "max_tokens", "temperature"}
        await it.answer(ask(temperature=0.5, max_tokens=50))
        done, _events = await it.answer(ask(temperature=0.5, max_tokens=50))

    assert done.message.text == "Again."
    assert it.server.attempts == 5
    assert it.server.heard[1].body["max_completion_tokens"] == 50


async def test_a_setting_with_a_wrong_value_is_not_taken_for_an_unknown_one() -> None:
    long = said(400, {"error": {"message": "max_tokens is too large: this model's maximum context length is 2048"}})
    async with asked("openai-compatible", long) as it:
        with pytest.raises(PromptTooLong):
            await it.answer()

    assert it.server.attempts == 1


async def test_two_messages_of_a_user_in_a_row_are_one_for_a_template() -> None:
    async with asked("openai-compatible", Turn(say="Yes.")) as it:
        await it.answer(ask("Why?", Message("assistant", ()), Message("user", (Text("Go on."),))))

    assert it.server.heard[0].said == "Why?\n\nGo on."


@every
async def test_names_of_tools_that_there_are_none_of_are_taken_back(provider: str) -> None:
    calls = tuple(ToolCall(f"call_{at}", name, {}) for at, name in enumerate(("functions.look up!", "", "x" * 90)))
    told = tuple(ToolResult(call.id, "There is no such tool.", is_error=True) for call in calls)
    async with asked(provider, Turn(say="Yes.")) as it:
        await it.answer(ask("Why?", Message("assistant", (Text("I look."), *calls)), Message("tool", told)))

    assert it.server.refused == []


@every
async def test_ids_that_another_server_made_are_taken(provider: str) -> None:
    names = ("functions.diagnose:0", "functions.diagnose:1", "x" * 90)
    calls = tuple(ToolCall(name, "diagnose", SHOP) for name in names)
    results = tuple(ToolResult(name, "") for name in names[:2])
    async with asked(provider, Turn(say="Yes.")) as it:
        await it.answer(
            ask(
                "Why?",
                Message("assistant", (Text("I look."), *calls)),
                Message("tool", (*results, ToolResult(names[2], "", is_error=True))),
            )
        )

    assert it.server.refused == []


async def test_a_thought_that_led_to_nothing_but_blanks_is_left_out() -> None:
    kept = {"anthropic": {"type": "thinking", "thinking": "Hm", "signature": "s"}}
    async with asked("anthropic", Turn(say="Yes.")) as it:
        blank = Message("assistant", (Thought("Hm", kept), Text("\n\n")))
        await it.answer(ask("Why?", blank, Message("user", (Text("Go on."),))))

    assert it.server.refused == []


async def test_a_model_that_does_not_think_is_asked_without_it_from_then_on() -> None:
    model = "claude-sonnet-5-5"
    async with asked(
        "anthropic", Turn(say="Yes."), Turn(say="Again."), options={"models": (model,)}, model=model
    ) as it:
        assert isinstance(it.server, AnthropicServer)
        it.server.thinks = False
        await it.answer()
        await it.answer()

    assert it.server.attempts == 3


async def test_where_summaries_of_thinking_are_not_allowed_there_are_none() -> None:
    async with asked("openai", Turn(say="Yes."), Turn(say="Again."), effort="low") as it:
        assert isinstance(it.server, OpenAIServer)
        it.server.verified = False
        await it.answer()
        await it.answer()

    assert it.server.attempts == 3
    assert it.server.heard[1].body["reasoning"] == {"effort": "low"}
