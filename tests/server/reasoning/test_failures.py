"""Every way in which a provider fails becomes one of four errors, with a reason, something to do, and no key."""

from __future__ import annotations

import json
import logging
import socket
import traceback
from email.utils import formatdate
from itertools import pairwise
from typing import Any

import anyio
import pytest
from tests.server.reasoning.loopback.chat import ChatServer
from tests.server.reasoning.loopback.script import Fail, Garbage, Stall, Turn, Use
from tests.server.reasoning.loopback.server import KEY
from tests.server.reasoning.providers import EVERY, NOW, Asked, ask, asked

from kubesteward.reasoning.brains.addresses import Address, address
from kubesteward.reasoning.brains.base import (
    BrainMisconfigured,
    BrainOffline,
    BrainRefused,
    CallMade,
    Lost,
    PromptTooLong,
    TextDelta,
    Usage,
    Waiting,
)
from kubesteward.reasoning.brains.http import Limits
from kubesteward.reasoning.brains.keys import Key
from kubesteward_tools.errors import SteadyError

pytestmark = pytest.mark.anyio
every = pytest.mark.parametrize("provider", EVERY)
GOOD = Turn(say="It is the memory.")
QUICK = Limits(connect=0.2, read=0.2, whole=5)


async def failed(it: Asked, **options: Any) -> SteadyError:
    with pytest.raises(SteadyError) as found:
        await it.answer(ask(**options))
    assert found.value.__cause__ is None
    assert found.value.__context__ is None
    return found.value


async def hear(it: Asked, told: list[str]) -> None:
    async for event in it.brain.stream(ask()):
        told += [json.dumps(event.to_json())]


def waits(events: list[Any]) -> list[Waiting]:
    return [event for event in events if isinstance(event, Waiting)]


@every
@pytest.mark.parametrize("asked_for", ["2", "2.5", formatdate(NOW + 3, usegmt=True)])
async def test_a_provider_that_asks_to_wait_is_asked_again_no_earlier(provider: str, asked_for: str) -> None:
    async with asked(provider, Fail(429, "slow down", retry_after=asked_for), GOOD) as it:
        done, events = await it.answer()

    wanted = 3.0 if "GMT" in asked_for else float(asked_for)
    assert wanted <= sum(it.slept) <= wanted * 1.1
    assert done.message.text == "It is the memory."
    countdown = waits(events)
    assert countdown[0].reason == f"{provider} asks for fewer requests (slow down)"
    assert [round(one.seconds - other.seconds) for one, other in pairwise(countdown)] == [1 for _ in countdown[1:]]
    assert {event.attempt for event in countdown} == {2}


@every
@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 529])
async def test_what_may_pass_is_tried_again_after_longer_and_longer_waits(provider: str, status: int) -> None:
    async with asked(provider, Fail(status), Fail(status), GOOD) as it:
        done, events = await it.answer()

    assert done.stop == "end"
    assert it.server.attempts == 3
    first, second = (sum(event.seconds for event in waits(events) if event.attempt == attempt) for attempt in (2, 3))
    assert 0.5 <= first <= 1.0
    assert 1.0 <= second <= 3.0


@pytest.mark.requirement("brains.failures")
@every
async def test_after_the_last_attempt_the_brain_is_offline(provider: str) -> None:
    async with asked(provider, *[Fail(500, "the disk is full")] * 3) as it:
        error = await failed(it)

    assert isinstance(error, BrainOffline)
    assert error.reason == f"{provider} failed with 500 (the disk is full), 3 times"
    assert error.todo == "Try again later, or choose another brain."


@every
async def test_nobody_waits_for_hours(provider: str) -> None:
    async with asked(provider, Fail(429, "come tomorrow", retry_after="86400")) as it:
        error = await failed(it)

    assert it.slept == []
    assert isinstance(error, BrainOffline)
    assert error.todo == "Try again in 86400 s."


@every
@pytest.mark.parametrize("cut", ["connection", "stream"])
async def test_a_stream_that_was_cut_is_asked_for_again_and_none_of_its_calls_made(provider: str, cut: Any) -> None:
    calls = (Use("diagnose", {"namespace": "shop"}), Use("pod_logs", {"pod": "cart-1"}))
    async with asked(provider, Turn(say="I look.", calls=calls, cut=cut), GOOD) as it:
        done, events = await it.answer()

    assert done.message.text == "It is the memory."
    assert not any(isinstance(event, CallMade) for event in events)
    assert waits(events)[0].reason == f"the answer of {provider} was cut off"


async def test_what_an_attempt_without_a_result_has_used_is_told() -> None:
    async with asked("anthropic", Turn(say="I look.", cut="stream", input=900, cache_read=50), GOOD) as it:
        _done, events = await it.answer()

    assert [event.usage for event in events if isinstance(event, Lost)] == [Usage(900, 1, 50)]


