"""Keeps what is to stay on the premises from brains elsewhere: looked at for each question, before anything is sent."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import aclosing
from typing import Any

from kubesteward.reasoning.brains.around import Around
from kubesteward.reasoning.brains.base import (
    Ask,
    Brain,
    BrainForbidden,
    Done,
    Event,
    Message,
    Text,
    Thought,
    ToolCall,
    ToolResult,
)
from kubesteward.reasoning.loop.state import Investigation
from kubesteward_policies.premises import Place, asked_of, mentioned

SETTING = "KUBESTEWARD_LOCAL_BRAINS_ONLY"


KEPT_BACK = "Kept back: it tells of what stays on the premises. Ask about less, as one namespace that you may see."
"""Without the name: it would itself be a word that may not leave."""


class Premises:
    """What one investigation may tell elsewhere. `asked["at"]` is the cluster where the question names none."""

    def __init__(self, known: tuple[Place, ...], state: Investigation) -> None:
        self._known = known
        self._state = state

    @property
    def _cluster(self) -> str:
        return self._state.asked.get("cluster") or self._state.asked.get("at", "")

    @property
    def _namespace(self) -> str:
        """Of what is asked about, "" where that is the cluster."""
        intent = self._state.intent
        return intent.target.namespace if intent.target else intent.namespace

    def forbids(self, messages: Iterable[Message]) -> str:
        """Why a question stays here, "" where it may leave."""
        if not self._known:
            return ""
        if place := asked_of(self._known, self._cluster, self._namespace):
            return f"{place.words} is told to brains on the premises only ({SETTING})"
        place = mentioned(self._known, self._cluster, "\n".join(_texts(messages)))
        return f"the question tells of {place.words}, which stays on the premises ({SETTING})" if place else ""

    def withheld(self, brain: Brain, arguments: Mapping[str, Any], text: str = "") -> str:
        """Why a brain is not told what a call with these arguments says, "" where it may be.

        Where the whole question has to stay here, nothing is kept from the brain that goes on with it.
        """
        if not self._known or brain.local or asked_of(self._known, self._cluster, self._namespace):
            return ""
        where = str(arguments.get("cluster") or self._cluster)
        given = "\n".join(map(str, _values(dict(arguments))))
        place = mentioned(self._known, where, f"{given}\n{text}")
        return KEPT_BACK if place else ""


class Confined(Around):
    """A brain elsewhere that is asked nothing of what stays on the premises: the same protocol, one look before."""

    local = False

    def __init__(self, brain: Brain, premises: Premises) -> None:
        super().__init__(brain)
        self._premises = premises
        self._said: list[Message] = []

    async def stream(self, ask: Ask) -> AsyncGenerator[Event, None]:
        """What it said itself may go back to it. Raises BrainForbidden: nothing was sent. Else as the brain."""
        if why := self._premises.forbids(item for item in ask.messages if item not in self._said):
            raise BrainForbidden(why, "Choose a brain on the premises, or ask about something else.")
        async with aclosing(self._brain.stream(ask)) as events:
            async for event in events:
                if isinstance(event, Done):
                    self._said.append(event.message)
                yield event


def _texts(messages: Iterable[Message]) -> Iterator[str]:
    """All that they tell of a cluster."""
    for message in messages:
        for part in message.parts:
            match part:
                case Text(text) | Thought(text) | ToolResult(_, text):
                    yield text
                case ToolCall():
                    yield json.dumps(part.arguments, ensure_ascii=False)


def _values(given: Any) -> Iterator[Any]:
    if isinstance(given, Mapping):
        given = given.values()
    elif not isinstance(given, list | tuple):
        yield given
        return
    for item in given:
        yield from _values(item)
