"""Investigations of one process: begun, waited for, paused, resumed, cancelled; and those taken up that another process
left behind when it ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from kubesteward.reasoning.brains.base import Brain, BrainError, Usage
from kubesteward.reasoning.loop import answer, loop
from kubesteward.reasoning.loop.case import Case, Interrupted, Tell, Withheld, nothing_withheld, stamp
from kubesteward.reasoning.loop.hands import Hands
from kubesteward.reasoning.loop.state import Budget, Investigation, Step
from kubesteward.reasoning.similar import similar
from kubesteward_tools.errors import ObjectNotFound, Refused, SteadyError
from kubesteward_tools.text.redact import redact

_log = logging.getLogger(__name__)

MOST_AT_ONCE = 4
"""Investigations of one principal that run at the same time."""


class Kept(Protocol):
    """`kubesteward.store.investigations.Investigations`."""

    def begin(self, body: Mapping[str, Any], owner: str) -> None: ...
    def save(self, body: Mapping[str, Any], owner: str) -> None: ...
    def load(self, name: str, principal: str | None = None) -> dict[str, Any] | None: ...
    def all(self, principal: str | None = None, most: int = 100) -> list[dict[str, Any]]: ...
    def take(self, name: str, owner: str, free: Callable[[str], bool]) -> bool: ...
    def unfinished(self, free: Callable[[str], bool]) -> list[str]: ...
    def wish(self, name: str, what: str) -> None: ...
    def wished(self, name: str) -> str: ...
    def spill(self, name: str, text: str) -> int: ...
    def result(self, name: str, number: int) -> str | None: ...
    def record(self, name: str, kind: str, digest: str, body: Mapping[str, Any]) -> None: ...
    def tape(self, name: str) -> list[tuple[str, str, dict[str, Any]]]: ...


@dataclass(frozen=True)
class Asked:
    """`who` are the words by which the server knows on whose behalf it is asked; they are kept with the state.
    `correlation` is the call that asks, by which records of all that follows are found; without one it gets its own.
    """

    question: str
    principal: str
    session: str = ""
    target: str = ""
    namespace: str = ""
    cluster: str = ""
    brain: str = ""
    role: str = "chat"
    intent: str = ""
    correlation: str = ""
    who: Mapping[str, str] = field(default_factory=dict)
    budget: Budget = field(default_factory=lambda: Budget.model_validate({}))

    def scope(self) -> dict[str, str]:
        named = {"target": self.target, "namespace": self.namespace, "cluster": self.cluster, "brain": self.brain}
        given = {name: redact(text) for name, text in named.items()}
        given |= {
            "role": self.role,
            "intent": self.intent,
            "session": self.session,
            "correlation": self.correlation or secrets.token_hex(8),
            **{f"who.{name}": text for name, text in self.who.items()},
        }
        return {name: text for name, text in given.items() if text}


@dataclass(frozen=True)
class Thinking:
    """A brain for one investigation, what its answers cost, and what it is not told."""

    brain: Brain
    priced: Callable[[Usage], int | None] = lambda _usage: 0
    withheld: Withheld = nothing_withheld


@dataclass(frozen=True)
class Means:
    """What investigations are made with. `connect` gives an MCP client in somebody's name, `thinking` the brain."""

    kept: Kept
    connect: Callable[[Investigation], AbstractAsyncContextManager[Hands]]
    thinking: Callable[[Investigation, Callable[[str], object]], Thinking]
    builtin: Callable[[], Brain]
    owner: str
    gone: Callable[[str], bool]
    fresh: float = 3600.0
    clock: Callable[[], float] = time.time
    ended: Callable[[Investigation], object] = lambda _state: None
    saturated: Callable[[float], object] = lambda _ratio: None
    span: Callable[[Investigation], AbstractContextManager[object]] = lambda _state: contextlib.nullcontext()


