"""Claude, by Anthropic's SDK and its Messages API (https://platform.claude.com/docs/en/api/messages).

Thoughts are bound to everything said before them: where the loop has summarised that, the API refuses them, and the
conversation goes on without any (https://platform.claude.com/docs/build-with-claude/preserved-thinking/prefix-checks).
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kubesteward.reasoning.brains import arguments
from kubesteward.reasoning.brains.base import (
    Ask,
    Done,
    Json,
    Message,
    Part,
    Stop,
    Text,
    TextDelta,
    Thought,
    ThoughtDelta,
    ToolCall,
    ToolResult,
    Usage,
)
from kubesteward.reasoning.brains.http import PLACEHOLDER, options
from kubesteward.reasoning.brains.remote import Meter, Place, RemoteBrain
from kubesteward.reasoning.brains.retry import Events, after
from kubesteward.reasoning.brains.trouble import Trouble, refusal

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

_STOPS: dict[str, Stop] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "tool_use": "tools",
    "refusal": "refused",
    "max_tokens": "truncated",
    "model_context_window_exceeded": "truncated",
}
_NOT_ADAPTIVE = (
    "claude-3",
    "claude-haiku-4-5",
    "claude-opus-4-0",
    "claude-opus-4-1",
    "claude-opus-4-2",
    "claude-opus-4-5",
    "claude-sonnet-4-0",
    "claude-sonnet-4-2",
    "claude-sonnet-4-5",
)
"""Older models, which do not decide for themselves how much to think. The others would think unseen unless asked."""
_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""Errors within a stream carry no status of their own."""


class AnthropicBrain(RemoteBrain):
    provider = "anthropic"
    modules = ("anthropic", "anthropic.resources.messages")

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._adaptive = not self.model.startswith(_NOT_ADAPTIVE)

    @cached_property
    def _client(self) -> AsyncAnthropic:
        import httpx2
        from anthropic import AnthropicError, AsyncAnthropic

        self.failures = (*RemoteBrain.failures, AnthropicError, httpx2.HTTPError)
        place = self._place
        made = options(httpx2, place.address, place.key, place.limits)
        return AsyncAnthropic(
            api_key=PLACEHOLDER,
            base_url=place.address.url,
            max_retries=0,
            timeout=made["timeout"],
            open_telemetry=False,
            http_client=httpx2.AsyncClient(**made),
        )

    async def _events(self, ask: Ask, meter: Meter) -> Events:
        reading = _Reading(meter)
        async with await self._begin(ask) as stream:
            async for event in stream:
                if (delta := reading.take(event)) is not None:
                    yield delta
        if not reading.whole:
            raise Trouble(f"the answer of {self.provider} was cut off")
        yield reading.done()

    async def _begin(self, ask: Ask) -> Any:
        """The SDK's stream."""
        from anthropic import BadRequestError

        request = self._request(ask)
        try:
            return await self._client.messages.create(**request, stream=True)
        except BadRequestError as error:
            other = self._otherwise(request, ask, error.api_message or "")
            if other == request:
                raise
        return await self._client.messages.create(**other, stream=True)

    def _otherwise(self, request: Json, ask: Ask, said: str) -> Json:
        """The request without what was refused of its thinking, if it was that."""
        if "signature" in said:
            return {**request, "messages": turns(ask.messages, with_thoughts=False)}
        if "thinking" in said and "support" in said:
            self._adaptive = False
        return self._request(ask)

    def _request(self, ask: Ask) -> Json:
        made: Json = {
            "model": self.model,
            "max_tokens": ask.max_tokens,
            "messages": turns(ask.messages),
            "cache_control": {"type": "ephemeral"},
        }
        if self._adaptive:
            made["thinking"] = {"type": "adaptive", "display": "summarized"}
        if ask.system:
            made["system"] = ask.system
        if ask.tools:
            made["tools"] = [
                {"name": tool.name, "description": tool.description, "input_schema": tool.schema} for tool in ask.tools
            ]
        if ask.stop:
            made["stop_sequences"] = list(ask.stop)
        if self._place.effort:
            made["output_config"] = {"effort": self._place.effort}
        return made

    def _told(self, error: Exception) -> Exception:
        from anthropic import APIStatusError

        if not isinstance(error, APIStatusError):
            return super()._told(error)
        status = error.status_code if error.status_code >= 300 else _STATUS.get(str(error.type), 500)
        said = error.api_message or ("" if isinstance(error.body, dict) else str(error.body or ""))
        wait = after(error.response.headers, self._place.now())
        return refusal(self.side, status, f"{error.type} {error.error_code or ''}", said, wait)

    async def _look(self) -> None:
        self._known(await self._client.models.retrieve(self.model))


