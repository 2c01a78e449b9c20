"""What servers leave out of their provider's protocol, add to it or say in its place, byte by byte."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest
from tests.server.reasoning.loopback.bytes import (
    block,
    broken_response,
    called,
    chat,
    lines,
    messages,
    page,
    response,
    said,
    text,
)
from tests.server.reasoning.loopback.ollama import OllamaServer
from tests.server.reasoning.loopback.script import Raw, Stall, Turn
from tests.server.reasoning.providers import EVERY, Asked, ask, asked

from kubesteward.reasoning.brains.base import (
    BrainMisconfigured,
    BrainOffline,
    Message,
    PromptTooLong,
    Text,
    TextDelta,
    Usage,
)
from kubesteward_tools.errors import SteadyError

pytestmark = pytest.mark.anyio
every = pytest.mark.parametrize("provider", EVERY)
SHOP, CART = {"namespace": "shop"}, {"pod": "cart-1"}
SAID = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Yes.", "annotations": []}],
}
CALLED = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "diagnose",
    "arguments": json.dumps(SHOP),
    "status": "completed",
}
PIECE = {"type": "response.output_text.delta", "output_index": 0, "item_id": "m", "content_index": 0, "delta": "Yes."}
ITEM = {"type": "response.output_item.done", "output_index": 0, "item": SAID}
COUNTED = {"output_tokens": 5}


async def told(provider: str, entry: Raw) -> tuple[str, str, list[Any], Usage]:
    """How the answer ends, its text, its calls, what it used."""
    async with asked(provider, entry) as it:
        done, _events = await it.answer()
    calls = [(call.name, call.arguments) for call in done.message.calls if not call.malformed]
    return done.stop, done.message.text, calls, done.usage


async def failed(it: Asked) -> SteadyError:
    with pytest.raises(SteadyError) as found:
        await it.answer()
    return found.value


@pytest.mark.parametrize(
    ("provider", "entry"),
    [
        ("anthropic", messages({"type": "later", "x": 1}, *text(0, "Yes."), usage=COUNTED)),
        ("anthropic", messages(*block(0, {"type": "later"}, {"type": "later"}), *text(1, "Yes."), usage=COUNTED)),
        ("anthropic", messages(*text(0, "Yes."))),
        (
            "anthropic",
            messages(*block(0, {"type": "thinking"}, {"type": "thinking_delta", "thinking": "Hm"}), *text(1, "Yes.")),
        ),
        ("anthropic", messages(*text(0, "Yes."), stop="stop_sequence", usage=COUNTED)),
        ("openai", response({"type": "response.later"}, {"type": "keepalive"}, ITEM)),
        ("openai", response({**ITEM, "item": {"type": "later"}}, {**ITEM, "output_index": 1})),
        ("openai", response(PIECE)),
        ("openai", response(PIECE, output=[SAID])),
        ("openai", response(output=[SAID])),
        ("openai", response(ITEM, usage={"input_tokens": 5, "output_tokens": 2, "total_tokens": 7})),
        ("openai-compatible", chat({"content": [{"type": "text", "text": "Yes."}]})),
        ("openai-compatible", chat(None, {"content": "Yes."})),
        ("openai-compatible", chat({"content": "Yes."}, tail={"choices": [], "usage": {"prompt_tokens": 5}})),
        ("openai-compatible", chat({"content": "Yes."}, tail={"object": "later"})),
        ("ollama", lines({"message": {"role": "assistant", "content": "Yes."}, "done": True})),
    ],
)
async def test_what_is_left_out_or_added_is_no_reason_to_fail(provider: str, entry: Raw) -> None:
    stop, answer, _calls, used = await told(provider, entry)

    assert (stop, answer) == ("end", "Yes.")
    assert used.input > 0


@every
async def test_where_the_server_does_not_tell_what_was_used_it_is_estimated(provider: str) -> None:
    """Else no limit of tokens or money would ever be met."""
    entry = {
        "anthropic": messages(*text(0, "Yes. " * 100), usage={"output_tokens": 130}),
        "openai": response({**PIECE, "delta": "Yes. " * 100}),
        "openai-compatible": chat({"content": "Yes. " * 100}),
        "ollama": lines({"message": {"role": "assistant", "content": "Yes. " * 100}, "done": True, "eval_count": 130}),
    }[provider]
    used = (await told(provider, entry))[3]

    assert used.input > 0
    assert 100 < used.output < 300


@pytest.mark.parametrize(
    ("provider", "entry"),
    [
        (
            "anthropic",
            messages(
                *block(0, {"type": "tool_use", "id": "toolu_1", "name": "diagnose", "input": SHOP}),
                *block(1, {"type": "tool_use", "id": "toolu_2", "name": "pod_logs", "input": CART}),
                stop="tool_use",
                usage=COUNTED,
            ),
        ),
        ("openai", response(output=[CALLED, {**CALLED, "name": "pod_logs", "arguments": json.dumps(CART)}])),
        (
            "openai-compatible",  # no index and no ids
            chat(
                called({"function": {"name": "diagnose", "arguments": json.dumps(SHOP)}}),
                called({"function": {"name": "pod_logs", "arguments": json.dumps(CART)}}),
            ),
        ),
        (
            "openai-compatible",  # an id of its own for each piece
            chat(
                called({"index": 0, "id": "a", "function": {"name": "diagnose"}}),
                called({"index": 0, "id": "b", "function": {"arguments": '{"namespace": '}}),
                called({"index": 0, "id": "c", "function": {"arguments": '"shop"}'}}),
                called({"index": 1, "id": "d", "function": {"name": "pod_logs", "arguments": json.dumps(CART)}}),
            ),
        ),
        (
            "openai-compatible",  # the name in each piece
            chat(
                called({"index": 0, "id": "a", "function": {"name": "diagnose", "arguments": '{"namespace": '}}),
                called({"index": 0, "id": "a", "function": {"name": "diagnose", "arguments": '"shop"}'}}),
                called({"index": 1, "id": "b", "function": {"name": "pod_logs", "arguments": json.dumps(CART)}}),
            ),
        ),
        (
            "openai-compatible",  # an object in place of its text
            chat(
                called({"index": 0, "id": "a", "function": {"name": "diagnose", "arguments": SHOP}}),
                called({"index": 1, "id": "b", "function": {"name": "pod_logs", "arguments": CART}}),
            ),
        ),
    ],
)
async def test_calls_are_understood_however_they_come(provider: str, entry: Raw) -> None:
    stop, _answer, calls, _used = await told(provider, entry)

    assert (stop, calls) == ("tools", [("diagnose", SHOP), ("pod_logs", CART)])


@every
async def test_half_letters_go_nowhere(provider: str) -> None:
    halves = "It is \ud83d\ude00, or \ud83d"
    entry = {
        "anthropic": messages(*text(0, halves), usage=COUNTED),
        "openai": response({**PIECE, "delta": halves}),
        "openai-compatible": chat({"content": halves[:7]}, {"content": halves[7:]}),
        "ollama": lines({"message": {"role": "assistant", "content": halves}, "done": True}),
    }[provider]
    async with asked(provider, entry, Turn(say="Yes.")) as it:
        done, events = await it.answer()
        await it.answer(ask("Why?", done.message, Message("user", (Text("Go on."),))))

    assert done.message.text == "It is \U0001f600, or \ufffd"
    assert json.dumps([event.to_json() for event in events], ensure_ascii=False).encode()


@pytest.mark.parametrize("stop", ["max_tokens", "pause_turn", "model_context_window_exceeded", "later"])
async def test_an_answer_that_does_not_end_by_itself_is_cut(stop: str) -> None:
    assert (await told("anthropic", messages(*text(0, "Yes"), stop=stop, usage=COUNTED)))[0] == "truncated"


@every
async def test_a_web_page_in_place_of_an_answer_is_told_as_one(provider: str) -> None:
    async with asked(provider, page(), page(403), page(404), *[page(502)] * 3) as it:
        found = [await failed(it) for _ in range(4)]

    assert [type(error) for error in found] == [BrainOffline, BrainOffline, BrainMisconfigured, BrainOffline]
    reasons = [str(error) for error in found]
    assert reasons[0].startswith(f"A web page answers in place of {provider}. Look at the brain's address")
    assert reasons[1].startswith(f"Something else answers in place of {provider} (a web page: Sign in - Proxy)")
    assert reasons[2].startswith(f"Nothing speaks for {provider} at the brain's address. Check its address: ")
    assert reasons[3].startswith(f"{provider} failed with 502 (a web page: Sign in - Proxy), 3 times")


@every
async def test_a_web_page_is_not_healthy(provider: str) -> None:
    async with asked(provider) as it:
        it.server.page = True
        health = await it.brain.check()

    assert (health.ok, health.reason) == (False, f"A web page answers in place of {provider}")


@pytest.mark.parametrize("provider", ["anthropic", "openai", "openai-compatible"])
async def test_milliseconds_to_wait_are_more_exact_than_seconds(provider: str) -> None:
    busy = said(429, {"error": {"message": "slow down"}}, **{"retry-after-ms": "1500", "retry-after": "2"})
    async with asked(provider, busy, Turn(say="Yes.")) as it:
        await it.answer()

    assert 1.5 <= sum(it.slept) < 1.8


@pytest.mark.parametrize(
    ("entry", "kind", "reason"),
    [
        (broken_response({"type": "error", "code": "server_error", "message": "It broke"}), BrainOffline, "It broke"),
        (
            broken_response({"type": "error", "error": {"code": "rate_limit_exceeded", "message": "Too fast"}}),
            BrainOffline,
            "asks for fewer requests (Too fast)",
        ),
        (
            broken_response({"type": "error", "error": {"code": "context_length_exceeded", "message": "Too long"}}),
            PromptTooLong,
            "too long for model-1",
        ),
        (
            broken_response({"type": "error", "error": {"code": "insufficient_quota", "message": "No money"}}),
            BrainOffline,
            "wants to be paid first",
        ),
    ],
)
async def test_an_error_within_a_response_is_known_by_its_code(entry: Raw, kind: Any, reason: str) -> None:
    async with asked("openai", *[entry] * 3) as it:
        error = await failed(it)

    assert isinstance(error, kind)
    assert reason in str(error)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (chat({"content": "Y"}, finish="error"), "was cut off"),
        (chat({"content": "Y"}, finish="insufficient_system_resource"), "was cut off"),
        (chat({"content": "Y"}, tail={"error": {"code": 502, "message": "It hung up"}}), "with 502 (It hung up)"),
        (chat({"content": "Y"}, finish="", tail={"error": "the runner crashed"}), "broke off (the runner crashed)"),
        (said(500, {"error": "no slot"}), "failed with 500 (no slot)"),
        (said(503, {"detail": "loading"}), "is not available (loading)"),
    ],
)
async def test_other_servers_errors_are_told_in_their_words(entry: Raw, reason: str) -> None:
    async with asked("openai-compatible", *[entry] * 3) as it:
        error = await failed(it)

    assert isinstance(error, BrainOffline)
    assert reason in error.reason


@pytest.mark.parametrize(
    ("entry", "kind", "reason", "attempts"),
    [
        (said(400, {"error": "registry/model-1 does not support tools"}), BrainMisconfigured, "uses no tools", 1),
        (said(500, {"error": "model requires more system memory (11 GiB)"}), BrainOffline, "does not fit into", 1),
        (lines({"message": {"role": "assistant"}, "done": True, "done_reason": "load"}), BrainOffline, "loaded", 3),
    ],
)
async def test_what_ollama_says_of_its_models_is_understood(entry: Raw, kind: Any, reason: str, attempts: int) -> None:
    async with asked("ollama", *[entry] * 3) as it:
        error = await failed(it)

    assert isinstance(error, kind)
    assert reason in str(error)
    assert it.server.attempts == attempts


async def test_a_server_that_only_speaks_like_ollama_need_not_tell_about_its_models() -> None:
    async with asked("ollama", Turn(say="Yes.")) as it:
        assert isinstance(it.server, OllamaServer)
        it.server.shows = False
        done, _events = await it.answer()

    assert done.message.text == "Yes."


@every
async def test_who_is_stopped_hangs_up(provider: str) -> None:
    """Else the provider would go on with an answer that is paid."""
    async with asked(provider, Stall(begun=True)) as it:
        async with anyio.create_task_group() as group:

            async def listen() -> None:
                async for event in it.brain.stream(ask()):
                    if isinstance(event, TextDelta):
                        group.cancel_scope.cancel()

            group.start_soon(listen)
        with anyio.fail_after(5):
            await it.server.hung_up.wait()