class Investigator:
    def __init__(self, means: Means) -> None:
        self._means = means
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._live: dict[str, Case] = {}
        self._begun: dict[str, str] = {}

    def begin(self, asked: Asked, tell: Tell | None = None) -> str:
        """Start one; its id.

        Raises:
            Refused: too many of one principal run already. StoreUnusable: it cannot be kept.
        """
        self._room(asked.principal)
        state = Investigation(
            id=f"inv-{secrets.token_hex(6)}",
            principal=asked.principal,
            question=redact(asked.question),  # it is kept, sent to a brain, and asked of the tools
            asked=asked.scope(),
            budget=asked.budget,
            created=self._means.clock(),
        )
        self._means.kept.begin(state.model_dump(mode="json"), self._means.owner)
        self._start(state, tell)
        return state.id

    def _room(self, principal: str) -> None:
        """Raises Refused: too many of one principal run already, those included that have only been begun."""
        running = [name for name, owner in self._begun.items() if owner == principal]
        if len(running) >= MOST_AT_ONCE:
            todo = f"Wait for one of {', '.join(running)}, or cancel it."
            raise Refused(f"{len(running)} investigations are under way.", todo=todo)

    def _start(self, state: Investigation, tell: Tell | None) -> None:
        self._begun[state.id] = state.principal
        task = asyncio.create_task(self._run(state, tell or (lambda _step, _text: None)))
        self._tasks[state.id] = task
        task.add_done_callback(lambda _task: self._forget(state.id))

    def _forget(self, name: str) -> None:
        self._tasks.pop(name, None)
        self._begun.pop(name, None)

    async def _run(self, state: Investigation, tell: Tell) -> None:
        """To its end or as far as it gets; the state says how it went."""
        try:
            async with self._means.connect(state) as hands:
                await self._worked(self._case(state, hands, tell))
        except asyncio.CancelledError:
            self._left(state.id)
            raise
        except Exception:  # noqa: BLE001 - the outermost handler of a task that nobody awaits
            state.status, state.reason = "failed", "internal error; the server's log has the details"
            self._put(state)
            _log.exception("%s failed", state.id)
        tell("end", state.status)

    async def _worked(self, case: Case) -> None:
        """What is raised in here is caught in here: the connection's task group would wrap it up."""
        state = case.state
        self._live[state.id] = case
        try:
            with self._means.span(state):
                await loop.run(case)
        except Interrupted as error:
            wish = self._means.kept.wished(state.id) or error.wish  # one who paused it may have cancelled it since
            state.status = "cancelled" if wish == "cancel" else "paused"
            state.reason = f"told to {wish}"
        except SteadyError as error:
            state.status, state.reason = "failed", str(error)
        finally:
            self._live.pop(state.id, None)
        self._put(state)
        self._means.ended(state)

    def _left(self, name: str) -> None:
        """It stays as it was stored last: what a step has half done would be taken for done by whoever takes it up.
        What somebody wished stays as well.
        """
        with contextlib.suppress(SteadyError):
            body = self._means.kept.load(name)
            if body is not None and body["status"] == "running":
                self._means.kept.save({**body, "reason": "its process ended"}, "")

    def _put(self, state: Investigation) -> None:
        with contextlib.suppress(SteadyError):
            self._means.kept.save(state.model_dump(mode="json"), "")
            self._means.kept.wish(state.id, "")

    def _case(self, state: Investigation, hands: Hands, tell: Tell) -> Case:
        means, fallback = self._means, self._means.builtin()
        try:
            thinking = means.thinking(state, lambda warning: self._noted(state, tell, "budget", warning))
        except BrainError as error:
            state.brain_status = f"brain offline: {error.reason}"
            self._noted(state, tell, "brain", f"{error} The built-in brain goes on.")
            state.messages = []
            thinking = Thinking(fallback)
        state.brain, state.model = thinking.brain.name, thinking.brain.model
        return Case(
            state, hands, thinking.brain, means.kept, means.owner, tell, means.clock, thinking.priced, fallback,
            self._similar, self._known, means.saturated, thinking.withheld,
        )  # fmt: skip

    def _noted(self, state: Investigation, tell: Tell, step: str, text: str) -> None:
        """In the explanation, as whoever watches hears it."""
        state.trace.append(Step(step=step, detail=text[:600], at=stamp(self._means.clock())))
        tell(step, text)

    def _similar(self, state: Investigation) -> list[Mapping[str, Any]]:
        return similar(self._means.kept.all(state.principal), state)

    def _known(self, state: Investigation) -> Investigation | None:
        """An answered one that asked the same of the same world, of the same brain, not long ago."""
        now = self._means.clock()
        for body in self._means.kept.all(state.principal):
            same = body["status"] == "done" and body["packet"]["digest"] == state.packet.digest
            same = same and body["question"] == state.question and _scope(body["asked"]) == _scope(state.asked)
            same = same and body["intent"] == state.intent.model_dump(mode="json")
            fresh = now - self._means.fresh < body["created"] <= now  # a clock that was set back makes nothing fresh
            if same and fresh and body["brain"] == state.brain and not body["brain_status"]:
                found = Investigation.model_validate(body)
                if found.draft is not None and found.draft.status != "INCONCLUSIVE":
                    return found
        return None

    def state(self, name: str, principal: str | None = None) -> Investigation:
        """As it stands now. Raises ObjectNotFound, in the same words for another's as for none."""
        live = self._live.get(name)
        if live is not None and principal in {None, live.state.principal}:
            return live.state
        body = self._means.kept.load(name, principal)
        if body is None:
            raise ObjectNotFound(f"there is no investigation {name!r}.", todo="Use the id that investigate returned.")
        return Investigation.model_validate(body)

    def record(self, name: str, principal: str | None = None, *, whole: bool = True) -> dict[str, Any]:
        return answer.record(self.state(name, principal), whole=whole)

    def brief(self, principal: str | None = None) -> list[dict[str, Any]]:
        """The newest first, without their hypotheses, evidence and trace."""
        bodies = self._means.kept.all(principal)
        return [answer.record(Investigation.model_validate(body), whole=False) for body in bodies]

    def result(self, name: str, number: int, principal: str | None = None) -> str:
        """A result that was too large to be shown. Raises ObjectNotFound."""
        self.state(name, principal)
        found = self._means.kept.result(name, number)
        if found is None:
            raise ObjectNotFound(f"{name} has no result {number}.", todo="Its calls say which there are.")
        return found

    async def wait(self, name: str, seconds: float | None = None) -> None:
        """Until it is over, pauses, or the time is up."""
        task = self._tasks.get(name)
        if task is not None:
            await asyncio.wait({task}, timeout=seconds)

    def wish(self, name: str, what: str, principal: str | None = None) -> None:
        """Pause or cancel it, also where another process runs it: after the step that it is at.

        Raises:
            ObjectNotFound. Refused: it is over.
        """
        state = self.state(name, principal)
        if state.over:
            raise Refused(f"{name} is {state.status}.", todo="There is nothing to stop.")
        idle = name not in self._tasks and self._means.kept.take(name, self._means.owner, self._means.gone)
        if not idle:
            self._means.kept.wish(name, what)
        elif not self._ended_by(name, what):
            raise Refused(f"{name} has ended meanwhile.", todo="There is nothing to stop.")

    def _ended_by(self, name: str, what: str) -> bool:
        """Carry out a wish for what is taken and nobody works on, as it stands now; False where it is over."""
        state = self._taken(name)
        if not state.over:
            state.status = "cancelled" if what == "cancel" else "paused"
            state.reason = f"told to {what}"
        self._put(state)
        return state.reason == f"told to {what}"

    def _taken(self, name: str) -> Investigation:
        """As it was stored last, read after it was taken: until then another process may have gone on with it."""
        return Investigation.model_validate(self._means.kept.load(name))

    def resume(self, name: str, principal: str | None = None, tell: Tell | None = None) -> None:
        """Go on where it stopped.

        Raises:
            ObjectNotFound. Refused: it is over, or somebody works on it.
        """
        state = self.state(name, principal)
        _unfinished(state)
        if principal is not None:
            self._room(state.principal)
        self._go_on(name, tell)

    def _go_on(self, name: str, tell: Tell | None) -> None:
        """Raises Refused: somebody works on it, or it is over."""
        if name in self._tasks or not self._means.kept.take(name, self._means.owner, self._means.gone):
            raise Refused(f"{name} is being worked on.", todo="Wait for it.")
        state = self._taken(name)
        try:
            _unfinished(state)
        except Refused:
            self._put(state)
            raise
        self._means.kept.wish(name, "")
        state.status, state.reason = "running", ""
        self._start(state, tell)

    def _taken_up(self, name: str, tell: Tell | None = None) -> None:
        """Of a process that has ended: what somebody wished before it did still counts. Raises Refused."""
        if not (wish := self._means.kept.wished(name)):
            self._go_on(name, tell)
        elif name not in self._tasks and self._means.kept.take(name, self._means.owner, self._means.gone):
            self._ended_by(name, wish)

    def adopt(self, name: str, principal: str | None = None, tell: Tell | None = None) -> None:
        """Go on with one that its process left behind, if it is one."""
        state = self.state(name, principal)
        if state.status == "running" and name not in self._tasks:
            with contextlib.suppress(SteadyError):  # somebody works on it
                self._taken_up(name, tell)

    def take_up(self) -> list[str]:
        """Go on with what processes left behind that have ended; their ids."""
        found = self._means.kept.unfinished(self._means.gone)
        taken = [name for name in found if name not in self._tasks]
        for name in taken:
            with contextlib.suppress(SteadyError):
                self._taken_up(name)
        return [name for name in taken if name in self._tasks]

    async def close(self) -> None:
        """Stop working; what is not over stays as it is, for whoever takes it up."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _unfinished(state: Investigation) -> None:
    """Raises Refused."""
    if state.over and state.status != "failed":
        raise Refused(f"{state.id} is {state.status}.", todo="Begin a new one.")


def _scope(asked: Mapping[str, str]) -> tuple[str, ...]:
    """What was asked about, and with whose rights: who may see less than before is told nothing of before."""
    rights = sorted(f"{name}={text}" for name, text in asked.items() if name in {"who.user", "who.groups", "who.tiers"})
    return (*(asked.get(name, "") for name in ("target", "namespace", "cluster")), *rights)