def turns(messages: tuple[Message, ...], *, with_thoughts: bool = True) -> list[Json]:
    """Messages as Anthropic takes them: user and assistant in turns, results of tools before anything else said."""
    found: list[Json] = []
    for message in messages:
        role = "assistant" if message.role == "assistant" else "user"
        parts = message.followed if with_thoughts else message.without_thoughts
        blocks = [block for part in parts if (block := _block(part)) is not None]
        if not blocks:
            continue
        if found and found[-1]["role"] == role:
            found[-1]["content"] += blocks
        else:
            found.append({"role": role, "content": blocks})
    return found


def _block(part: Part) -> Json | None:
    match part:
        case Text() if part.text.strip():  # empty ones are refused
            return {"type": "text", "text": part.text}
        case Thought():
            return part.opaque.get("anthropic")
        case ToolCall():
            return {
                "type": "tool_use",
                "id": arguments.identity(part.id),
                "name": arguments.name(part.name),
                "input": arguments.shown(part),
            }
        case ToolResult():
            return {
                "type": "tool_result",
                "tool_use_id": arguments.identity(part.call_id),
                "content": part.text or "Nothing was said.",  # an empty one is refused where it is an error
                "is_error": part.is_error,
            }
    return None


class _Reading:
    """The blocks of a message while they come."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._blocks: dict[int, Json] = {}
        self._stop = ""
        self._why = ""
        self.whole = False

    def take(self, event: Any) -> TextDelta | ThoughtDelta | None:
        """What can be shown of an event at once."""
        match event.type:
            case "message_start":
                self._count(event.message.usage)
            case "content_block_start":
                block = event.content_block
                self._blocks[event.index] = {**block.to_dict(), "json": ""}
            case "content_block_delta":
                return self._grow(self._blocks[event.index], event.delta)
            case "message_delta":
                self._count(event.usage)
                self._stop = event.delta.stop_reason or self._stop
                details = event.delta.stop_details
                self._why = (details.explanation or "") if details else ""
            case "message_stop":
                self.whole = True
        return None

    def _grow(self, block: Json, delta: Any) -> TextDelta | ThoughtDelta | None:
        match delta.type:
            case "text_delta":
                block["text"] = block.get("text", "") + delta.text
                return TextDelta(delta.text)
            case "thinking_delta":
                block["thinking"] = block.get("thinking", "") + delta.thinking
                return ThoughtDelta(delta.thinking)
            case "signature_delta":
                block["signature"] = delta.signature
            case "input_json_delta":
                block["json"] += delta.partial_json
        return None

    def _count(self, said: Any) -> None:
        """Numbers are totals so far; those that are not given have not changed."""
        if said is None:
            return
        before = self._meter.usage
        details = said.output_tokens_details
        self._meter.usage = Usage(
            input=_number(said.input_tokens, before.input),
            output=_number(said.output_tokens, before.output),
            cache_read=_number(said.cache_read_input_tokens, before.cache_read),
            cache_write=_number(said.cache_creation_input_tokens, before.cache_write),
            reasoning=_number(details.thinking_tokens if details else None, before.reasoning),
        )

    def done(self) -> Done:
        stop = _STOPS.get(self._stop, "truncated")
        last = max(self._blocks, default=-1)
        parts = [
            part
            for index, block in sorted(self._blocks.items())
            if (part := _part(block, cut=stop == "truncated" and index == last)) is not None
        ]
        if stop == "refused" and not parts and self._why:
            parts = [Text(self._why)]
        return Done(Message("assistant", tuple(parts)), stop, self._meter.usage)


def _number(said: int | None, before: int) -> int:
    return before if said is None else int(said)


def _part(block: Json, *, cut: bool) -> Part | None:
    match block["type"]:
        case "text":
            return Text(block["text"]) if block.get("text") else None
        case "thinking":
            kept = {name: block.get(name, "") for name in ("type", "thinking", "signature")}
            return Thought(kept["thinking"], {"anthropic": kept} if kept["signature"] else {})
        case "redacted_thinking":
            return Thought("", {"anthropic": {"type": "redacted_thinking", "data": block["data"]}})
        case "tool_use":
            whole = json.dumps(block["input"]) if block.get("input") else ""  # as gateways tell it: not in pieces
            return arguments.call(block["id"], block["name"], block["json"] or whole, cut=cut)
    return None
