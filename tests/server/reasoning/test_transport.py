"""Names are resolved once and judged, certificates are checked against the name, and proxies see no key."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

import anyio
import pytest
from tests.server.reasoning.loopback.script import Turn
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
    async with asked(provider, Turn(say="Yes.")) as it:
        done, _events = await it.answer()

    assert done.message.text == "Yes."


@every
async def test_a_name_that_nobody_knows_is_told(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(anyio, "getaddrinfo", resolve)
    async with asked(provider, address=address("https://brain.example/v1")) as it:
        with pytest.raises(BrainOffline, match="cannot be resolved"):
            await it.answer()


@every
async def test_a_proxy_is_asked_for_a_tunnel_and_given_no_key(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with server, asked(provider, address=address("https://brain.example/v1"), key=Key("a test", KEY)) as it:
        with pytest.raises(BrainOffline, match="the proxy does not let") as found:
            await it.answer()

    assert heard[0].startswith(b"CONNECT brain.example:443 HTTP/1.1\r\n")
    assert KEY.encode() not in b"".join(heard)
    assert "HTTPS_PROXY" in found.value.todo