@every
async def test_an_answer_that_is_no_json_is_asked_for_again(provider: str) -> None:
    async with asked(provider, Garbage(), GOOD) as it:
        done, events = await it.answer()

    assert done.message.text == "It is the memory."
    assert waits(events)[0].reason.startswith(f"the answer of {provider} is not understood")


@every
@pytest.mark.parametrize("begun", [False, True])
async def test_a_provider_that_falls_silent_is_given_up(provider: str, begun: bool) -> None:
    async with asked(provider, *[Stall(begun)] * 3, limits=QUICK) as it:
        error = await failed(it)

    assert isinstance(error, BrainOffline)
    assert error.reason == f"{provider} does not answer, 3 times"


@every
async def test_an_answer_without_an_end_is_given_up(provider: str) -> None:
    async with asked(provider, *[Stall(True)] * 3, limits=Limits(connect=2, read=2, whole=0.2)) as it:
        error = await failed(it)

    assert isinstance(error, BrainOffline)
    assert error.reason == f"{provider} does not answer, 3 times"


@every
async def test_an_error_within_the_stream_is_tried_again(provider: str) -> None:
    async with asked(provider, Fail(500, "it broke", streaming=True), GOOD) as it:
        done, events = await it.answer()

    assert done.message.text == "It is the memory."
    assert "it broke" in waits(events)[0].reason


async def test_an_overload_within_a_stream_is_known_as_one() -> None:
    async with asked("anthropic", Fail(529, "Overloaded", streaming=True), GOOD) as it:
        _done, events = await it.answer()

    assert waits(events)[0].reason == "anthropic is overloaded (Overloaded)"


async def test_a_prompt_that_is_refused_within_a_stream_is_not_tried_again() -> None:
    async with asked("openai", Fail(400, "flagged", "invalid_prompt", streaming=True)) as it:
        error = await failed(it)

    assert isinstance(error, BrainRefused)
    assert it.server.attempts == 1


@every
async def test_a_wrong_key_is_told_with_its_place(provider: str) -> None:
    wrong = Key("the variable MY_KEY", "sk-wrong-" + "x1Y2z3" * 5)
    async with asked(provider, GOOD, options={"key": KEY}, key=wrong) as it:
        error = await failed(it)
        health = await it.brain.check()

    assert isinstance(error, BrainMisconfigured)
    assert error.reason == f"{provider} does not accept the key (the variable MY_KEY)"
    assert error.todo == "Put a valid key there and try `kubesteward brain test`."
    assert (health.ok, health.reason) == (False, error.reason)
    assert it.slept == []


@every
async def test_a_missing_key_is_told(provider: str) -> None:
    async with asked(provider, GOOD, options={"key": KEY}, key=None) as it:
        error = await failed(it)

    assert isinstance(error, BrainMisconfigured)
    assert "no key was sent" in error.reason


@every
async def test_a_key_without_the_right_is_told(provider: str) -> None:
    async with asked(provider, Fail(403, "not in your region")) as it:
        error = await failed(it)

    assert isinstance(error, BrainMisconfigured)
    assert "may not use model-1" in error.reason
    assert "not in your region" in error.reason


@every
async def test_a_model_that_is_not_there_is_told(provider: str) -> None:
    async with asked(provider, GOOD, model="model-9") as it:
        error = await failed(it)
        health = await it.brain.check()

    assert isinstance(error, BrainMisconfigured)
    assert "model-9" in error.reason
    assert "model-9" in health.reason
    if provider == "ollama":
        assert error.todo == health.todo == "Run `ollama pull model-9`."


@every
async def test_a_conversation_that_is_too_long_is_told_as_such(provider: str) -> None:
    async with asked(provider, GOOD, options={"context": 10}) as it:
        error = await failed(it)

    assert isinstance(error, PromptTooLong)
    assert it.slept == []


@every
@pytest.mark.parametrize("message", ["insufficient_quota: you exceeded", "Your credit balance is too low"])
async def test_an_unpaid_bill_is_not_waited_for(provider: str, message: str) -> None:
    async with asked(provider, Fail(429, message)) as it:
        error = await failed(it)

    assert isinstance(error, BrainOffline)
    assert "wants to be paid first" in error.reason
    assert it.slept == []


@every
async def test_a_request_that_the_provider_rejects_is_told_once(provider: str) -> None:
    async with asked(provider, Fail(400, "effort is not supported by this model")) as it:
        error = await failed(it)

    assert isinstance(error, BrainMisconfigured)
    assert "effort is not supported" in error.reason
    assert it.server.attempts == 1


