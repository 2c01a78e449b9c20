"""Ollama's own habits: its window, its models that are elsewhere, and schemas that its SDK would cut."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests.server.reasoning.loopback.ollama import OllamaServer
from tests.server.reasoning.loopback.script import Turn
from tests.server.reasoning.providers import ask, asked

from kubesteward.reasoning.brains.base import BrainMisconfigured, PromptTooLong

pytestmark = pytest.mark.anyio


async def test_the_window_grows_with_the_conversation_and_never_shrinks() -> None:
    async with asked("ollama", *[Turn(say="Yes.")] * 3) as it:
        for text in ("Why?", "Why? " * 10_000, "Why?"):
            await it.answer(ask(text))

    assert [heard.body["options"]["num_ctx"] for heard in it.server.heard] == [8192, 32768, 32768]


async def test_a_conversation_that_would_lose_its_beginning_is_not_sent() -> None:
    async with asked("ollama", Turn(say="Yes.")) as it:
        assert isinstance(it.server, OllamaServer)
        it.server.length = 8192
        with pytest.raises(PromptTooLong, match="do not fit into model-1 with 8192"):
            await it.answer(ask("Why? " * 10_000))

    assert it.server.attempts == 0


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:1", "ollama is not running"),
        ("OLLAMA_HOST", "localhost:nonsense", "The SDK of ollama cannot be loaded"),
    ],
)
def test_the_environment_of_the_sdk_breaks_nothing(name: str, value: str, reason: str) -> None:
    """It reads these while it is loaded, though it is told another address and asks through nobody."""
    code = (
        "import anyio; from kubesteward.reasoning.brains.addresses import address;"
        "from kubesteward.reasoning.brains.ollama import OllamaBrain;"
        "from kubesteward.reasoning.brains.remote import Place;"
        "print(anyio.run(OllamaBrain(Place('main', 'model-1', address('http://127.0.0.1:1'))).check).reason)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, name: value}, capture_output=True, text=True, check=True
    )

    assert found.stdout.startswith(reason)


async def test_an_answer_that_fills_the_window_counts_as_cut() -> None:
    async with asked("ollama", Turn(say="Yes.", input=8000, output=192)) as it:
        done, _events = await it.answer()

    assert done.stop == "truncated"


async def test_a_model_that_uses_no_tools_is_told() -> None:
    async with asked("ollama", Turn(say="Yes.")) as it:
        assert isinstance(it.server, OllamaServer)
        it.server.capabilities = ["completion"]
        with pytest.raises(BrainMisconfigured, match="uses no tools"):
            await it.answer()


@pytest.mark.parametrize(
    ("model", "local"), [("qwen3:8b", True), ("gpt-oss:120b-cloud", False), ("glm-5:cloud", False)]
)
async def test_models_that_are_passed_on_to_ollamas_servers_are_not_local(model: str, local: bool) -> None:
    async with asked("ollama", options={"models": (model,)}, model=model) as it:
        assert it.brain.local is local


async def test_a_model_without_a_tag_is_the_latest() -> None:
    async with asked("ollama", options={"models": ("qwen3:latest",)}, model="qwen3") as it:
        assert (await it.brain.check()).ok


async def test_what_the_sdk_drops_of_a_schema_is_told_in_words() -> None:
    async with asked("ollama", Turn(say="Yes.")) as it:
        await it.answer()

    found = it.server.heard[0].body["tools"][0]["function"]["parameters"]
    assert found["required"] == ["namespace"]
    assert found["properties"]["namespace"] == {"type": "string", "description": "where"}
    assert found["properties"]["limit"]["type"] == ["integer", "null"]
    assert '"default":5' in found["properties"]["limit"]["description"]
