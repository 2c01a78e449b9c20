"""The Messages API (https://platform.claude.com/docs/en/api/messages), streamed, as strict as the real one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import count, pairwise
from typing import Any

from aiohttp import web
from anthropic.types.message_create_params import MessageCreateParamsBase
from tests.server.reasoning.loopback.script import Fail, Heard, Turn
from tests.server.reasoning.loopback.server import (
    NAME,
    Invalid,
    Loopback,
    event,
    needs,
    needs_path,
    needs_plain,
    pieces,
    raw,
)

_KNOWN = {*MessageCreateParamsBase.__annotations__, "stream"}
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_STOPS = {"truncated": "max_tokens", "refused": "refusal"}


_BOUND = "The block is bound to a different conversation."


class AnthropicServer(Loopback):
    def __init__(self, *entries: Any, **options: Any) -> None:
        super().__init__(*entries, **options)
        self._ids = count(1)
        self._signed: dict[str, tuple[str, str]] = {}
        self._wants_thoughts = False
        self.thinks = True
        """Whether its model decides about thinking."""
        self._thoughtful: set[str] = set()
        """Calls that were made after thinking: it has to come back with them."""

    def no_model(self, model: str) -> str:
        return f"model: {model}"

    def too_long(self) -> str:
        return f"prompt is too long: 250000 tokens > {self.context} maximum"

    def look_up(self, path: str) -> Any:
        model = path.removeprefix("/v1/models/")
        if model not in self.models:
            return None
        return {"type": "model", "id": model, "display_name": model, "created_at": "2026-01-01T00:00:00Z"}

    def check(self, request: web.Request, body: dict[str, Any]) -> None:
        needs_path(request, "/v1/messages")
        version = request.headers.get("anthropic-version", "")
        needs(re.fullmatch(r"20\d\d-\d\d-\d\d", version), "anthropic-version: header is required")
        for name in body:
            needs(name in _KNOWN, f"{name}: Extra inputs are not permitted")
        needs(isinstance(body.get("max_tokens"), int) and body["max_tokens"] > 0, "max_tokens: Field required")
        needs(body.get("stream") is True, "stream: this server only streams")
        needs(body.get("messages"), "messages: at least one message is required")
        needs("thinking" not in body or self.thinks, "adaptive thinking is not supported on this model")
        self._check_tools(body)
        self._check_turns(body["messages"])
        kinds = {block["type"] for message in body["messages"] for block in message["content"]}
        self._wants_thoughts = "thinking" in kinds
        for number, message in enumerate(body["messages"]):
            self._check_blocks(message, _prefix(body, number))
        self._check_pairs(body["messages"])

    def _check_tools(self, body: dict[str, Any]) -> None:
        for tool in body.get("tools", ()):
            needs(re.fullmatch(NAME, tool.get("name", "")), "tools.0.custom.name: invalid")
            needs_plain(tool.get("input_schema", {}), "tools.0.custom.input_schema")
            needs(set(tool) <= {"name", "description", "input_schema"}, "tools.0: Extra inputs are not permitted")
        if any(block["type"] == "tool_use" for message in body["messages"] for block in message["content"]):
            needs(body.get("tools"), "Requests which include `tool_use` or `tool_result` blocks must define tools")

    def _check_turns(self, messages: list[dict[str, Any]]) -> None:
        needs(messages[0]["role"] == "user", "messages: first message must use the user role")
        needs(messages[-1]["role"] == "user", "This model does not support assistant message prefill")
        for one, other in pairwise(messages):
            needs(one["role"] != other["role"], "messages: roles must alternate between user and assistant")

    def _check_blocks(self, message: dict[str, Any], prefix: str) -> None:
        needs(message["content"], "messages: content must be non-empty")
        results_over = False
        for block in message["content"]:
            match block["type"]:
                case "text":
                    needs(block["text"].strip(), "messages: text content blocks must contain non-whitespace text")
                    results_over = True
                case "tool_use":
                    needs(re.fullmatch(r"[a-zA-Z0-9_-]+", block["id"]), "tool_use.id: String should match pattern")
                    needs(re.fullmatch(NAME, block["name"]), "tool_use.name: String should match pattern")
                    needs(isinstance(block["input"], dict), "tool_use.input: Input should be a valid dictionary")
                case "tool_result":
                    needs(not results_over, "tool_result blocks must come before other content")
                    needs(block["content"] or not block["is_error"], "content cannot be empty if `is_error` is true")
                case "thinking":
                    thought, before = self._signed.get(block["signature"], ("", ""))
                    needs(thought == block["thinking"], "Invalid `signature` in `thinking` block")
                    needs(before == prefix, f"Invalid `signature` in `thinking` block. {_BOUND}")
                case "redacted_thinking":
                    needs(block["data"], "redacted_thinking.data: Field required")
                case other:
                    raise Invalid(f"messages: unexpected type {other!r}")

    def _check_pairs(self, messages: list[dict[str, Any]]) -> None:
        for number, message in enumerate(messages):
            before = messages[number - 1]["content"] if number else []
            wanted = [block["id"] for block in before if block["type"] == "tool_use"]
            given = [block["tool_use_id"] for block in message["content"] if block["type"] == "tool_result"]
            if message["role"] == "user":
                missing = sorted(set(wanted) - set(given))
                needs(
                    not missing, f"`tool_use` ids were found without `tool_result` blocks immediately after: {missing}"
                )
                needs(set(given) <= set(wanted) and len(given) == len(set(given)), "unexpected `tool_use_id`")
            kinds = [block["type"] for block in message["content"]]
            needs(message["role"] == "user" or "thinking" not in kinds[-1], "The final block cannot be `thinking`.")
            called = {block["id"] for block in message["content"] if block["type"] == "tool_use"}
            if called & self._thoughtful and self._wants_thoughts:
                needs("thinking" in kinds[:1], "Expected `thinking`, but found `tool_use`")

    def hear(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> Heard:
        last = body["messages"][-1]["content"]
        return Heard(
            path,
            headers,
            body,
            body.get("system", ""),
            "".join(block["text"] for block in last if block["type"] == "text"),
            {block["tool_use_id"]: block["content"] for block in last if block["type"] == "tool_result"},
            tuple(tool["name"] for tool in body.get("tools", ())),
        )

    def stream(self, turn: Turn, body: dict[str, Any]) -> Iterator[bytes]:
        usage = {
            "input_tokens": turn.input,
            "output_tokens": 1,
            "cache_read_input_tokens": turn.cache_read,
            "cache_creation_input_tokens": turn.cache_write,
        }
        message = {
            "id": f"msg_{next(self._ids):024}",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage,
        }
        yield event("message_start", {"type": "message_start", "message": message})
        yield event("ping", {"type": "ping"})
        for index, (block, deltas) in enumerate(self._blocks(turn, _prefix(body, len(body["messages"])))):
            yield event("content_block_start", {"type": "content_block_start", "index": index, "content_block": block})
            for delta in deltas:
                yield event("content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta})
            yield event("content_block_stop", {"type": "content_block_stop", "index": index})
        yield event("message_delta", self._end(turn))
        yield event("message_stop", {"type": "message_stop"})

    def _blocks(self, turn: Turn, prefix: str) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        if turn.think:
            signature = f"sig{next(self._ids)}=="
            self._signed[signature] = turn.think, prefix
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces(turn.think)]
            deltas.append({"type": "signature_delta", "signature": signature})
            yield {"type": "thinking", "thinking": "", "signature": ""}, deltas
        if turn.say:
            yield {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in pieces(turn.say)]
        for use in turn.calls:
            identity = f"toolu_{next(self._ids):024}"
            if turn.think:
                self._thoughtful.add(identity)
            text = raw(use.arguments) if use.arguments else ""
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ["", *pieces(text)]]
            yield {"type": "tool_use", "id": identity, "name": use.name, "input": {}}, deltas

    def _end(self, turn: Turn) -> dict[str, Any]:
        stop = _STOPS.get(turn.ends) or ("tool_use" if turn.calls else "end_turn")
        details = {"type": "refusal", "category": "cyber", "explanation": "This may do harm."}
        delta = {"stop_reason": stop, "stop_sequence": None, "stop_details": details if stop == "refusal" else None}
        usage = {"output_tokens": turn.output, "output_tokens_details": {"thinking_tokens": turn.reasoning}}
        return {"type": "message_delta", "delta": delta, "usage": usage}

    def failure(self, failure: Fail) -> Any:
        kind = failure.code or _TYPES.get(failure.status, "api_error")
        return {"type": "error", "error": {"type": kind, "message": failure.message}, "request_id": "req_1"}

    def failed_within(self, failure: Fail) -> Iterator[bytes]:
        yield event("error", self.failure(failure))

    def garbage(self) -> bytes:
        return b'event: content_block_delta\ndata: {"type": "content_\n\n'


def _prefix(body: dict[str, Any], number: int) -> str:
    """All that a thought in message `number` is bound to."""
    return json.dumps([body.get("system"), body.get("tools"), body["messages"][:number]])
