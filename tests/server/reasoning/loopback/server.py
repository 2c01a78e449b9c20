"""What the loopback servers share: listening, keys, models, streams in pieces, and ways of failing."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiohttp import web
from tests.server.reasoning.loopback.script import Fail, Garbage, Heard, Raw, Script, Stall, Turn

KEY = "sk-loopback-4f9Zq1Xw7RkT2mVb8NcY"
MODEL = "model-1"


class Invalid(Exception):
    """The request is not one that the provider would take."""

    def __init__(self, message: str, status: int = 400, code: str = "") -> None:
        super().__init__(message)
        self.failure = Fail(status, message, code)


def needs(holds: object, message: str) -> None:
    if not holds:
        raise Invalid(message)


class Loopback(ABC):
    """`refused` holds what was invalid, `heard` what was valid, `attempts` counts both."""

    content_type = "text/event-stream"
    base = ""
    """The path of the base address."""

    def __init__(
        self, *entries: Any, key: str = KEY, models: tuple[str, ...] = (MODEL,), context: int = 1_000_000
    ) -> None:
        self.script = Script(*entries)
        self.key = key
        self.models = models
        self.context = context
        self.pieces = 0
        self.heard: list[Heard] = []
        self.refused: list[str] = []
        self.attempts = 0
        self.port = 0
        self.tls: ssl.SSLContext | None = None
        self._going = asyncio.Event()
        self.page = False
        """Whether a web page is all that there is."""
        self.hung_up = asyncio.Event()
        """Somebody who was kept waiting has gone."""

    @property
    def url(self) -> str:
        where = "https://localhost" if self.tls else "http://127.0.0.1"
        return f"{where}:{self.port}{self.base}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Loopback]:
        """In the running loop."""
        self._going, self.hung_up = asyncio.Event(), asyncio.Event()
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port, ssl_context=self.tls)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            self._going.set()
            await runner.cleanup()

    @contextmanager
    def threaded(self) -> Iterator[Loopback]:
        """In a thread, for tests of commands."""
        started, stop = threading.Event(), asyncio.Event()
        loop = asyncio.new_event_loop()

        async def serve() -> None:
            async with self.running():
                started.set()
                await stop.wait()

        thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
        thread.start()
        assert started.wait(10)
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(10)
            loop.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            self._authorise(request)
            if self.page:
                return web.Response(text="<html></html>", content_type="text/html")
            if request.method == "GET":
                return self._looked_up(request.path)
            body = json.loads(await request.read())
            if (told := self.other(request.path, body)) is not None:
                return web.json_response(told)
            self.attempts += 1
            self._check_model(str(body.get("model", "")))
            self.check(request, body)
            heard = self.hear(request.path, dict(request.headers), body)
            self._check_length(body)
        except Invalid as error:
            self.refused.append(str(error))
            return self._failed(error.failure)
        self.heard.append(heard)
        return await self._act(request, body, self.script.next(heard))

    async def _act(self, request: web.Request, body: dict[str, Any], answer: Any) -> web.StreamResponse:
        if isinstance(answer, Fail) and not answer.streaming:
            return self._failed(answer)
        if isinstance(answer, Raw):
            headers = {"content-type": answer.content_type or self.content_type, **answer.headers}
            return web.Response(body=answer.body, status=answer.status, headers=headers)
        if isinstance(answer, Stall) and not answer.begun:
            await self._hang()
            return web.Response(status=500)
        response = web.StreamResponse(headers={"content-type": self.content_type})
        response.enable_chunked_encoding()
        await response.prepare(request)
        await self._send(request, response, body, answer)
        return response

    async def _send(self, request: web.Request, response: web.StreamResponse, body: Any, answer: Any) -> None:
        if isinstance(answer, Turn):
            lines = list(self.stream(answer, body))
            await self._write(response, lines[: len(lines) // 2] if answer.cut else lines)
            if answer.cut == "connection":
                assert request.transport is not None
                request.transport.abort()
            return
        begun = list(self.stream(Turn(say="Well, let me look at all of this in detail before I answer. " * 2), body))
        await self._write(response, begun[: len(begun) // 2])
        if isinstance(answer, Stall):
            await self._hang()
        elif isinstance(answer, Garbage):
            await self._write(response, [self.garbage()])
        else:
            await self._write(response, list(self.failed_within(answer)))

    async def _hang(self) -> None:
        try:
            await self._going.wait()
        except asyncio.CancelledError:
            self.hung_up.set()
            raise

    async def _write(self, response: web.StreamResponse, lines: list[bytes]) -> None:
        """Line by line, or in pieces that split lines and letters anywhere."""
        whole = b"".join(lines)
        cut = [whole[at : at + self.pieces] for at in range(0, len(whole), self.pieces)] if self.pieces else lines
        for piece in cut:
            await response.write(piece)

    def _authorise(self, request: web.Request) -> None:
        if not self.key:
            return
        given = request.headers.get("authorization", "").removeprefix("Bearer ") or request.headers.get("x-api-key", "")
        if given != self.key:
            raise Invalid(f"Incorrect API key provided: {given[:8]}***{given[-4:]}.", 401)

    def _check_model(self, model: str) -> None:
        if model not in self.models:
            raise Invalid(self.no_model(model), 404, self.no_model_code)

    def _check_length(self, body: dict[str, Any]) -> None:
        if len(json.dumps(body)) // 4 > self.context:
            raise Invalid(self.too_long(), 400, self.too_long_code)

    def _looked_up(self, path: str) -> web.StreamResponse:
        found = self.look_up(path)
        if not found:
            raise Invalid(self.no_model(path.rsplit("/", 1)[-1]), 404, self.no_model_code)
        return web.json_response(found)

    def _failed(self, failure: Fail) -> web.StreamResponse:
        headers = {"retry-after": failure.retry_after} if failure.retry_after else {}
        headers |= {"location": failure.location} if failure.location else {}
        return web.json_response(self.failure(failure), status=failure.status, headers=headers)

    no_model_code = ""
    too_long_code = ""

    def other(self, path: str, body: dict[str, Any]) -> Any:
        """The answer to a POST that is no question to the model, None if it is one."""
        return None

    @abstractmethod
    def no_model(self, model: str) -> str: ...
    @abstractmethod
    def too_long(self) -> str: ...
    @abstractmethod
    def look_up(self, path: str) -> Any: ...
    @abstractmethod
    def check(self, request: web.Request, body: dict[str, Any]) -> None: ...
    @abstractmethod
    def hear(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> Heard: ...
    @abstractmethod
    def stream(self, turn: Turn, body: dict[str, Any]) -> Iterator[bytes]: ...
    @abstractmethod
    def failure(self, failure: Fail) -> Any: ...
    @abstractmethod
    def failed_within(self, failure: Fail) -> Iterator[bytes]: ...
    @abstractmethod
    def garbage(self) -> bytes: ...


NAME = r"[a-zA-Z0-9_-]{1,64}"
"""Of tools, as Anthropic's older models and OpenAI's want them."""


def needs_path(request: web.Request, path: str) -> None:
    if request.path != path:
        raise Invalid("Not Found", 404)


def needs_plain(schema: dict[str, Any], where: str) -> None:
    """A tool's schema is an object at its top, and no choice of them, with all that is required described."""
    needs(schema.get("type") == "object", f"{where}: type must be 'object'")
    unfit = {"oneOf", "anyOf", "allOf", "enum", "not"} & set(schema)
    needs(not unfit, f"{where} does not support {sorted(unfit)} at the top level")
    needs(set(schema.get("required", ())) <= set(schema.get("properties", {})), f"{where}: 'required' is unknown")


def event(name: str, data: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def pieces(text: str, size: int = 7) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def raw(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
