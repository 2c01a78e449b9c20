"""One investigation at work: its state, and all that its steps may reach. State is stored whenever a step ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from kubesteward.reasoning.brains.base import Brain, Usage
from kubesteward.reasoning.loop.hands import Hands
from kubesteward.reasoning.loop.state import Investigation, Step
from kubesteward_tools.errors import SteadyError

Tell = Callable[[str, str], object]
"""Hears what is going on: a step's name and one sentence."""


class Withheld(Protocol):
    """Why a brain is not told what a call says, "" where it may be; without a text, why it may not ask."""

    def __call__(self, brain: Brain, arguments: Mapping[str, Any], text: str = "", /) -> str: ...


class Interrupted(SteadyError):
    """Somebody wants it to pause or to end; `wish` says which."""

    code = "INTERRUPTED"

    def __init__(self, wish: str) -> None:
        self.wish = wish
        super().__init__(f"the investigation was told to {wish}.")


class Archive(Protocol):
    """Where it is kept: `kubesteward.store.investigations.Investigations` as far as the loop needs it."""

    def save(self, body: Mapping[str, Any], owner: str) -> None: ...
    def wished(self, name: str) -> str: ...
    def spill(self, name: str, text: str) -> int: ...
    def record(self, name: str, kind: str, digest: str, body: Mapping[str, Any]) -> None: ...


def _silent(_step: str, _sentence: str) -> None:
    """Nobody listens."""


def _free(_usage: Usage) -> int | None:
    return 0


def nothing_withheld(_brain: Brain, _arguments: Mapping[str, Any], _text: str = "") -> str:
    """Where no policy keeps anything on the premises."""
    return ""


def stamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


@dataclass
class Case:
    """`priced` tells millionths of a dollar of what a brain used, None where nobody knows. `fallback` goes on where the
    brain cannot. `clock` gives epoch seconds.
    """

    state: Investigation
    hands: Hands
    brain: Brain
    archive: Archive
    owner: str = ""
    tell: Tell = _silent
    clock: Callable[[], float] = time.time
    priced: Callable[[Usage], int | None] = _free
    fallback: Brain | None = None
    similar: Callable[[Investigation], list[Mapping[str, Any]]] = lambda _state: []
    known: Callable[[Investigation], Investigation | None] = lambda _state: None
    saturated: Callable[[float], object] = lambda _ratio: None
    withheld: Withheld = nothing_withheld
    _since: float = field(default_factory=time.monotonic)

    def note(self, step: str, detail: str, tool_call: str = "") -> None:
        """A line of the explanation."""
        self.state.trace.append(Step(step=step, detail=detail[:600], at=stamp(self.clock()), tool_call=tool_call))
        self.tell(step, detail)

    @property
    def worked(self) -> float:
        """Seconds for which it has been worked on, up to now."""
        return self.state.spent.seconds + time.monotonic() - self._since

    def save(self) -> None:
        """Raises Interrupted: somebody wants it to pause or to end; what is known is stored by then."""
        now = time.monotonic()
        self.state.spent.seconds = round(self.state.spent.seconds + now - self._since, 3)
        self._since = now
        self.state.saved_steps += 1
        self.archive.save(self.state.model_dump(mode="json"), self.owner)
        if wish := self.archive.wished(self.state.id):
            raise Interrupted(wish)
