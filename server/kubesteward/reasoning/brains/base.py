"""What every brain speaks, whoever provides it: messages, tools, events of a stream, and what may go wrong.

The loop stores these after every step and the recorder replays them, so all of them go to JSON and back unchanged.
Nothing of a provider's SDK is imported here, for the loop is imported where no brain is asked yet.

SteadyError
  AskAgain
    BrainOffline               the provider cannot be reached, or not now; tools and other brains go on
  AskDifferently
    BrainMisconfigured         a key, a model, an address or a setting is wrong; only a person can mend it
    PromptTooLong              the conversation does not fit into the model: it has to be shortened
  Refused
    BrainRefused               the provider will not answer this at all
    BrainForbidden             what it would be told has to stay on the premises; nothing was sent
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol

from kubesteward_tools.errors import AskAgain, AskDifferently, Refused, SteadyError

Json = dict[str, Any]
Role = Literal["user", "assistant", "tool"]
Stop = Literal["end", "tools", "truncated", "refused"]


class BrainError(SteadyError):
    """`reason` is what the status says after "brain offline", without a final stop; `todo` what a person can do."""

    def __init__(self, reason: str, todo: str = "") -> None:
        self.reason = reason.removesuffix(".")
        super().__init__(f"{self.reason}.", todo=todo)


class BrainOffline(BrainError, AskAgain):
    code = "BRAIN_OFFLINE"


class BrainMisconfigured(BrainError, AskDifferently):
    code = "BRAIN_MISCONFIGURED"


class PromptTooLong(BrainError, AskDifferently):
    code = "PROMPT_TOO_LONG"


class BrainRefused(BrainError, Refused):
    code = "BRAIN_REFUSED"


class BrainForbidden(BrainError, Refused):
    code = "BRAIN_FORBIDDEN"


class _Plain:
    """Goes to JSON as it stands."""

    def to_json(self) -> Json:
        return asdict(self)  # type: ignore[call-overload, no-any-return]  # every subclass is a dataclass


@dataclass(frozen=True)
class Text(_Plain):
    """`opaque`: what a provider wants back with it, by the provider's name."""

    text: str
    opaque: Json = field(default_factory=dict)
    type: Literal["text"] = field(default="text", init=False)


@dataclass(frozen=True)
class Thought(_Plain):
    """A step of thinking, "" where the provider keeps it to itself.

    `opaque`: by the provider's name, what proves to it that the thought is its own. Nobody else is sent it.
    """

    text: str
    opaque: Json = field(default_factory=dict)
    type: Literal["thought"] = field(default="thought", init=False)


@dataclass(frozen=True)
class ToolCall(_Plain):
    """What the brain wants done. `malformed`: why it is not to be done, for the brain to read; "" where it is whole."""

    id: str
    name: str
    arguments: Json
    malformed: str = ""
    type: Literal["call"] = field(default="call", init=False)


@dataclass(frozen=True)
class ToolResult(_Plain):
    call_id: str
    text: str
    is_error: bool = False
    type: Literal["result"] = field(default="result", init=False)


Part = Text | Thought | ToolCall | ToolResult
_PARTS: Mapping[str, type[Text] | type[Thought] | type[ToolCall] | type[ToolResult]] = {
    "text": Text,
    "thought": Thought,
    "call": ToolCall,
    "result": ToolResult,
}


def part_from_json(data: Json) -> Part:
    """Raises KeyError or TypeError where it is none."""
    return _PARTS[data["type"]](**{name: value for name, value in data.items() if name != "type"})


@dataclass(frozen=True)
class Message(_Plain):
    """`user` and `assistant` speak in texts, thoughts and calls; a `tool` message holds the results of all calls."""

    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        return tuple(part for part in self.parts if isinstance(part, ToolCall))

    @property
    def without_thoughts(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if not isinstance(part, Thought))

    @property
    def followed(self) -> tuple[Part, ...]:
        """Without thoughts that led to nothing, as of an answer that was cut while thinking: providers refuse those."""
        last = max((n for n, part in enumerate(self.parts) if not _is_idle(part)), default=-1)
        return self.parts[: last + 1]

    @classmethod
    def from_json(cls, data: Json) -> Message:
        return cls(data["role"], tuple(part_from_json(part) for part in data["parts"]))


def _is_idle(part: Part) -> bool:
    return isinstance(part, Thought) or (isinstance(part, Text) and not part.text.strip())


@dataclass(frozen=True)
class ToolSpec(_Plain):
    """`schema` is the JSON Schema of its arguments, an object."""

    name: str
    description: str
    schema: Json

    @classmethod
    def from_json(cls, data: Json) -> ToolSpec:
        return cls(**data)


