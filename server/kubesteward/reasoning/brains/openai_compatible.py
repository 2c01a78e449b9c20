"""Whatever speaks OpenAI's older Chat Completions API at an address of the operator's: vLLM, LM Studio, gateways,
others.

They differ in what they leave out and add, so nothing is taken for granted that the API's own server would always send.
"""

from __future__ import annotations

import json
from typing import Any

from kubesteward.reasoning.brains import arguments
from kubesteward.reasoning.brains.base import (
    Ask,
    BrainMisconfigured,
    Done,
    Json,
    Message,
    Part,
    Stop,
    Text,
    TextDelta,
    Thought,
    ThoughtDelta,
    ToolResult,
    Usage,
)
from kubesteward.reasoning.brains.openai_sdk import OpenAISDK
from kubesteward.reasoning.brains.remote import Meter, outcome
from kubesteward.reasoning.brains.retry import Events
from kubesteward.reasoning.brains.trouble import Trouble

_STOPS: dict[str, Stop] = {
    "stop": "end",
    "tool_calls": "tools",
    "function_call": "tools",
    "length": "truncated",
    "content_filter": "refused",
}
_THOUGHTS = ("reasoning_content", "reasoning")
"""The fields, none of them in the API, in which servers tell what a model thinks."""


class OpenAICompatibleBrain(OpenAISDK):
    provider = "openai-compatible"

    async def _events(self, ask: Ask, meter: Meter) -> Events:
        reading = _Reading(meter, len(ask.messages))
        async with await self._client.chat.completions.create(**self._request(ask), stream=True) as stream:
            async for chunk in stream:
                for delta in reading.take(chunk):
                    yield delta
        if not reading.finish:
            raise Trouble(f"the answer of {self.provider} was cut off")
        yield reading.done()

    def _request(self, ask: Ask) -> Json:
        system = [{"role": "system", "content": ask.system}] if ask.system else []
        made: Json = {
            "model": self.model,
            "messages": [*system, *turns(ask.messages)],
            "max_tokens": ask.max_tokens,
            "stream_options": {"include_usage": True},
        }
        if ask.tools:
            made["tools"] = [
                {
                    "type": "function",
                    "function": {"name": tool.name, "description": tool.description, "parameters": tool.schema},
                }
                for tool in ask.tools
            ]
        if ask.temperature is not None:
            made["temperature"] = ask.temperature
        if ask.stop:
            made["stop"] = list(ask.stop)
        if self._place.effort:
            made["reasoning_effort"] = self._place.effort
        return made

    async def _look(self) -> None:
        """Not every server tells about one model, so all are asked for; some tell about none."""
        from openai import NotFoundError

        try:
            offered = [model.id async for model in self._client.models.list()]
        except NotFoundError:
            return
        if offered and self.model not in offered:
            some = ", ".join(self.side.clean(name) for name in offered[:5])
            raise BrainMisconfigured(f"{self.name} has no model {self.model!r}.", f"It offers {some}.")


def turns(messages: tuple[Message, ...]) -> list[Json]:
    """Messages as the API takes them. Thoughts go back within the running turn only: later, servers refuse them."""
    running = max((index for index, message in enumerate(messages) if message.role == "user"), default=-1)
    found: list[Json] = []
    for index, message in enumerate(messages):
        if message.role == "tool":
            found += [_result(part) for part in message.parts if isinstance(part, ToolResult)]
        elif message.role == "user":
            found.append({"role": "user", "content": message.text})
        elif message.text or message.calls:
            found.append(_answer(message, with_thoughts=index > running))
    return found


def _result(part: ToolResult) -> Json:
    return {"role": "tool", "tool_call_id": part.call_id, "content": outcome(part)}


def _answer(message: Message, *, with_thoughts: bool) -> Json:
    made: Json = {"role": "assistant", "content": message.text or None}
    if message.calls:
        made["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(arguments.shown(call), ensure_ascii=False)},
            }
            for call in message.calls
        ]
    if with_thoughts and message.calls:
        for part in message.parts:
            if isinstance(part, Thought):
                made.update(part.opaque.get("openai-compatible", {}))
    return made


class _Reading:
    """One message while its chunks come. `turn` makes ids for calls of servers that give none."""

    def __init__(self, meter: Meter, turn: int) -> None:
        self._meter = meter
        self._turn = turn
        self._text = ""
        self._thought = ""
        self._field = ""
        self._calls: list[Json] = []
        self._refused = False
        self.finish = ""

    def take(self, chunk: Any) -> list[TextDelta | ThoughtDelta]:
        """What can be shown of a chunk at once."""
        if (used := getattr(chunk, "usage", None)) is not None:
            self._count(used)
        shown: list[TextDelta | ThoughtDelta] = []
        for choice in (chunk.choices or [])[:1]:
            self.finish = choice.finish_reason or self.finish
            if choice.delta is not None:
                shown += self._grow(choice.delta)
        return shown

    def _grow(self, delta: Any) -> list[TextDelta | ThoughtDelta]:
        shown: list[TextDelta | ThoughtDelta] = []
        for field in _THOUGHTS:
            thought = getattr(delta, field, None)
            if isinstance(thought, str) and thought and self._field in {"", field}:
                self._field = field
                self._thought += thought
                shown.append(ThoughtDelta(thought))
        refusal = getattr(delta, "refusal", None) or ""
        self._refused = self._refused or bool(refusal)
        if text := (delta.content or "") + refusal:
            self._text += text
            shown.append(TextDelta(text))
        for piece in delta.tool_calls or []:
            self._call(piece)
        return shown

    def _call(self, piece: Any) -> None:
        """Pieces of one call share an index; some servers give all calls the same, and only the ids differ."""
        index = piece.index or 0
        known = next((call for call in reversed(self._calls) if call["index"] == index), None)
        if known is None or (piece.id and known["id"] and piece.id != known["id"]):
            known = {"index": index, "id": "", "name": "", "arguments": ""}
            self._calls.append(known)
        known["id"] = known["id"] or piece.id or ""
        if piece.function is not None:
            known["name"] += piece.function.name or ""
            known["arguments"] += piece.function.arguments or ""

    def _count(self, used: Any) -> None:
        read = getattr(used.prompt_tokens_details, "cached_tokens", 0) or 0
        written = getattr(used.prompt_tokens_details, "cache_write_tokens", 0) or 0
        self._meter.usage = Usage(
            input=max(0, used.prompt_tokens - read - written),
            output=used.completion_tokens,
            cache_read=read,
            cache_write=written,
            reasoning=getattr(used.completion_tokens_details, "reasoning_tokens", 0) or 0,
        )

    def done(self) -> Done:
        stop = "refused" if self._refused else _STOPS.get(self.finish, "end")
        parts: list[Part] = []
        if self._thought:
            parts.append(Thought(self._thought, {"openai-compatible": {self._field: self._thought}}))
        if self._text:
            parts.append(Text(self._text))
        for number, call in enumerate(self._calls):
            cut = stop == "truncated" and number == len(self._calls) - 1
            identity = call["id"] or f"call_{self._turn}_{number}"
            parts.append(arguments.call(identity, call["name"], call["arguments"], cut=cut))
        return Done(Message("assistant", tuple(parts)), stop, self._meter.usage)
