"""An Investigator for one App: brains that are metered, an MCP client in the name of whoever asks, the store."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

from kubesteward.reasoning.brains.base import Brain, Usage
from kubesteward.reasoning.brains.builtin import BuiltIn
from kubesteward.reasoning.brains.chain import Chain
from kubesteward.reasoning.brains.registry import Brains
from kubesteward.reasoning.brains.setups import BUILT_IN, Choice, Setups
from kubesteward.reasoning.loop.hands import Hands
from kubesteward.reasoning.loop.state import Investigation
from kubesteward.reasoning.premises import Confined, Premises
from kubesteward.reasoning.running import Investigator, Means, Thinking
from kubesteward.store.investigations import Investigations
from kubesteward_policies.premises import places
from kubesteward_tools.errors import SteadyError

if TYPE_CHECKING:
    from kubesteward.app import App
    from kubesteward.gate.gate import Caller
    from kubesteward.reasoning.ledger.ledger import Ledger
    from kubesteward.reasoning.ledger.words import Payer

MadeBrain = Callable[[str], Brain]


def brains_of(app: App) -> Brains:
    return Brains(Setups(app.store), os.environ, BuiltIn)


def investigator_of(app: App, name: str, gone: Callable[[str], bool]) -> Investigator:
    """`name` is the process's, `gone` tells whether another one has ended."""
    thinking = _Thinking(app)
    return Investigator(
        Means(
            Investigations(app.store),
            lambda state: _connected(app, state),
            thinking.of,
            BuiltIn,
            name,
            gone,
            app.settings.reuse_answers_minutes * 60.0,
            ended=lambda state: _ended(app, state),
            saturated=lambda ratio: app.metrics.saturated(ratio) if app.measuring else None,
            span=_span,
        )
    )


@contextmanager
def _span(state: Investigation) -> Iterator[object]:
    """Says at its end how it went, in figures alone."""
    from kubesteward.telemetry.chats import usage
    from kubesteward.telemetry.tracing import investigation

    with investigation(state.id, state.asked.get("correlation", "")) as span:
        try:
            yield span
        finally:
            spent, checked = state.spent, state.checked
            span.set_attributes({"gen_ai.request.model": state.model, **usage(spent.tokens)})
            span.set_attribute("kubesteward.phase", state.phase or "done")
            span.set_attribute("kubesteward.context_saturation", spent.saturation)
            span.set_attribute("kubesteward.tool_calls", spent.calls)
            span.set_attribute("kubesteward.tool_errors", spent.failed_calls)
            span.set_attribute("kubesteward.claims_checked", checked.claims)
            span.set_attribute("kubesteward.claims_false", checked.false)
            span.set_attribute("kubesteward.hallucination_rate", round(checked.rate, 4))
            span.set_attribute("kubesteward.reused", bool(state.reused))


def _ended(app: App, state: Investigation) -> None:
    """What the status tells of its brain; what may be scraped of it: how it ended, how long it took, and how many of
    its claims were false.
    """
    if state.brain_status.startswith("brain offline"):
        app.offline[state.principal] = state.brain_status
    elif state.brain != BUILT_IN:
        app.offline.pop(state.principal, None)
    if app.measuring and state.over:
        app.metrics.investigated(state.status, state.spent.seconds, reused=bool(state.reused))
        unknown = sum(claim.verdict == "unknown" for claim in state.claims)
        app.metrics.checked(state.checked.claims - state.checked.false, state.checked.false, unknown)


def who(caller: Caller) -> dict[str, str]:
    """A caller as words that can be kept."""
    given = {"channel": caller.channel, "user": caller.user, "groups": "\n".join(caller.groups)}
    if caller.tiers is not None:
        given["tiers"] = ",".join(map(str, sorted(caller.tiers)))
    return {name: text for name, text in given.items() if text}


def caller_of(state: Investigation) -> Caller:
    """On whose behalf an investigation asks, also after another process began it."""
    from kubesteward.gate.case import Caller

    kept = {name.removeprefix("who."): text for name, text in state.asked.items() if name.startswith("who.")}
    tiers = frozenset(map(int, kept["tiers"].split(","))) if "tiers" in kept else None
    return Caller(
        state.principal,
        session=state.asked.get("session", ""),
        channel=kept.get("channel", ""),
        user=kept.get("user", ""),
        groups=tuple(kept.get("groups", "").split("\n")) if kept.get("groups") else (),
        tiers=tiers,
        correlation=state.asked.get("correlation", ""),
    )


def _connected(app: App, state: Investigation) -> AbstractAsyncContextManager[Hands]:
    from kubesteward.mcp.loopback import connect, reading

    @asynccontextmanager
    async def connection() -> AsyncIterator[Hands]:
        async with connect(app, reading(caller_of(state), f"investigation {state.id}")) as hands:
            yield hands

    return connection()


def thinking_with(app: App, state: Investigation, brain: str) -> Thinking:
    """The brain of that name for what an investigation asked. Raises BrainMisconfigured."""
    asked = {**state.asked, "brain": brain}
    return _Thinking(app).of(state.model_copy(update={"asked": asked}), lambda _warning: None)


class _Thinking:
    """Finds the brain that a principal chose, each behind the ledger."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._brains: Brains | None = None

    @property
    def brains(self) -> Brains:
        if self._brains is None:
            self._brains = self._app.brains
        return self._brains

    def of(self, state: Investigation, warn: Callable[[str], object]) -> Thinking:
        """Raises BrainMisconfigured: there is none of that name, or it cannot be made."""
        role, wanted = state.asked.get("role", "chat"), state.asked.get("brain", "")
        choice = Choice((wanted,)) if wanted else self.brains.chosen(state.principal, role).choice
        payer = _payer(state, role)
        premises = self._premises(state)
        brains = [self.brains.named(name) for name in choice.brains]
        found = [_confined(self._metered(brain, payer, state, warn), premises) for brain in brains]
        brain = found[0] if len(found) == 1 else Chain(found, may_leave=choice.may_leave)
        ledger = self._app.ledger
        return Thinking(brain, lambda usage: _price(ledger, brain, usage), premises.withheld)

    def _premises(self, state: Investigation) -> Premises:
        """Also keeps which cluster it is about where the question names none: on a replay it may be another one."""
        with suppress(SteadyError):  # without a cluster there is nothing to tell
            state.asked.setdefault("at", self._app.clusters.current)
        return Premises(places(self._app.settings.local_brains_only), state)

    def _metered(self, brain: Brain, payer: Payer, state: Investigation, warn: Callable[[str], object]) -> Brain:
        if brain.provider == BUILT_IN:
            return brain
        from kubesteward.reasoning.ledger.metered import Metered

        watcher = self._app.metrics if self._app.measuring else None
        return Metered(brain, self._app.ledger, payer, world=lambda: state.packet.digest, warn=warn, watcher=watcher)


def _confined(brain: Brain, premises: Premises) -> Brain:
    """Outside the meter: what may not be told is not even counted."""
    return brain if brain.local else Confined(brain, premises)


def _payer(state: Investigation, role: str) -> Payer:
    from kubesteward.reasoning.ledger.words import FEATURES, Payer

    feature = next((item for item in FEATURES if item == role), FEATURES[-1])
    asked = state.asked
    return Payer(state.principal, asked.get("session", ""), feature, state.id, asked.get("correlation", ""))


def _price(ledger: Ledger, brain: Brain, usage: Usage) -> int | None:
    from kubesteward.reasoning.ledger.words import Seller

    return ledger.prices.of(usage, Seller(brain.provider, brain.model, brain.local))
