"""Streams written out, for what servers leave out of their provider's protocol or add to it."""

from __future__ import annotations

import json
from typing import Any

from tests.server.reasoning.loopback.script import Raw

Json = dict[str, Any]
PAGE = b"<!DOCTYPE html><html><head><title>Sign in - Proxy</title></head><body><h1>billing</h1></body></html>"
_MESSAGE: Json = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [],
    "stop_reason": None,
}
_RESPONSE: Json = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "output": [], "tools": []}


def page(status: int = 200) -> Raw:
    """What something else says that stands there."""
    return Raw(PAGE, status, "text/html; charset=utf-8")


def said(status: int, body: Any, **headers: str) -> Raw:
    """An answer that is no stream."""
    return Raw(json.dumps(body).encode(), status, "application/json", headers)


def messages(*events: Json, stop: str = "end_turn", usage: Json | None = None) -> Raw:
    """Of Anthropic's: the events between the message's start and its end."""
    begun = {"type": "message_start", "message": {**_MESSAGE, "usage": {"input_tokens": 10, "output_tokens": 1}}}
    end = {"type": "message_delta", "delta": {"stop_reason": stop}} | ({"usage": usage} if usage else {})
    return Raw(b"".join(map(_named, (begun, *events, end, {"type": "message_stop"}))))


def block(index: int, begun: Json, *deltas: Json) -> tuple[Json, ...]:
    grown = ({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas)
    start = {"type": "content_block_start", "index": index, "content_block": begun}
    return (start, *grown, {"type": "content_block_stop", "index": index})


def text(index: int, words: str) -> tuple[Json, ...]:
    return block(index, {"type": "text", "text": ""}, {"type": "text_delta", "text": words})


def response(*events: Json, status: str = "completed", **fields: Any) -> Raw:
    """Of OpenAI's: the events between the response's start and its end."""
    begun = {"type": "response.created", "response": {**_RESPONSE, "status": "in_progress"}}
    end = {"type": f"response.{status}", "response": {**_RESPONSE, "status": status, **fields}}
    return Raw(b"".join(map(_named, (begun, *events, end))))


def broken_response(event: Json) -> Raw:
    begun = {"type": "response.created", "response": {**_RESPONSE, "status": "in_progress"}}
    return Raw(_named(begun) + _named(event))


def chat(*deltas: Any, finish: str = "stop", tail: Json | None = None) -> Raw:
    """Of Chat Completions: a chunk for each delta, one with the reason for the end, and one more."""
    ends: list[tuple[Any, str | None]] = [(delta, None) for delta in deltas] + ([({}, finish)] if finish else [])
    chunks = [{"choices": [{"index": 0, "delta": delta, "finish_reason": end}]} for delta, end in ends]
    lines = [*chunks, *([tail] if tail else [])]
    return Raw(b"".join(f"data: {json.dumps(line)}\n\n".encode() for line in lines) + b"data: [DONE]\n\n")


def called(*pieces: Json) -> Json:
    return {"tool_calls": list(pieces)}


def lines(*found: Json) -> Raw:
    """Of Ollama's."""
    head = {"model": "m", "created_at": "2026-11-21T10:00:00Z", "done": False}
    return Raw("".join(json.dumps({**head, **line}) + "\n" for line in found).encode())


def _named(event: Json) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