@dataclass(frozen=True)
class Ask(_Plain):
    """One question to a brain. `max_tokens` bounds the answer, thinking included.

    `temperature` is for the providers that take one; None leaves it to them.
    """

    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    max_tokens: int = 4096
    temperature: float | None = None
    stop: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: Json) -> Ask:
        lists = {
            "messages": tuple(map(Message.from_json, data["messages"])),
            "tools": tuple(map(ToolSpec.from_json, data["tools"])),
            "stop": tuple(data["stop"]),
        }
        return cls(**{**data, **lists})


@dataclass(frozen=True)
class Usage(_Plain):
    """Tokens. `input` is what was neither read from a cache nor written to one; `output` includes `reasoning`."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(**{name: value + getattr(other, name) for name, value in asdict(self).items()})

    @classmethod
    def from_json(cls, data: Json) -> Usage:
        return cls(**data)


@dataclass(frozen=True)
class TextDelta(_Plain):
    text: str
    type: Literal["text_delta"] = field(default="text_delta", init=False)


@dataclass(frozen=True)
class ThoughtDelta(_Plain):
    text: str
    type: Literal["thought_delta"] = field(default="thought_delta", init=False)


@dataclass(frozen=True)
class CallMade(_Plain):
    """Comes when the message is whole: of a stream that was cut, no call is ever announced."""

    call: ToolCall
    type: Literal["call_made"] = field(default="call_made", init=False)


@dataclass(frozen=True)
class Waiting(_Plain):
    """The brain is asked again in `seconds`; comes about every second, for a countdown. Earlier deltas are void."""

    seconds: float
    reason: str
    attempt: int
    type: Literal["waiting"] = field(default="waiting", init=False)


@dataclass(frozen=True)
class Lost(_Plain):
    """What an attempt without a result has used, as far as the provider said: it is paid all the same."""

    usage: Usage
    type: Literal["lost"] = field(default="lost", init=False)


@dataclass(frozen=True)
class Switched(_Plain):
    """Another brain goes on, because the first one is offline, or may not be told. Earlier deltas are void."""

    brain: str
    to: str
    reason: str
    offline: bool = True
    type: Literal["switched"] = field(default="switched", init=False)


@dataclass(frozen=True)
class Done(_Plain):
    """The last event of every stream. With `truncated` and `refused` the message is what there was until then.

    `brain` and `model` say who answered, since a chain may have switched.
    """

    message: Message
    stop: Stop
    usage: Usage
    brain: str = ""
    model: str = ""
    type: Literal["done"] = field(default="done", init=False)


Event = TextDelta | ThoughtDelta | CallMade | Waiting | Lost | Switched | Done


def event_from_json(data: Json) -> Event:
    """Raises KeyError or TypeError where it is none."""
    fields = {name: value for name, value in data.items() if name != "type"}
    match data["type"]:
        case "call_made":
            call = part_from_json(data["call"])
            assert isinstance(call, ToolCall)  # noqa: S101 - what `to_json` wrote
            return CallMade(call)
        case "lost":
            return Lost(Usage(**data["usage"]))
        case "done":
            whole = {"message": Message.from_json(data["message"]), "usage": Usage(**data["usage"])}
            return Done(**{**fields, **whole})
        case kind:
            return _EVENTS[kind](**fields)


_EVENTS: Mapping[str, type[TextDelta] | type[ThoughtDelta] | type[Waiting] | type[Switched]] = {
    "text_delta": TextDelta,
    "thought_delta": ThoughtDelta,
    "waiting": Waiting,
    "switched": Switched,
}


@dataclass(frozen=True)
class Health(_Plain):
    """`todo` is what a person can do where it is not `ok`."""

    ok: bool
    reason: str = ""
    todo: str = ""


class Brain(Protocol):
    """`name` is the operator's, `provider` the one that prices go by, `local` whether nothing leaves the premises."""

    @property
    def name(self) -> str: ...
    @property
    def provider(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def local(self) -> bool: ...

    def stream(self, ask: Ask) -> AsyncGenerator[Event, None]:
        """Raises BrainOffline, BrainMisconfigured, PromptTooLong or BrainRefused; never an error of an SDK."""
        ...

    def count(self, ask: Ask) -> int:
        """About how many tokens the question has; rather too many."""
        ...

    async def check(self) -> Health: ...

    async def close(self) -> None: ...


_BYTES_OF_A_TOKEN = 3.5
"""Text and JSON of clusters as current tokenizers cut them; most have more."""


def estimate(ask: Ask) -> int:
    """About how many tokens a question has; rather too many."""
    whole = json.dumps(ask.to_json(), ensure_ascii=False, separators=(",", ":"))
    return int(len(whole.encode(errors="replace")) / _BYTES_OF_A_TOKEN) + 1
