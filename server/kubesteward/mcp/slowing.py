"""Slows down whoever guesses tokens: after some wrong ones, an address has to wait before the next is even looked at.

Tokens that were right lately are looked at all the same, so that a guesser locks out nobody who shares the address with
them (a proxy, an office). Requests without any token are how OAuth clients begin; they cost nothing and never count.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from kubesteward.buckets import Buckets

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

FAILURES_PER_MINUTE = 20
MOST = 10_000
"""Right tokens that are remembered, by digest."""


class Slowing:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._failures = Buckets(FAILURES_PER_MINUTE, clock=clock)
        self._right: dict[bytes, None] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = dict(scope.get("headers") or ()).get(b"authorization", b"")
        if scope["type"] != "http" or not given:
            await self._app(scope, receive, send)
            return
        mark, address = hashlib.sha256(given).digest(), address_of(scope)
        wait = 0.0 if mark in self._right else self._failures.wait(address)
        if wait:
            await _too_many(send, wait)
            return

        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._note(mark, address, wrong=message["status"] == 401)
            await send(message)

        await self._app(scope, receive, watch)

    def _note(self, mark: bytes, address: str, *, wrong: bool) -> None:
        self._right.pop(mark, None)
        if wrong:
            self._failures.take(address)
            return
        self._right[mark] = None
        if len(self._right) > MOST:
            del self._right[next(iter(self._right))]


def address_of(scope: Scope) -> str:
    """Who asks; of IPv6 the network, for one machine has a whole one."""
    host = str((scope.get("client") or ("unknown",))[0])
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return host if address.version == 4 else str(ipaddress.ip_network(f"{address}/64", strict=False))


async def _too_many(send: Send, seconds: float) -> None:
    body = b'{"error":"too many wrong tokens from this address"}'
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", str(math.ceil(seconds)).encode()),
    ]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    await send({"type": "http.response.body", "body": body})
