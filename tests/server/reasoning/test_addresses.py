"""Brains are asked at addresses that cannot be abused, and what is sent there is only what has to be."""

from __future__ import annotations

import pytest
from tests.server.reasoning.loopback.script import Turn
from tests.server.reasoning.loopback.server import KEY
from tests.server.reasoning.providers import EVERY, asked

from kubesteward.reasoning.brains.addresses import address
from kubesteward.reasoning.brains.base import BrainMisconfigured
from kubesteward.reasoning.brains.http import PLACEHOLDER


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("http://api.example.com/v1", False),  # whether it is public shows when it is resolved; it must not be plain
        ("http://10.0.0.8:8000/v1", False),
        ("https://10.0.0.8/v1", False),
        ("https://192.168.1.4", False),
        ("http://169.254.169.254/latest", True),
        ("http://169.254.169.254/latest", False),
        ("https://metadata.google.internal/v1", True),
        ("https://[fe80::1]/v1", True),
        ("https://[::ffff:169.254.169.254]/v1", True),
        ("https://2852039166/v1", True),
        ("https://2130706433/v1", False),
        ("https://0x0a.1/v1", False),
        ("https://[64:ff9b::10.0.0.8]/v1", False),
        ("https://[2002:a00:8::]/v1", False),
        ("https://[::127.0.0.1]/v1", False),
        ("https://[fec0::1]/v1", False),
        ("https://8.8.8.8/v1", True),
        ("https://user:s3same@api.example.com", False),
        ("ftp://api.example.com", False),
        ("https://api.example.com/v1?key=x", False),
        ("api.example.com", False),
        ("", False),
    ],
)
def test_addresses_that_may_be_traps_are_refused(url: str, private: bool) -> None:
    with pytest.raises(BrainMisconfigured) as found:
        address(url, private=private)

    assert found.value.todo
    assert "s3same" not in str(found.value)


@pytest.mark.parametrize(
    ("url", "private", "reach"),
    [
        ("https://api.anthropic.com", False, "public"),
        ("http://127.0.0.1:11434", False, "here"),
        ("http://localhost:11434/", False, "here"),
        ("http://[::1]:8000/v1", False, "here"),
        ("http://10.0.0.8:8000/v1", True, "private"),
        ("http://vllm.ai.svc:8000/v1", True, "private"),
        ("https://gateway.example.com/v1", True, "private"),
    ],
)
def test_other_addresses_are_known_by_where_they_are(url: str, private: bool, reach: str) -> None:
    found = address(url, private=private)

    assert found.reach == reach
    assert found.url == url.rstrip("/")


@pytest.mark.parametrize(
    ("url", "private", "resolved", "refused"),
    [
        ("http://localhost:1", False, "127.0.0.1", False),
        ("http://localhost:1", False, "10.0.0.8", True),
        ("http://vllm.ai.svc", True, "10.0.0.8", False),
        ("http://vllm.ai.svc", True, "8.8.8.8", True),
        ("https://vllm.ai.svc", True, "8.8.8.8", True),
        ("http://vllm.ai.svc", True, "169.254.169.254", True),
        ("https://api.example.com", False, "8.8.8.8", False),
        ("https://api.example.com", False, "10.0.0.8", True),
        ("https://api.example.com", False, "127.0.0.1", True),
        ("https://api.example.com", False, "::ffff:10.0.0.8", True),
        ("https://api.example.com", False, "2606:4700::1", False),
        ("https://api.example.com", False, "64:ff9b::a00:8", True),
        ("https://api.example.com", False, "64:ff9b::808:808", False),
        ("https://api.example.com", False, "2002:a00:8::", True),
        ("https://api.example.com", False, "::ffff:0:a00:8", True),
        ("https://api.example.com", False, "fec0::1", True),
    ],
)
def test_what_a_name_stands_for_is_judged_too(url: str, private: bool, resolved: str, refused: bool) -> None:
    assert bool(address(url, private=private).objection(resolved)) == refused


def test_only_public_addresses_go_through_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "api.openai.com")

    assert address("https://api.anthropic.com").proxy == "http://proxy.example:3128"
    assert address("https://api.openai.com/v1").proxy is None
    assert address("http://127.0.0.1:11434").proxy is None
    assert address("http://vllm.ai.svc:8000/v1", private=True).proxy is None


@pytest.mark.anyio
@pytest.mark.parametrize("provider", EVERY)
async def test_nothing_of_the_environment_or_the_machine_is_sent(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ANTHROPIC", "OPENAI"):
        monkeypatch.setenv(f"{name}_CUSTOM_HEADERS", "X-Secret: one\nAuthorization: Bearer two")
        monkeypatch.setenv(f"{name}_BASE_URL", "http://127.0.0.1:1")
        monkeypatch.setenv(f"{name}_API_KEY", "sk-of-the-environment")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "sk-of-the-environment")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OLLAMA_API_KEY", "sk-of-the-environment")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("ANTHROPIC_LOG", "debug")
    async with asked(provider, Turn(say="Yes."), options={"key": KEY}) as it:
        await it.answer()

    sent = {name.lower(): value for name, value in it.server.heard[0].headers.items()}
    assert sent["authorization"] == f"Bearer {KEY}"
    assert sent["host"] == f"127.0.0.1:{it.server.port}"
    assert not [name for name in sent if name.startswith(("x-", "openai-"))]
    assert "sk-of-the-environment" not in str(sent)
    assert PLACEHOLDER not in str(sent)
    assert "accept-encoding" not in sent


@pytest.mark.anyio
async def test_without_a_key_none_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "sk-of-the-environment")
    for provider in ("ollama", "openai-compatible"):
        async with asked(provider, Turn(say="Yes."), options={"key": ""}) as it:
            await it.answer()

        assert "authorization" not in {name.lower() for name in it.server.heard[0].headers}
