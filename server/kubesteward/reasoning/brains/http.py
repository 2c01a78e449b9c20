"""How the SDKs reach their servers: nothing is followed, resolved or added behind the operator's back.

All of them speak HTTP through a transport made here. It connects to the IP address that was judged and to no other,
sends the key only where it belongs, drops the headers with which SDKs tell about the machine or which they take from
variables, and follows no redirection. The SDKs use two generations of one HTTP library; the transport is built for
either.
"""

from __future__ import annotations

import functools
import logging
import socket
import ssl
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from kubesteward.reasoning.brains.addresses import Address
from kubesteward.reasoning.brains.base import BrainMisconfigured
from kubesteward.reasoning.brains.keys import Key
from kubesteward_tools.outgoing import ForbiddenAddress

_SENT = frozenset(
    {
        "accept",
        "anthropic-version",
        "connection",
        "content-length",
        "content-type",
        "host",
        "transfer-encoding",
        "user-agent",
    }
)
PLACEHOLDER = "kept-in-the-transport"
"""The SDKs want a key; this is all they ever see."""
LARGEST = 64 * 2**20
"""Bytes of an answer; nothing asks for a compressed one, which could be larger than it looks."""
_TALKATIVE = ("anthropic", "openai", "httpx", "httpx2", "httpcore", "httpcore2")


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: to connect, between two pieces of an answer, and for a whole answer."""

    connect: float = 10.0
    read: float = 120.0
    whole: float = 600.0


class TooMuch(OSError):
    """A server sends more than any answer has."""


class WebPage(OSError):
    """Something else answers there: a page to sign in at, or a proxy's."""


def options(library: Any, address: Address, key: Key | None, limits: Limits) -> dict[str, Any]:
    """What an `AsyncClient` of `httpx` or `httpx2`, whichever `library` is, has to be made with.

    Raises:
        BrainMisconfigured: it would have to go through a proxy that cannot be used.
    """
    _quiet()
    context = _trust() if address.url.startswith("https://") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    inner = library.AsyncHTTPTransport(verify=context, trust_env=False, proxy=_proxy(address))
    timeout = library.Timeout(connect=limits.connect, read=limits.read, write=limits.read, pool=limits.connect)
    return {
        "transport": _transport(library, inner, address, key),
        "timeout": timeout,
        "trust_env": False,
        "follow_redirects": False,
    }


def _proxy(address: Address) -> str | None:
    """The environment's, also where it is named without its protocol. It may hold a password, so it is not repeated."""
    if (found := address.proxy) is None:
        return None
    url = found if "://" in found else f"http://{found}"
    try:
        parts = urlsplit(url)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        todo = "Set HTTPS_PROXY to http://host:port, or name the provider's host in NO_PROXY."
        raise BrainMisconfigured("The proxy of the environment is none that brains can be asked through.", todo)
    return url


@functools.cache
def _trust() -> ssl.SSLContext:
    """The authorities that this system trusts. Reading them takes longer than everything else here."""
    return ssl.create_default_context()


def _bounded(library: Any, whole: Any) -> Any:
    class Bounded(library.AsyncByteStream):  # type: ignore[misc]  # its base is chosen by the SDK
        async def __aiter__(self) -> AsyncGenerator[bytes, None]:
            left = LARGEST
            async for piece in whole:
                left -= len(piece)
                if left < 0:
                    raise TooMuch
                yield piece

        async def aclose(self) -> None:
            await whole.aclose()

    return Bounded()


def _transport(library: Any, inner: Any, address: Address, key: Key | None) -> Any:
    class Pinned(library.AsyncBaseTransport):  # type: ignore[misc]  # its base is chosen by the SDK
        answered = ""
        """Which of the addresses did, to be tried first: another may lead nowhere, which takes long to notice."""

        async def handle_async_request(self, request: Any) -> Any:
            last: Exception = OSError("its name stands for no address")
            for url in sorted(await _where(request.url, address), key=lambda url: url.host != self.answered):
                extensions = {**request.extensions, "sni_hostname": request.url.host}
                headers = _headers(request.headers.multi_items(), key)
                made = library.Request(
                    request.method, url, headers=headers, stream=request.stream, extensions=extensions
                )
                try:
                    answer = await inner.handle_async_request(made)
                except (library.ConnectError, library.ConnectTimeout) as error:
                    last = error
                else:
                    self.answered = url.host
                    if answer.status_code < 300 and answer.headers.get("content-type", "").startswith("text/html"):
                        await answer.aclose()
                        raise WebPage
                    answer.stream = _bounded(library, answer.stream)
                    return answer
            raise last

        async def aclose(self) -> None:
            await inner.aclose()

    return Pinned()


async def _where(url: Any, address: Address) -> list[Any]:
    """The address with the name replaced by what it stands for; as it is where a proxy resolves it.

    Raises:
        ForbiddenAddress: it stands for something that is not connected to. OSError: for nothing.
    """
    if address.proxy:
        return [url]
    import anyio

    port = url.port or (443 if url.scheme == "https" else 80)
    found = await anyio.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    judged: dict[str, Any] = {}
    for *_, where in found:
        if why := address.objection(str(where[0])):
            raise ForbiddenAddress(f"{url.host} {why}")
        judged[str(where[0])] = url.copy_with(host=str(where[0]))
    return list(judged.values())


def _headers(given: list[tuple[str, str]], key: Key | None) -> list[tuple[str, str]]:
    kept = [(name, value) for name, value in given if name.lower() in _SENT]
    return kept if key is None else [*kept, key.header]


def _quiet() -> None:
    """Their debug records hold whole prompts, and those of HTTP headers; a variable of theirs would switch them on."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
