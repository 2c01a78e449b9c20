"""Names are resolved once and judged, certificates are checked against the name, and proxies see no key."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

import anyio
import pytest
from tests.server.reasoning.loopback.script import Fail, Turn
from tests.server.reasoning.loopback.server import KEY
from tests.server.reasoning.providers import EVERY, asked

from kubesteward.embedded.certificate import loopback_context
from kubesteward.reasoning.brains import http
from kubesteward.reasoning.brains.addresses import Address, address
from kubesteward.reasoning.brains.base import BrainMisconfigured, BrainOffline
from kubesteward.reasoning.brains.keys import Key

pytestmark = pytest.mark.anyio
every = pytest.mark.parametrize("provider", EVERY)


@pytest.fixture
def tls(monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's context whose certificate, for 127.0.0.1 and localhost, is trusted."""
    context, certificate = loopback_context()
    trusting = ssl.create_default_context(cadata=certificate.decode())
    monkeypatch.setattr(http, "_trust", lambda: trusting)
    return context


@every
async def test_a_certificate_for_the_name_is_accepted(provider: str, tls: ssl.SSLContext) -> None:
    async with asked(provider, Turn(say="Yes."), options={"tls": tls}) as it:
        done, _events = await it.answer()

    assert done.message.text == "Yes."
    assert it.server.heard[0].headers["Host"] == f"localhost:{it.server.port}"


@every
async def test_a_certificate_for_the_address_alone_is_not(
    provider: str, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(host: Any, port: Any, **_: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    async with asked(provider, Turn(say="Yes."), options={"tls": tls}) as it:
        moved = Address(f"https://brain.example:{it.server.port}", "here")
        monkeypatch.setattr(anyio, "getaddrinfo", resolve)
        async with asked(provider, address=moved) as other:
            with pytest.raises(BrainMisconfigured, match="is not trusted") as found:
                await other.answer()

    assert "SSL_CERT_FILE" in found.value.todo
    assert it.server.attempts == 0


@every
async def test_a_certificate_of_nobody_known_is_not_accepted(provider: str) -> None:
    async with asked(provider, Turn(say="Yes."), options={"tls": loopback_context()[0]}) as it:
        with pytest.raises(BrainMisconfigured, match="is not trusted"):
            await it.answer()


@every
async def test_the_next_address_of_a_name_is_tried_where_nobody_listens(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(host: Any, port: Any, **_: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (where, port)) for where in ("127.0.0.2", "127.0.0.1")]

    monkeypatch.setattr(anyio, "getaddrinfo", resolve)
    async with asked(provider, Turn(say="Yes."), Turn(say="Again.")) as it:
        first, _events = await it.answer()
        second, _events = await it.answer()

    assert (first.message.text, second.message.text) == ("Yes.", "Again.")


@every
async def test_a_name_that_nobody_knows_is_told(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(anyio, "getaddrinfo", resolve)
    async with asked(provider, address=address("https://brain.example/v1")) as it:
        with pytest.raises(BrainOffline, match="cannot be resolved"):
            await it.answer()


@every
@pytest.mark.parametrize("entry", [Turn(say="x" * 20_000), Fail(500, "x" * 20_000)])
async def test_an_answer_without_measure_is_given_up(
    provider: str, entry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "LARGEST", 10_000)
    async with asked(provider, entry) as it:
        with pytest.raises(BrainOffline, match="sends more than any answer has"):
            await it.answer()

    assert it.slept == []


@every
@pytest.mark.parametrize(
    "proxy", ["socks5://user:geheim@127.0.0.1:1", "http://", "http://127.0.0.1:x", "ftp://127.0.0.1"]
)
async def test_a_proxy_that_cannot_be_used_is_told_without_its_password(
    provider: str, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    monkeypatch.setenv("no_proxy", "")
    async with asked(provider, address=address("https://brain.example/v1")) as it:
        with pytest.raises(BrainMisconfigured, match="The proxy of the environment") as found:
            await it.answer()
        health = await it.brain.check()

    assert "HTTPS_PROXY" in found.value.todo
    assert "geheim" not in f"{found.value}{health}"
    assert health.reason == found.value.reason


@every
@pytest.mark.parametrize("protocol", ["http://", ""])
async def test_a_proxy_is_asked_for_a_tunnel_and_given_no_key(
    provider: str, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("https_proxy", f"{protocol}127.0.0.1:{port}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with server, asked(provider, address=address("https://brain.example/v1"), key=Key("a test", KEY)) as it:
        with pytest.raises(BrainOffline, match="the proxy does not let") as found:
            await it.answer()

    assert heard[0].startswith(b"CONNECT brain.example:443 HTTP/1.1\r\n")
    assert KEY.encode() not in b"".join(heard)
    assert "HTTPS_PROXY" in found.value.todo
