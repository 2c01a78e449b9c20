"""Models on one's own machine, by Ollama's SDK and its chat API (https://docs.ollama.com/api/chat).

Two of its habits matter here. It drops the beginning of a conversation that is longer than its window, without a word:
so the window is made large enough before, and a conversation that cannot fit is not sent. And its SDK knows only simple
schemas: what it would drop of a tool's schema is told in words.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import cached_property, partial
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from kubesteward.reasoning.brains import arguments
from kubesteward.reasoning.brains.base import (
    Ask,
    BrainMisconfigured,
    BrainOffline,
    Done,
    Json,
    Message,
    Part,
    PromptTooLong,
    Stop,
    Text,
    TextDelta,
    Thought,
    ThoughtDelta,
    ToolCall,
    ToolResult,
    ToolSpec,
    Usage,
)
from kubesteward.reasoning.brains.http import options
from kubesteward.reasoning.brains.remote import Meter, Place, RemoteBrain, outcome
from kubesteward.reasoning.brains.retry import Events, after
from kubesteward.reasoning.brains.trouble import Side, Trouble, refusal

if TYPE_CHECKING:
    from ollama import AsyncClient

_LOADING = Lock()
_START = "Start it with `ollama serve` or its app, or install it from https://ollama.com/download."
_SMALLEST, _USUAL = 8192, 32768
_KEPT = frozenset({"type", "items", "description", "enum"})
"""What Ollama's SDK passes on of a property's schema."""
_ELSEWHERE = ("-cloud", ":cloud")
"""How names of models end that Ollama only passes on to its own servers."""


class OllamaBrain(RemoteBrain):
    provider = "ollama"
    modules = ("ollama",)

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._largest = 0
        self._window = _SMALLEST

    def _import(self, module: str) -> None:
        """As it is loaded, the SDK makes a client of its own with the environment's proxies, and breaks on SOCKS. What
        is asked here goes through another one.
        """
        import httpx

        with _LOADING:
            usual = httpx.Client
            httpx.Client = partial(usual, trust_env=False)  # type: ignore[assignment,misc]  # while it is loaded
            try:
                super()._import(module)
            finally:
                httpx.Client = usual  # type: ignore[misc]  # as it was

    @property
    def local(self) -> bool:
        return super().local and not self.model.endswith(_ELSEWHERE)

    @property
    def side(self) -> Side:
        again = _START if self._place.address.reach == "here" else ""
        return Side(self.provider, self.model, self._place.key, again)

    @cached_property
    def _client(self) -> AsyncClient:
        import httpx
        from ollama import AsyncClient, RequestError, ResponseError

        self.failures = (*RemoteBrain.failures, RequestError, ResponseError, httpx.HTTPError, httpx.StreamError)
        place = self._place
        return AsyncClient(place.address.url, **options(httpx, place.address, place.key, place.limits))

    async def _events(self, ask: Ask, meter: Meter) -> Events:
        request = await self._request(ask)
        reading = _Reading(meter, len(ask.messages), self._window)
        answer = cast("AsyncGenerator[Any, None]", await self._client.chat(**request, stream=True))
        async with aclosing(answer) as stream:
            async for piece in stream:
                for delta in reading.take(piece):
                    yield delta
        if not reading.whole:
            raise Trouble(f"the answer of {self.provider} was cut off")
        if reading.only_loaded:
            raise Trouble(f"{self.provider} has only just loaded {self.model}")
        yield reading.done()

    async def _request(self, ask: Ask) -> Json:
        await self._make_room(ask)
        system = [{"role": "system", "content": ask.system}] if ask.system else []
        chosen: Json = {"num_ctx": self._window, "num_predict": ask.max_tokens}
        if ask.temperature is not None:
            chosen["temperature"] = ask.temperature
        if ask.stop:
            chosen["stop"] = list(ask.stop)
        made: Json = {"model": self.model, "messages": [*system, *turns(ask.messages)], "options": chosen}
        if ask.tools:
            made["tools"] = [_tool(tool) for tool in ask.tools]
        if self._place.effort:
            made["think"] = self._place.effort if self.model.startswith("gpt-oss") else True
        return made

    async def _make_room(self, ask: Ask) -> None:
        """Choose the window. It never shrinks, for the model is loaded anew with every other size.

        Raises:
            BrainMisconfigured: the model uses no tools. PromptTooLong: the conversation does not fit into the model.
        """
        if not self._largest:
            self._largest = await self._length(with_tools=bool(ask.tools))
        wanted = self.count(ask) + ask.max_tokens
        if wanted > self._largest:
            todo = "Shorten the conversation, or choose a model with a larger context."
            raise PromptTooLong(f"About {wanted} tokens do not fit into {self.model} with {self._largest}.", todo)
        while self._window < wanted:
            self._window *= 2
        self._window = min(self._window, self._largest)

    async def _length(self, *, with_tools: bool) -> int:
        """How much the model takes, as far as the server tells about it: what only speaks like Ollama may not.

        Raises:
            BrainMisconfigured: the model uses no tools, and they are wanted.
        """
        from ollama import ResponseError

        try:
            found = await self._client.show(self.model)
        except ResponseError as error:
            if error.status_code not in {404, 405, 501} or self._is_missing(error):
                raise
            return _USUAL
        except ValueError:  # of another form
            return _USUAL
        if with_tools and found.capabilities is not None and "tools" not in found.capabilities:
            raise self._toolless()
        lengths = [value for name, value in (found.modelinfo or {}).items() if name.endswith(".context_length")]
        return int(lengths[0]) if lengths else _USUAL

    def _toolless(self) -> BrainMisconfigured:
        todo = "Choose one with the mark `tools` on https://ollama.com/search, as `qwen3` or `gpt-oss`."
        return BrainMisconfigured(f"The model {self.model!r} uses no tools.", todo)

    def _is_missing(self, error: Any) -> bool:
        said = str(error.error)
        return error.status_code == 404 and "not found" in said and self.model in said

    def _told(self, error: Exception) -> Exception:
        from ollama import ResponseError

        if not isinstance(error, ResponseError):
            return super()._told(error)
        said = str(error.error)
        if self._is_missing(error):
            return BrainMisconfigured(f"Ollama has not pulled {self.model}.", f"Run `ollama pull {self.model}`.")
        if "does not support tools" in said:
            return self._toolless()
        if "more system memory" in said:
            todo = "Choose a smaller model, or free memory there."
            return BrainOffline(f"{self.model} does not fit into its machine ({self.side.clean(said)})", todo)
        if "error parsing tool call" in said:  # another attempt may write it rightly
            return Trouble(f"{self.model} wrote a tool call that cannot be parsed ({self.side.clean(said)})")
        response = getattr(error.__context__, "response", None)
        wait = after(response.headers, self._place.now()) if response is not None else None
        return refusal(self.side, error.status_code if error.status_code >= 300 else 500, "", said, wait)

    async def _look(self) -> None:
        """Raises BrainMisconfigured where the model is not there."""
        pulled = [str(model.model) for model in (await self._client.list()).models]
        if self.model not in pulled and f"{self.model}:latest" not in pulled:
            raise BrainMisconfigured(f"Ollama has not pulled {self.model}.", f"Run `ollama pull {self.model}`.")


def turns(messages: tuple[Message, ...]) -> list[Json]:
    """Messages as Ollama takes them. It knows no ids: results name their tools and come in the calls' order."""
    names = {call.id: arguments.name(call.name) for message in messages for call in message.calls}
    found: list[Json] = []
    for message in messages:
        if message.role == "tool":
            found += [_result(part, names) for part in message.parts if isinstance(part, ToolResult)]
        elif message.role == "user":
            found.append({"role": "user", "content": message.text})
        elif message.followed:
            found.append(_answer(message))
    return found


