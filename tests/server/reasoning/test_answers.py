"""Every brain understands its provider: text, thinking, calls, usage, limits and refusals, through the real SDK."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Literal

import anyio
import pytest
from tests.server.reasoning.loopback.chat import ChatServer
from tests.server.reasoning.loopback.script import Turn, Use
from tests.server.reasoning.providers import EVERY, ask, asked

from kubesteward.reasoning.brains.base import (
    CallMade,
    Message,
    Text,
    TextDelta,
    Thought,
    ThoughtDelta,
    ToolResult,
    Usage,
)

pytestmark = pytest.mark.anyio
every = pytest.mark.parametrize("provider", EVERY)
LOOKING = Turn(
    think="It restarts often.",
    say="I look at both. ☸ é",
    calls=(Use("diagnose", {"namespace": "shop"}), Use("pod_logs", {"pod": "cart-1"})),
    input=1000,
    output=50,
)


def results(message: Message) -> Message:
    return Message("tool", tuple(ToolResult(call.id, f"{call.name}: fine") for call in message.calls))


@every
async def test_text_comes_in_pieces_and_whole(provider: str) -> None:
    async with asked(provider, Turn(say="cart has no memory left.")) as it:
        done, events = await it.answer()

    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "cart has no memory left."
    assert len(events) > 1
    assert (done.message, done.stop) == (Message("assistant", (Text("cart has no memory left."),)), "end")
    assert (done.brain, done.model) == ("main", "model-1")
    assert it.server.heard[0].system == "You look after clusters."
    assert it.server.heard[0].tools == ("diagnose", "pod_logs")


@every
async def test_thinking_is_shown_and_calls_are_announced_at_the_end(provider: str) -> None:
    async with asked(provider, LOOKING) as it:
        done, events = await it.answer()

    assert "".join(event.text for event in events if isinstance(event, ThoughtDelta)) == "It restarts often."
    assert [type(event) for event in events[-2:]] == [CallMade, CallMade]
    assert [(call.name, call.arguments) for call in done.message.calls] == [
        ("diagnose", {"namespace": "shop"}),
        ("pod_logs", {"pod": "cart-1"}),
    ]
    assert len({call.id for call in done.message.calls}) == 2
    assert [type(part) for part in done.message.parts][:2] == [Thought, Text]
    assert done.message.text == "I look at both. ☸ é"
    assert done.stop == "tools"


@every
async def test_results_and_thoughts_go_back_as_the_provider_wants_them(provider: str) -> None:
    async with asked(provider, LOOKING, LOOKING, Turn(say="It is the memory."), Turn(say="You are welcome.")) as it:
        messages: list[Message] = []
        for _ in range(3):
            done, _events = await it.answer(ask("Why?", *messages))
            messages += [done.message, results(done.message)] if done.message.calls else [done.message]
        await it.answer(ask("Why?", *messages, Message("user", (Text("Thanks."),))))

    assert it.server.refused == []
    assert [sorted(heard.results.values()) for heard in it.server.heard] == [
        [],
        ["diagnose: fine", "pod_logs: fine"],
        ["diagnose: fine", "pod_logs: fine"],
        [],
    ]
    assert it.server.heard[3].said == "Thanks."


@every
async def test_a_conversation_goes_back_from_the_store_unchanged(provider: str) -> None:
    async with asked(provider, LOOKING, Turn(say="It is the memory.")) as it:
        done, _events = await it.answer()
        kept = Message.from_json(json.loads(json.dumps(done.message.to_json())))
        await it.answer(ask("Why?", kept, results(kept)))

    assert kept == done.message
    assert it.server.refused == []


@every
async def test_a_conversation_with_one_provider_goes_on_with_another(provider: str) -> None:
    """Ids, thoughts and failed calls of the others are nothing that a provider would refuse."""
    for other in (one for one in EVERY if one != provider):
        async with asked(other, LOOKING) as it:
            done, _events = await it.answer()
        async with asked(provider, Turn(say="Going on.")) as it:
            again, _events = await it.answer(ask("Why?", done.message, results(done.message)))

        assert again.message.text == "Going on."


@every
async def test_a_failed_call_is_told_as_one(provider: str) -> None:
    async with asked(provider, LOOKING, Turn(say="Oh.")) as it:
        done, _events = await it.answer()
        one, two = done.message.calls
        failed = Message("tool", (ToolResult(one.id, "no such namespace", is_error=True), ToolResult(two.id, "fine")))
        await it.answer(ask("Why?", done.message, failed))

    said = json.dumps(it.server.heard[1].body)
    assert "no such namespace" in said
    assert '"is_error": true' in said or "The call failed: " in said


@every
async def test_tokens_are_counted_as_they_are_paid(provider: str) -> None:
    turn = Turn(say="Yes.", input=700, output=90, cache_read=200, cache_write=30, reasoning=40)
    async with asked(provider, turn) as it:
        done, _events = await it.answer()

    plain = Usage(input=700, output=90)
    assert done.usage == (plain if provider == "ollama" else Usage(700, 90, 200, 30, 40))


@every
async def test_an_answer_that_ends_at_its_limit_says_so(provider: str) -> None:
    async with asked(provider, Turn(say="It is the mem", ends="truncated")) as it:
        done, _events = await it.answer(ask(max_tokens=100))

    assert (done.stop, done.message.text) == ("truncated", "It is the mem")
    assert "100" in json.dumps(it.server.heard[0].body)


@pytest.mark.requirement("brains.calls")
@pytest.mark.parametrize("provider", ["anthropic", "openai", "openai-compatible"])
@pytest.mark.parametrize("cut", ['{"namespace": "sh', '{"names', ""])
async def test_a_call_that_was_cut_by_the_limit_is_never_made(provider: str, cut: str) -> None:
    calls = (Use("pod_logs", {"pod": "cart-1"}), Use("diagnose", cut))
    async with asked(provider, Turn(calls=calls, ends="truncated"), Turn(say="Again.")) as it:
        done, events = await it.answer()
        await it.answer(ask("Why?", done.message, results(done.message)))

    assert [event.call.name for event in events if isinstance(event, CallMade)] == ["pod_logs"]
    whole, broken = done.message.calls
    assert whole.malformed == ""
    assert "ended at its limit of tokens" in broken.malformed
    assert broken.arguments == {}
    assert done.stop == "truncated"


@pytest.mark.parametrize("provider", ["anthropic", "openai", "openai-compatible"])
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"namespace": shop}', "no JSON"),
        ('["shop"]', "no JSON object"),
        ('"shop"', "no JSON object"),
        ('{"limit": NaN}', "NaN is no JSON"),
        ("[" * 3_000, "no JSON"),
    ],
)
async def test_a_call_with_malformed_arguments_is_never_made_and_goes_back_readable(
    provider: str, text: str, why: str
) -> None:
    async with asked(provider, Turn(calls=(Use("diagnose", text),)), Turn(say="Again.")) as it:
        done, events = await it.answer()
        await it.answer(ask("Why?", done.message, results(done.message)))

    assert not any(isinstance(event, CallMade) for event in events)
    assert why in done.message.calls[0].malformed
    assert len(done.message.calls[0].malformed) < 600
    assert "malformed" in json.dumps(it.server.heard[1].body)


@pytest.mark.parametrize("provider", ["anthropic", "openai", "openai-compatible"])
async def test_a_refusal_is_told_and_nothing_of_it_is_done(provider: str) -> None:
    calls = () if provider == "openai" else (Use("diagnose", {"namespace": "shop"}),)
    async with asked(provider, Turn(say="I will not help with this.", calls=calls, ends="refused")) as it:
        done, events = await it.answer()

    assert (done.stop, done.message.text) == ("refused", "I will not help with this.")
    assert not any(isinstance(event, CallMade) for event in events)


async def test_thoughts_that_a_summary_has_made_invalid_are_left_out() -> None:
    async with asked("anthropic", LOOKING, Turn(say="It is the memory.")) as it:
        first, _events = await it.answer(ask("A long story."))
        done, _events = await it.answer(ask("A short one.", first.message, results(first.message)))

    assert done.message.text == "It is the memory."
    assert it.server.refused == [
        "Invalid `signature` in `thinking` block. The block is bound to a different conversation."
    ]
    assert "thinking" not in json.dumps(it.server.heard[1].body["messages"])


@pytest.mark.parametrize(("model", "adaptive"), [("claude-sonnet-5-5", True), ("claude-haiku-4-5-20251001", False)])
async def test_thinking_is_asked_to_be_seen_where_the_model_decides_about_it(model: str, adaptive: bool) -> None:
    async with asked("anthropic", Turn(say="Yes."), options={"models": (model,)}, model=model) as it:
        await it.answer()

    wanted = {"type": "adaptive", "display": "summarized"} if adaptive else None
    assert it.server.heard[0].body.get("thinking") == wanted


async def test_a_refusal_without_words_gets_those_of_the_provider() -> None:
    async with asked("anthropic", Turn(ends="refused")) as it:
        done, _events = await it.answer()

    assert (done.stop, done.message.text) == ("refused", "This may do harm.")


@every
@pytest.mark.parametrize("size", [1, 13])
async def test_streams_may_be_split_anywhere(provider: str, size: int) -> None:
    async with asked(provider, LOOKING) as it:
        it.server.pieces = size
        done, _events = await it.answer()

    assert done.message.text == "I look at both. ☸ é"
    assert len(done.message.calls) == 2


@every
async def test_a_call_without_arguments_has_none(provider: str) -> None:
    async with asked(provider, Turn(calls=(Use("diagnose", {}),))) as it:
        done, _events = await it.answer()

    assert [(call.arguments, call.malformed) for call in done.message.calls] == [({}, "")]


@every
@pytest.mark.parametrize("effort", ["", "high"])
async def test_the_effort_of_thinking_is_handed_on(provider: str, effort: str) -> None:
    async with asked(provider, Turn(say="Yes."), effort=effort) as it:
        await it.answer(ask(temperature=0.5, stop=("END",)))

    body = it.server.heard[0].body
    given = {name: body.get(name) for name in ("output_config", "reasoning", "reasoning_effort", "think")}
    assert bool([value for value in given.values() if value]) == bool(effort)
    assert ("0.5" in json.dumps(body)) == (provider in {"openai-compatible", "ollama"})
    assert ("END" in json.dumps(body)) == (provider != "openai")


@pytest.mark.parametrize("sloppy", ["no ids", "one index"])
async def test_servers_that_leave_the_api_are_understood(sloppy: Literal["no ids", "one index"]) -> None:
    async with asked("openai-compatible", replace(LOOKING, think=""), Turn(say="It is the memory.")) as it:
        assert isinstance(it.server, ChatServer)
        it.server.sloppy = sloppy
        first, _events = await it.answer(ask(max_tokens=100))
        done, _events = await it.answer(ask("Why?", first.message, results(first.message)))

    assert [call.arguments for call in first.message.calls] == [{"namespace": "shop"}, {"pod": "cart-1"}]
    assert len({call.id for call in first.message.calls}) == 2
    assert done.message.text == "It is the memory."
    assert it.server.refused == []


@every
async def test_questions_at_the_same_time_do_not_mix(provider: str) -> None:
    async with asked(provider, *[lambda heard: Turn(say=f"You said {heard.said}")] * 4) as it:
        found: dict[int, str] = {}

        async def one(number: int) -> None:
            done, _events = await it.answer(ask(f"number {number}"))
            found[number] = done.message.text

        async with anyio.create_task_group() as group:
            for number in range(4):
                group.start_soon(one, number)

    assert found == {number: f"You said number {number}" for number in range(4)}


async def test_the_temperature_is_for_models_that_take_one() -> None:
    async with asked("openai", Turn(say="Yes."), options={"models": ("gpt-4.1",)}, model="gpt-4.1") as it:
        await it.answer(ask(temperature=0.5))

    assert it.server.heard[0].body["temperature"] == 0.5


@every
@pytest.mark.parametrize("local", [True, False])
async def test_what_people_write_is_redacted_before_it_leaves_the_premises(
    provider: str, local: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7xC0fR2uL6"
    said = (Message("assistant", (Text("Where?"),)), Message("user", (Text(token),)))
    async with asked(provider, Turn(say="Yes.")) as it:
        monkeypatch.setattr(type(it.brain), "local", local)
        await it.answer(ask(f"Why does {token} not work?", *said))

    assert (token in json.dumps(it.server.heard[0].body)) == local


@every
async def test_the_estimate_is_rather_too_high(provider: str) -> None:
    async with asked(provider) as it:
        few, many = it.brain.count(ask("Why?")), it.brain.count(ask("Why? " * 4000))

    assert 100 < few < 1000
    assert 4000 < many < 9000
