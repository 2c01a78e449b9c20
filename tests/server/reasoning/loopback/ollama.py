"""Ollama's chat API (https://docs.ollama.com/api/chat): lines of JSON. It answers without a key, and knows no ids."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from aiohttp import web
from tests.server.reasoning.loopback.script import Fail, Heard, Turn, heard
from tests.server.reasoning.loopback.server import Invalid, Loopback, needs, needs_path, needs_plain, pieces

_KNOWN = {"model", "messages", "tools", "stream", "think", "format", "options", "keep_alive"}
_OPTIONS = {"num_ctx", "num_predict", "temperature", "stop"}


class OllamaServer(Loopback):
    content_type = "application/x-ndjson"

    def __init__(self, *entries: Any, **options: Any) -> None:
        super().__init__(*entries, **{"key": "", **options})
        self.capabilities = ["completion", "tools", "thinking"]
        self.length = 131072
        self.shows = True
        """Whether it tells about its models; what only speaks like Ollama may not."""

    def no_model(self, model: str) -> str:
        return f"model '{model}' not found"

    def too_long(self) -> str:
        return "the input length exceeds the context length"

    def look_up(self, path: str) -> Any:
        models = [{"model": model, "name": model, "size": 1} for model in self.models]
        return {"models": models} if path == "/api/tags" else None

    def other(self, path: str, body: dict[str, Any]) -> Any:
        if path != "/api/show":
            return None
        if not self.shows:
            raise Invalid("404 page not found", 404)
        self._check_model(body["model"])
        return {"capabilities": self.capabilities, "model_info": {"qwen3.context_length": self.length}, "details": {}}

    def check(self, request: web.Request, body: dict[str, Any]) -> None:
        needs_path(request, "/api/chat")
        needs(set(body) <= _KNOWN, f"unknown field {sorted(set(body) - _KNOWN)}")
        needs(set(body["options"]) <= _OPTIONS and body["options"]["num_ctx"] >= 2048, "invalid options")
        needs(body["options"]["num_predict"] > 0 and body.get("stream") is True, "invalid options")
        for tool in body.get("tools", ()):
            needs(tool["type"] == "function", "invalid tools")
            needs_plain(tool["function"]["parameters"], "invalid tools")
        open_calls: list[str] = []
        for message in body["messages"]:
            needs(message["role"] in {"system", "user", "assistant", "tool"}, "invalid role")
            if message["role"] == "tool":
                needs(
                    open_calls and message["tool_name"] == open_calls.pop(0),
                    "a result without its call, or in disorder",
                )
                continue
            needs(not open_calls, f"calls without results: {open_calls}")
            for call in message.get("tool_calls", ()):
                needs(isinstance(call["function"]["arguments"], dict), "invalid tool call arguments")
                open_calls.append(call["function"]["name"])
        needs(not open_calls, f"calls without results: {open_calls}")

    def hear(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> Heard:
        return heard(path, headers, body, lambda found: (found["tool_name"], found.get("content", "")))

    def stream(self, turn: Turn, body: dict[str, Any]) -> Iterator[bytes]:
        def told(done: bool = False, **fields: Any) -> bytes:
            message = {"role": "assistant", "content": "", **fields.pop("message", {})}
            head = {"model": body["model"], "created_at": "2026-11-21T10:00:00Z"}
            return (
                json.dumps({**head, "message": message, "done": done, **fields}, ensure_ascii=False) + "\n"
            ).encode()

        for piece in pieces(turn.think):
            yield told(message={"thinking": piece})
        for piece in pieces(turn.say):
            yield told(message={"content": piece})
        for use in turn.calls:
            if isinstance(use.arguments, str):
                yield _line(
                    {"error": f"error parsing tool call: raw='{use.arguments}', err=unexpected end of JSON input"}
                )
                return
            yield told(message={"tool_calls": [{"function": {"name": use.name, "arguments": use.arguments}}]})
        counts = {"prompt_eval_count": turn.input, "eval_count": turn.output}
        yield told(True, done_reason="length" if turn.ends == "truncated" else "stop", **counts)

    def failure(self, failure: Fail) -> Any:
        return {"error": failure.message}

    def failed_within(self, failure: Fail) -> Iterator[bytes]:
        yield _line({"error": failure.message})

    def garbage(self) -> bytes:
        return b'{"model": "mod\n'


def _line(data: Any) -> bytes:
    return (json.dumps(data) + "\n").encode()