@every
async def test_what_the_policy_of_the_provider_forbids_is_a_refusal(provider: str) -> None:
    async with asked(provider, Fail(400, "Your request was rejected: content_policy_violation")) as it:
        error = await failed(it)

    assert isinstance(error, BrainRefused)


@every
@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirections_are_not_followed(provider: str, status: int) -> None:
    async with asked(provider, GOOD) as elsewhere, asked(provider, Fail(status, location=elsewhere.server.url)) as it:
        error = await failed(it)

    assert isinstance(error, BrainMisconfigured)
    assert "redirection, which is not followed" in error.reason
    assert elsewhere.server.attempts == 0


@every
async def test_a_server_that_is_not_there_is_told(provider: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nowhere = address(f"http://127.0.0.1:{free.getsockname()[1]}")
    async with asked(provider, address=nowhere) as it:
        error = await failed(it)
        health = await it.brain.check()

    assert isinstance(error, BrainOffline)
    assert not health.ok
    if provider == "ollama":
        assert error.reason == health.reason == "ollama is not running"
        assert "`ollama serve`" in error.todo
        assert it.slept == []
    else:
        assert "cannot be reached" in error.reason


@every
async def test_a_name_that_stands_for_another_kind_of_address_is_not_called(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that pointed to the internet when it was looked at, and points into the network now."""

    async def resolve(host: Any, port: Any, **_: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    async with asked(provider, GOOD) as it:
        port = it.server.port
        monkeypatch.setattr(anyio, "getaddrinfo", resolve)
        for reach, scheme in (("public", "https"), ("private", "http")):
            moved = Address(f"{scheme}://brain.example:{port}", reach)  # type: ignore[arg-type]
            async with asked(provider, address=moved) as other:
                if reach == "private":  # loopback is private too, and so allowed
                    continue
                error = await failed(other)
                assert isinstance(error, BrainMisconfigured)
                assert "private address" in error.reason

    assert it.server.attempts == 0


@every
async def test_the_health_of_a_brain_is_looked_up_without_asking_it(provider: str) -> None:
    async with asked(provider) as it:
        health = await it.brain.check()

    assert (health.ok, health.reason) == (True, "")
    assert it.server.attempts == 0


async def test_an_address_without_the_path_is_not_healthy_where_no_models_are_listed() -> None:
    """The usual slip: http://host:port for http://host:port/v1."""
    async with asked("openai-compatible") as it:
        bare = address(it.server.url.removesuffix("/v1"))
        async with asked("openai-compatible", address=bare) as slipped:
            health = await slipped.brain.check()

    assert (health.ok, health.todo) == (False, "Check its address: most end with /v1.")


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
async def test_some_json_is_no_sign_of_health(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with asked(provider) as it:
        monkeypatch.setattr(it.server, "look_up", lambda _path: {"kind": "APIVersions"})
        health = await it.brain.check()

    assert (health.ok, health.reason) == (False, f"what answers in place of {provider} does not tell about models")


async def test_a_server_that_lists_no_models_is_taken_as_healthy() -> None:
    async with asked("openai-compatible") as it:
        assert isinstance(it.server, ChatServer)
        it.server.lists = False

        assert (await it.brain.check()).ok


@every
async def test_a_stream_that_nobody_reads_to_its_end_is_closed(provider: str) -> None:
    async with asked(provider, Stall(begun=True), GOOD) as it:
        events = it.brain.stream(ask())
        first = await anext(events)
        await events.aclose()
        done, _events = await it.answer()

    assert isinstance(first, TextDelta)
    assert done.message.text == "It is the memory."


@pytest.mark.requirement("brains.keys")
@every
@pytest.mark.parametrize(
    "entry",
    [
        Fail(401, f"Incorrect API key provided: {KEY}"),
        Fail(403, f"the key {KEY} is not allowed"),
        Fail(400, f"bad header Authorization: Bearer {KEY}"),
        Fail(500, f"failed with {KEY} {KEY[:-4]} {KEY[4:]}"),
        Fail(429, f"{KEY} is over its limit"),
        Fail(500, f"it broke for {KEY}", streaming=True),
        Turn(say="I look", cut="connection"),
        Garbage(),
    ],
)
async def test_no_error_no_record_and_no_repr_has_the_key(
    provider: str, entry: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with asked(provider, *[entry] * 3, options={"key": KEY}) as it:
        told: list[str] = []
        with pytest.raises(SteadyError) as found:
            await hear(it, told)
        seen = "".join((*told, repr(it.brain), repr(it.brain._place), repr(found.value), str(found.value)))
        seen += "".join(traceback.format_exception(found.value)) + caplog.text
        seen += repr(vars(it.brain)) + repr(it.brain.side) + repr(found.value.__dict__)

    assert it.server.heard[0].headers["Authorization"] == f"Bearer {KEY}"
    assert KEY[4:-4] not in seen
