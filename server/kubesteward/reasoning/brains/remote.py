"""What all brains behind an SDK share: retries, a limit of time, one way of failing, and calls told at the end only."""

from __future__ import annotations

import json
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from importlib import import_module

from kubesteward.reasoning.brains.addresses import Address
from kubesteward.reasoning.brains.base import (
    Ask,
    BrainError,
    BrainMisconfigured,
    CallMade,
    Done,
    Event,
    Health,
    Message,
    Part,
    Text,
    TextDelta,
    ThoughtDelta,
    ToolCall,
    ToolResult,
    Usage,
    estimate,
)
from kubesteward.reasoning.brains.http import Limits
from kubesteward.reasoning.brains.keys import Key
from kubesteward.reasoning.brains.retry import LATER, Events, Retry
from kubesteward.reasoning.brains.trouble import Side, Trouble, broken
from kubesteward_tools.errors import SteadyError


@dataclass(frozen=True)
class Place:
    """Which model is asked where, and how. `effort` of thinking is "" (the model's own), low, medium or high.

    `now` is epoch seconds, for a Retry-After that is a date.
    """

    name: str
    model: str
    address: Address
    key: Key | None = None
    effort: str = ""
    limits: Limits = field(default_factory=Limits)
    retry: Retry = field(default_factory=Retry)
    now: Callable[[], float] = time.time


@dataclass
class Meter:
    """What an attempt has used so far, as far as the provider has said."""

    usage: Usage = field(default_factory=Usage)


class RemoteBrain(ABC):
    """A subclass turns an SDK's stream into events, and the SDK's errors into ours."""

    provider: str
    modules: tuple[str, ...]
    """What the SDK loads, now or later."""
    failures: tuple[type[Exception], ...] = (OSError, ValueError, TypeError, KeyError, AttributeError, LookupError)
    """What an SDK raises, and what comes of answers of an unexpected shape."""

    def __init__(self, place: Place) -> None:
        self._place = place

    @property
    def name(self) -> str:
        return self._place.name

    @property
    def model(self) -> str:
        return self._place.model

    @property
    def local(self) -> bool:
        return self._place.address.reach != "public"

    def __repr__(self) -> str:
        return f"<{self.provider} {self.name!r} {self.model!r}>"

    @property
    def side(self) -> Side:
        return Side(self.provider, self.model, self._place.key)

    def count(self, ask: Ask) -> int:
        return estimate(ask)

    async def stream(self, ask: Ask) -> AsyncGenerator[Event, None]:
        """Raises BrainOffline, BrainMisconfigured, PromptTooLong or BrainRefused."""
        asked = ask if self.local else outgoing(ask)
        async with aclosing(self._place.retry.stream(lambda: self._attempt(asked))) as events:
            async for event in events:
                if isinstance(event, Done):
                    done = self._finished(event, asked)
                    for call in done.message.calls:
                        if not call.malformed and done.stop != "refused":
                            yield CallMade(call)
                    yield done
                elif isinstance(event, (TextDelta, ThoughtDelta)):
                    yield replace(event, text=_sound(event.text))
                else:
                    yield event

    def _finished(self, done: Done, ask: Ask) -> Done:
        """Where the server does not tell what was used, it is estimated: limits count on it."""
        stop = "tools" if done.stop == "end" and done.message.calls else done.stop
        message = Message.from_json(json.loads(_sound(json.dumps(done.message.to_json(), ensure_ascii=False))))
        usage = done.usage
        if not (usage.input or usage.cache_read or usage.cache_write):
            usage = replace(usage, input=self.count(ask))
        if not usage.output:
            usage = replace(usage, output=estimate(Ask("", (message,))))
        return replace(done, message=message, stop=stop, usage=usage, brain=self.name, model=self.model)

    async def _attempt(self, ask: Ask) -> Events:
        """One request. Outside of the except clauses, so that no error of an SDK hangs on to ours."""
        meter = Meter()
        failed: Exception | None = None
        try:
            await self._load()
            async with aclosing(self._events(ask, meter)) as events, aclosing(self._in_time(events)) as timely:
                async for event in timely:
                    yield event
        except (Trouble, SteadyError) as error:
            failed = error
        except self.failures as error:
            failed = self._told(error)
        if isinstance(failed, Trouble):
            raise Trouble(failed.reason, failed.after, failed.todo, meter.usage)
        if failed is not None:
            raise failed.with_traceback(None)

    async def _load(self) -> None:
        """Import the SDK, which takes seconds, where nobody else waits for it."""
        import anyio.to_thread

        failed: Exception | None = None
        for module in self.modules:
            try:
                if module not in sys.modules:
                    await anyio.to_thread.run_sync(self._import, module)
            except (ImportError, ValueError, OSError) as error:
                failed = error
        if failed is not None:
            todo = "Install kubesteward anew, and look at the proxies and addresses in the environment."
            raise BrainMisconfigured(f"The SDK of {self.provider} cannot be loaded ({self.side.clean(failed)}).", todo)

    def _import(self, module: str) -> None:
        import_module(module)

    async def _in_time(self, events: Events) -> Events:
        """A server that sends a sign of life for ever would never run into the limit between two pieces."""
        import anyio

        until = anyio.current_time() + self._place.limits.whole
        while True:
            try:
                with anyio.fail_after(until - anyio.current_time()):
                    event = await anext(events)
            except StopAsyncIteration:
                return
            yield event

    async def check(self) -> Health:
        """Whether the brain would answer, without asking it anything. Never raises."""
        failed: Exception
        try:
            await self._load()
            await self._look()
        except (Trouble, SteadyError) as error:
            failed = error
        except self.failures as error:
            failed = self._told(error)
        else:
            return Health(ok=True)
        reason = failed.reason if isinstance(failed, (Trouble, BrainError)) else str(failed)
        return Health(False, reason, getattr(failed, "todo", "") or LATER)

    def _told(self, error: Exception) -> Exception:
        """Our error for one of an SDK."""
        return broken(self.side, error)

    @abstractmethod
    def _events(self, ask: Ask, meter: Meter) -> Events:
        """Deltas and one Done; what was used goes to the meter as soon as it is known."""

    def _known(self, found: object) -> None:
        """Raises Trouble: whoever answered with JSON does not tell about a model."""
        if not getattr(found, "id", None):
            raise Trouble(f"what answers in place of {self.provider} does not tell about models")

    @abstractmethod
    async def _look(self) -> None:
        """Ask the provider for the model, for nothing."""

    async def close(self) -> None:
        """Adapters make their `_client` when it is first wanted: until then there is nothing to close."""
        client = vars(self).get("_client")
        if client is not None:
            await client.close()


def _sound(text: str) -> str:
    """Some servers escape a letter in two halves, also in two pieces: put together, or replaced where one is missing.
    No request, record or terminal takes a half one.
    """
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def outgoing(ask: Ask) -> Ask:
    """A question as it may leave the premises. What tools say is redacted already; what people write is not, nor what
    a local brain has said of that before another one goes on.
    """
    from kubesteward_tools.text.redact import redact, redact_object

    def cleaned(part: Part) -> Part:
        if isinstance(part, ToolCall):
            return replace(part, arguments=redact_object(part.arguments))
        return replace(part, text=redact(part.text)) if isinstance(part, (Text, ToolResult)) else part

    messages = tuple(replace(message, parts=tuple(map(cleaned, message.parts))) for message in ask.messages)
    return replace(ask, system=redact(ask.system), messages=messages)


def outcome(part: ToolResult) -> str:
    """A result as text, for APIs that have no field for failures."""
    return f"The call failed: {part.text}" if part.is_error else part.text
