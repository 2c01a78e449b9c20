"""OpenAI's models, by its SDK and the Responses API (https://developers.openai.com/api/reference/resources/responses).

Nothing is stored at the provider: every request carries the whole conversation, and thoughts go back encrypted as they
came.
"""

from __future__ import annotations

import json
from typing import Any

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
from kubesteward.reasoning.brains.openai_sdk import OpenAISDK, number, said_in
from kubesteward.reasoning.brains.remote import Meter, Place, outcome
from kubesteward.reasoning.brains.retry import Events
from kubesteward.reasoning.brains.trouble import Trouble

_TAKE_TEMPERATURE = ("gpt-3", "gpt-4", "chatgpt-")
"""Models that think refuse it."""


class OpenAIBrain(OpenAISDK):
    provider = "openai"

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._summarised = bool(place.effort)

    async def _events(self, ask: Ask, meter: Meter) -> Events:
        reading = _Reading(meter)
        async with await self._begin(ask) as stream:
            async for event in stream:
                if event.type == "error":
                    raise self.in_stream(event.code or "", event.message)
                if event.type == "response.failed":
                    reading.take(event)
                    error = event.response.error
                    raise self.in_stream(error.code if error else "server_error", error.message if error else "")
                if (delta := reading.take(event)) is not None:
                    yield delta
        if not reading.whole:
            raise Trouble(f"the answer of {self.provider} was cut off")
        yield reading.done()

    async def _begin(self, ask: Ask) -> Any:
        """The SDK's stream. Summaries of thinking are for organisations that are verified; others go without."""
        from openai import BadRequestError

        try:
            return await self._client.responses.create(**self._request(ask), stream=True)
        except BadRequestError as error:
            if not self._summarised or "summar" not in said_in(error.body):
                raise
            self._summarised = False
        return await self._client.responses.create(**self._request(ask), stream=True)

    def _request(self, ask: Ask) -> Json:
        made: Json = {
            "model": self.model,
            "input": items(ask.messages),
            "max_output_tokens": ask.max_tokens,
            "store": False,
        }
        if ask.system:
            made["instructions"] = ask.system
        if ask.tools:
            made["tools"] = [
                {
                    "type": "function",
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.schema,
                    "strict": False,
                }
                for tool in ask.tools
            ]
        if ask.temperature is not None and self.model.startswith(_TAKE_TEMPERATURE):
            made["temperature"] = ask.temperature
        if self._place.effort:
            summary = {"summary": "auto"} if self._summarised else {}
            made["reasoning"] = {"effort": self._place.effort, **summary}
        return made


def items(messages: tuple[Message, ...]) -> list[Json]:
    """Messages as input items: each thought, text, call and result is one of its own."""
    return [
        item for message in messages for part in message.followed if (item := _item(message.role, part)) is not None
    ]


def _item(role: str, part: Part) -> Json | None:
    match part:
        case Text() if part.text:
            return {"role": role, "content": part.text, **part.opaque.get("openai", {})}
        case Thought():
            return part.opaque.get("openai")
        case ToolCall():
            said = json.dumps(arguments.shown(part), ensure_ascii=False)
            identity = arguments.identity(part.id)
            name = arguments.name(part.name)
            return {"type": "function_call", "call_id": identity, "name": name, "arguments": said}
        case ToolResult():
            return {
                "type": "function_call_output",
                "call_id": arguments.identity(part.call_id),
                "output": outcome(part),
            }
    return None


class _Reading:
    """The output items of a response while they come."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._items: dict[int, Json] = {}
        self._refused = False
        self._cut = ""
        self.whole = False

    def take(self, event: Any) -> TextDelta | ThoughtDelta | None:
        """What can be shown of an event at once."""
        match event.type:
            case "response.output_text.delta":
                self._grow(event, "text")
                return TextDelta(event.delta)
            case "response.refusal.delta":
                self._refused = True
                self._grow(event, "text")
                return TextDelta(event.delta)
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                return ThoughtDelta(event.delta)
            case "response.function_call_arguments.delta":
                self._grow(event, "arguments")
            case "response.output_item.added":
                self._items[event.output_index] = {"item": event.item.to_dict()}
            case "response.output_item.done":
                self._items[event.output_index] = {"item": event.item.to_dict(), "whole": True}
            case "response.completed" | "response.incomplete" | "response.failed":
                self._end(event.response)
        return None

    def _grow(self, event: Any, field: str) -> None:
        """Some servers do not announce an item: of a text the pieces are enough, a call comes whole at the end."""
        begun = {"item": {"type": "message" if field == "text" else ""}}
        kept = self._items.setdefault(event.output_index, begun)
        kept[field] = kept.get(field, "") + event.delta

    def _end(self, response: Any) -> None:
        self.whole = True
        if response.status == "incomplete":
            details = response.incomplete_details
            self._cut = (details.reason if details else None) or "max_output_tokens"
        for index, item in enumerate(response.output or ()):
            if not self._items.get(index, {}).get("whole"):
                self._items[index] = {"item": item.to_dict(), "whole": True}
        if (used := response.usage) is not None:
            whole, parts = used.input_tokens or 0, used.input_tokens_details
            read, written = number(parts, "cached_tokens"), number(parts, "cache_write_tokens")
            self._meter.usage = Usage(
                input=max(0, whole - read - written),
                output=used.output_tokens or 0,
                cache_read=read,
                cache_write=written,
                reasoning=number(used.output_tokens_details, "reasoning_tokens"),
            )

    def done(self) -> Done:
        parts = tuple(part for _, kept in sorted(self._items.items()) for part in self._parts(kept))
        return Done(Message("assistant", parts), self._stop(), self._meter.usage)

    def _stop(self) -> Stop:
        if self._refused or self._cut == "content_filter":
            return "refused"
        return "truncated" if self._cut else "end"

    def _parts(self, kept: Json) -> list[Part]:
        item = kept["item"]
        match item["type"]:
            case "message":
                return self._texts(item, kept)
            case "reasoning":
                return [_thought(item)] if kept.get("whole") else []
            case "function_call":
                unfinished = not kept.get("whole") or item.get("status") == "incomplete"
                said = item["arguments"] if kept.get("whole") else kept.get("arguments", "")
                return [arguments.call(item["call_id"], item["name"], said, cut=unfinished)]
        return []

    def _texts(self, item: Json, kept: Json) -> list[Part]:
        opaque = {"openai": {"phase": item["phase"]}} if item.get("phase") else {}
        if not kept.get("whole"):
            return [Text(kept["text"], opaque)] if kept.get("text") else []
        said = [(content.get("text") or content.get("refusal") or "", content["type"]) for content in item["content"]]
        self._refused = self._refused or any(kind == "refusal" for _, kind in said)
        return [Text(text, opaque) for text, _ in said if text]


def _thought(item: Json) -> Thought:
    """Only an encrypted one can go back, for the provider has kept nothing."""
    text = "\n\n".join(found.get("text", "") for found in (item.get("summary") or item.get("content") or []))
    if not item.get("encrypted_content"):
        return Thought(text)
    kept = {name: item[name] for name in ("type", "id", "summary", "encrypted_content") if name in item}
    return Thought(text, {"openai": kept})
