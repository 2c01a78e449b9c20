"""The Chat Completions API as servers other than OpenAI's speak it, streamed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import count
from typing import Any, Literal

from aiohttp import web
from openai.types.chat.completion_create_params import CompletionCreateParamsBase
from tests.server.reasoning.loopback.openai import OpenAIErrors
from tests.server.reasoning.loopback.script import Fail, Heard, Turn, heard
from tests.server.reasoning.loopback.server import NAME, needs, needs_path, needs_plain, pieces, raw

_KNOWN = {*CompletionCreateParamsBase.__annotations__, "stream"}
_STOPS = {"truncated": "length", "refused": "content_filter"}


class ChatServer(OpenAIErrors):
    def __init__(self, *entries: Any, **options: Any) -> None:
        super().__init__(*entries, **options)
        self._ids = count(1)
        self._thoughts: dict[str, str] = {}
        self.sloppy: Literal["", "no ids", "one index"] = ""
        """How some servers leave the API: calls without ids, or all at one index; and no usage."""
        self.unknown: set[str] = set()
        """Settings that it does not take."""

    def check(self, request: web.Request, body: dict[str, Any]) -> None:
        needs_path(request, "/v1/chat/completions")
        for name in body:
            needs(name in _KNOWN and name not in self.unknown, f"Unrecognized request argument supplied: {name}")
        needs(body.get("stream") is True, "this server only streams")
        most = body.get("max_completion_tokens" if "max_tokens" in self.unknown else "max_tokens")
        needs(isinstance(most, int) and most > 0, "a limit is required")
        for tool in body.get("tools", ()):
            needs(tool["type"] == "function" and re.fullmatch(NAME, tool["function"]["name"]), "Invalid tools")
            needs_plain(tool["function"]["parameters"], "Invalid schema for function")
        needs(body.get("messages"), "messages: too short")
        self._check_messages(body["messages"])

    def _check_messages(self, messages: list[dict[str, Any]]) -> None:
        open_calls: list[str] = []
        before = ""
        for message in messages:
            if message["role"] == "tool":
                before = "tool"
                needs(message["tool_call_id"] in open_calls, "messages with role 'tool' must follow 'tool_calls'")
                open_calls.remove(message["tool_call_id"])
                continue
            needs(not open_calls, f"'tool_calls' must be followed by tool messages responding to each: {open_calls}")
            needs(message["role"] in {"system", "user", "assistant"}, "Invalid role")
            doubled = message["role"] != "system" and message["role"] == before
            needs(not doubled, "Conversation roles must alternate user/assistant/user/assistant/...")
            before = message["role"]
            needs(message.get("content") or message.get("tool_calls"), "content is required")
            for call in message.get("tool_calls", ()):
                json.loads(call["function"]["arguments"])
                needs(re.fullmatch(NAME, call["function"]["name"]), "name: string does not match pattern")
                open_calls.append(call["id"])
                self._check_thought(message, call["id"], messages)
        needs(not open_calls, "'tool_calls' must be followed by tool messages responding to each")

    def _check_thought(self, message: dict[str, Any], call: str, messages: list[dict[str, Any]]) -> None:
        """As DeepSeek wants it: thoughts come back with their calls, and only until the user speaks again."""
        running = not any(later["role"] == "user" for later in messages[messages.index(message) :])
        wanted = self._thoughts.get(call) if running else None
        needs(message.get("reasoning_content") == wanted, "`reasoning_content` does not fit")

    def hear(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> Heard:
        return heard(path, headers, body, lambda found: (found["tool_call_id"], found["content"]))

    def stream(self, turn: Turn, body: dict[str, Any]) -> Iterator[bytes]:
        head = {"id": f"chatcmpl-{next(self._ids)}", "object": "chat.completion.chunk", "created": 1}
        head |= {"model": body["model"]}

        def told(delta: dict[str, Any], finish: str | None = None) -> bytes:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            return _data(head | {"choices": [choice], "usage": None})

        yield told({"role": "assistant", "content": ""})
        for piece in pieces(turn.think):
            yield told({"reasoning_content": piece})
        for piece in pieces(turn.say):
            yield told({"refusal" if turn.ends == "refused" else "content": piece})
        for position, use in enumerate(turn.calls):
            identity = f"call_{next(self._ids)}"
            if turn.think:
                self._thoughts[identity] = turn.think
            index = 0 if self.sloppy == "one index" else position
            begun: dict[str, Any] = {
                "index": index,
                "id": identity,
                "type": "function",
                "function": {"name": use.name, "arguments": ""},
            }
            if self.sloppy == "no ids":
                begun = {"index": index, "function": {"name": use.name}}
            yield told({"tool_calls": [begun]})
            for piece in pieces(raw(use.arguments)):
                yield told({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
        yield told({}, _STOPS.get(turn.ends) or ("tool_calls" if turn.calls else "stop"))
        if not self.sloppy:
            yield _data(head | {"choices": [], "usage": _usage(turn)})
        yield b"data: [DONE]\n\n"

    def failed_within(self, failure: Fail) -> Iterator[bytes]:
        yield _data(self.failure(Fail(failure.status, failure.message, failure.code or str(failure.status))))

    def garbage(self) -> bytes:
        return b'data: {"id": "chat\n\n'


def _data(data: Any) -> bytes:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def _usage(turn: Turn) -> dict[str, Any]:
    whole = turn.input + turn.cache_read + turn.cache_write
    return {
        "prompt_tokens": whole,
        "completion_tokens": turn.output,
        "total_tokens": whole + turn.output,
        "prompt_tokens_details": {"cached_tokens": turn.cache_read, "cache_write_tokens": turn.cache_write},
        "completion_tokens_details": {"reasoning_tokens": turn.reasoning},
    }
