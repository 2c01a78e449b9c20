"""What travels through the middleware: one tool call going in, one reply coming out. Knows nothing of MCP's wire."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from kubesteward.gate.gate import Caller
    from kubesteward_tools.tool import Tool


@dataclass(frozen=True, slots=True)
class Answered:
    """What a person did with the form: `accept`, `decline` or `cancel`; `approve` is the box they ticked."""

    action: str
    approve: bool = False
    comment: str = ""
    token: str = ""
    """Proof of which question was answered, as it was handed out with `Question.token`."""


@dataclass(frozen=True, slots=True)
class Question:
    """A form that a person has to fill in; the client calls again with the answer (protocol 2026-07-28)."""

    message: str
    token: str


Ask = Callable[[str], Awaitable[Answered]]
"""Puts a form before the person while the call waits (clients up to 2025-11-25)."""


Tell = Callable[[str], object]
"""Lets the client know how far a call is; does nothing for clients that do not listen."""


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call. `arguments` are as they came in until the endpoint has validated them.

    `ask` is there when the client can be asked while the call waits, `answered` when it brings an answer along,
    `agreed` when a person has agreed to what it may cost.
    """

    name: str
    tool: Tool | None
    arguments: Mapping[str, Any]
    caller: Caller
    correlation: str = ""
    ask: Ask | None = None
    answered: Answered | None = None
    agreed: bool = False
    tell: Tell | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """`text` and `data` each stand alone. `code` is "" for success, else the error's stable word.

    `untrusted` is text out of a cluster from `source`; the output middleware fences it under `text`.
    `note` goes to the audit log only: ids and digests of what the call did.
    """

    text: str
    data: Mapping[str, Any] | None = None
    untrusted: str = ""
    source: str = ""
    code: str = ""
    question: Question | None = None
    note: Mapping[str, Any] = field(default_factory=dict)


Handler = Callable[[Call], Awaitable[Reply]]


class Middleware(Protocol):
    """Wraps the rest of the list; may answer by itself."""

    async def __call__(self, call: Call, proceed: Handler) -> Reply: ...