def _result(part: ToolResult, names: dict[str, str]) -> Json:
    return {"role": "tool", "tool_name": names.get(part.call_id, ""), "content": outcome(part)}


def _answer(message: Message) -> Json:
    made: Json = {"role": "assistant", "content": message.text}
    thoughts = [part.text for part in message.parts if isinstance(part, Thought) and "ollama" in part.opaque]
    if thoughts:
        made["thinking"] = "".join(thoughts)
    if message.calls:
        made["tool_calls"] = [
            {"function": {"name": arguments.name(call.name), "arguments": arguments.shown(call)}}
            for call in message.calls
        ]
    return made


def _tool(tool: ToolSpec) -> Json:
    schema = dict(tool.schema)
    schema["properties"] = {name: _told_in_words(found) for name, found in schema.get("properties", {}).items()}
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": schema},
    }


def _told_in_words(schema: Json) -> Json:
    """A property with what the SDK would drop of its schema in its description."""
    dropped = {name: value for name, value in schema.items() if name not in _KEPT and name != "title"}
    if not dropped:
        return schema
    kept = {name: value for name, value in schema.items() if name in _KEPT}
    words = json.dumps(dropped, ensure_ascii=False, separators=(",", ":"))
    kept["description"] = f"{kept.get('description', '')} (JSON Schema: {words})".strip()
    types = [choice.get("type") for choice in schema.get("anyOf", ()) if isinstance(choice, dict)]
    if types and all(isinstance(kind, str) for kind in types):
        kept["type"] = types
    return kept


class _Reading:
    """One message while its lines come. `turn` makes ids for the calls; `window` is the size of the context."""

    def __init__(self, meter: Meter, turn: int, window: int) -> None:
        self._meter = meter
        self._turn = turn
        self._window = window
        self._text = ""
        self._thought = ""
        self._calls: list[ToolCall] = []
        self._reason = ""
        self.whole = False

    def take(self, piece: Any) -> list[TextDelta | ThoughtDelta]:
        """What can be shown of a line at once."""
        shown: list[TextDelta | ThoughtDelta] = []
        message = piece.message
        if message.thinking:
            self._thought += message.thinking
            shown.append(ThoughtDelta(message.thinking))
        if message.content:
            self._text += message.content
            shown.append(TextDelta(message.content))
        for call in message.tool_calls or ():
            identity = f"call_{self._turn}_{len(self._calls)}"
            self._calls.append(ToolCall(identity, call.function.name, dict(call.function.arguments)))
        if piece.done:
            self.whole = True
            self._reason = piece.done_reason or ""
            self._meter.usage = Usage(input=piece.prompt_eval_count or 0, output=piece.eval_count or 0)
        return shown

    @property
    def only_loaded(self) -> bool:
        """The server has made the model ready, and said nothing yet."""
        return self._reason == "load" and not (self._text or self._calls)

    def done(self) -> Done:
        used = self._meter.usage
        full = used.input + used.output >= self._window
        parts: list[Part] = [Thought(self._thought, {"ollama": {}})] if self._thought else []
        parts += [Text(self._text)] if self._text else []
        stop: Stop = "truncated" if self._reason == "length" or full else "end"
        return Done(Message("assistant", (*parts, *self._calls)), stop, used)
