"""Whatever speaks OpenAI's older Chat Completions API at an address of the operator's: vLLM, LM Studio, gateways,
others.

They differ in what they leave out and add, so nothing is taken for granted that the API's own server would always send.
"""

from __future__ import annotations

import json
import re
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
from kubesteward.reasoning.brains.openai_sdk import OpenAISDK, number
from kubesteward.reasoning.brains.remote import Meter, Place, outcome
from kubesteward.reasoning.brains.retry import Events
from kubesteward.reasoning.brains.trouble import Trouble

_STOPS: dict[str, Stop] = {
    "stop": "end",
    "tool_calls": "tools",
    "function_call": "tools",
    "length": "truncated",
    "content_filter": "refused",
}
_BROKEN = frozenset({"error", "insufficient_system_resource"})
"""Why an answer ends, at gateways, that did not come to its end."""
_OPTIONAL = ("stream_options", "max_tokens", "temperature", "reasoning_effort")
"""Settings that not every server knows; those of models that think want `max_completion_tokens` in place of one."""
_UNKNOWN = re.compile(r"(?i)unsupported|not supported|unrecogni[sz]ed|unknown|not permitted|unexpected")
_THOUGHTS = ("reasoning_content", "reasoning")
"""The fields, none of them in the API, in which servers tell what a model thinks."""


class OpenAICompatibleBrain(OpenAISDK):
    provider = "openai-compatible"

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._unknown: set[str] = set()

    async def _events(self, ask: Ask, meter: Meter) -> Events:
        reading = _Reading(meter, len(ask.messages))
        async with await self._begin(ask) as stream:
            async for chunk in stream:
                for delta in reading.take(chunk):
                    yield delta
        if not reading.finish or reading.finish in _BROKEN:
            raise Trouble(f"the answer of {self.provider} was cut off")
        yield reading.done()

    async def _begin(self, ask: Ask) -> Any:
        """The SDK's stream. A setting that the server does not know is left out, now and later."""
        from openai import BadRequestError, UnprocessableEntityError

        while True:
            request = self._request(ask)
            try:
                return await self._client.chat.completions.create(**request, stream=True)
            except (BadRequestError, UnprocessableEntityError) as error:
                said = str(error.body)
                found = [name for name in _OPTIONAL if name in request and name in said and _UNKNOWN.search(said)]
                if not found:
                    raise
                self._unknown.add(found[0])

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
        if "max_tokens" in self._unknown:
            made["max_completion_tokens"] = ask.max_tokens
        return {name: value for name, value in made.items() if name not in self._unknown}

    async def _look(self) -> None:
        """Not every server tells about one model, so all are asked for; some tell about none."""
        from openai import NotFoundError

        try:
            offered = [model.id async for model in self._client.models.list()]
        except NotFoundError:
            offered = []
        if not offered:
            await self._knock()
        elif self.model not in offered:
            some = ", ".join(self.side.clean(name) for name in offered[:5])
            raise BrainMisconfigured(f"{self.name} has no model {self.model!r}.", f"It offers {some}.")

    async def _knock(self) -> None:
        """Whether anybody speaks the API there, which complains of a question without messages."""
        from openai import APIStatusError

        try:
            await self._client.post("/chat/completions", body={"model": self.model}, cast_to=object)
        except APIStatusError as error:
            if error.status_code in {401, 403, 404, 405}:
                raise


def turns(messages: tuple[Message, ...]) -> list[Json]:
    """Messages as the API takes them. Thoughts go back within the running turn only: later, servers refuse them."""
    running = max((index for index, message in enumerate(messages) if message.role == "user"), default=-1)
    found: list[Json] = []
    for index, message in enumerate(messages):
        if message.role == "tool":
            found += [_result(part) for part in message.parts if isinstance(part, ToolResult)]
        elif message.role == "user":
            _say(found, message.text)
        elif message.text or message.calls:
            found.append(_answer(message, with_thoughts=index > running))
    return found


def _say(found: list[Json], text: str) -> None:
    """Many models' templates take no two messages of a user in a row, as they stand round an answer without words."""
    if found and found[-1]["role"] == "user":
        found[-1]["content"] += f"\n\n{text}"
    else:
        found.append({"role": "user", "content": text})


def _result(part: ToolResult) -> Json:
    return {"role": "tool", "tool_call_id": part.call_id, "content": outcome(part)}


def _answer(message: Message, *, with_thoughts: bool) -> Json:
    made: Json = {"role": "assistant", "content": message.text or None}
    if message.calls:
        made["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {
                    "name": arguments.name(call.name),
                    "arguments": json.dumps(arguments.shown(call), ensure_ascii=False),
                },
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
        if text := _text(delta.content) + refusal:
            self._text += text
            shown.append(TextDelta(text))
        for piece in delta.tool_calls or []:
            self._call(piece)
        return shown

    def _call(self, piece: Any) -> None:
        name = (piece.function.name if piece.function else "") or ""
        said = (piece.function.arguments if piece.function else "") or ""
        known = self._begun(piece, name)
        if known is None:
            known = {"index": piece.index or 0, "id": "", "name": "", "arguments": ""}
            self._calls.append(known)
        known["id"] = known["id"] or piece.id or ""
        known["name"] += name if name != known["name"] else ""  # some servers say it with every piece
        known["arguments"] += said if isinstance(said, str) else json.dumps(said)

    def _begun(self, piece: Any, name: str) -> Json | None:
        """The call that a piece goes on with. Pieces of one share an index; but some servers give all calls the same,
        or none, or each piece an id of its own.
        """
        known = next((call for call in reversed(self._calls) if call["index"] == (piece.index or 0)), None)
        if known is None or not name or not known["name"]:
            return known
        if known["id"]:
            return None if piece.id and piece.id != known["id"] else known
        return None if _is_whole(known["arguments"]) else known

    def _count(self, used: Any) -> None:
        parts = used.prompt_tokens_details
        read, written = number(parts, "cached_tokens"), number(parts, "cache_write_tokens")
        self._meter.usage = Usage(
            input=max(0, (used.prompt_tokens or 0) - read - written),
            output=used.completion_tokens or 0,
            cache_read=read,
            cache_write=written,
            reasoning=number(used.completion_tokens_details, "reasoning_tokens"),
        )

    def done(self) -> Done:
        stop = "refused" if self._refused else _STOPS.get(self.finish, "end")
        parts: list[Part] = []
        if self._thought:
            parts.append(Thought(self._thought, {"openai-compatible": {self._field: self._thought}}))
        if self._text:
            parts.append(Text(self._text))
        for place, call in enumerate(self._calls):
            cut = stop == "truncated" and place == len(self._calls) - 1
            identity = call["id"] or f"call_{self._turn}_{place}"
            parts.append(arguments.call(identity, call["name"], call["arguments"], cut=cut))
        return Done(Message("assistant", tuple(parts)), stop, self._meter.usage)


def _text(content: Any) -> str:
    """Some servers send a list of parts."""
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content or ""


def _is_whole(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
