"""What an investigation may cost, told before it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubesteward.reasoning.brains.base import Ask, Message, Text
from kubesteward.reasoning.brains.setups import BUILT_IN
from kubesteward.reasoning.ledger.words import MILLION, Micros, Seller
from kubesteward.reasoning.loop.conversation import MAX_TOKENS
from kubesteward_policies.premises import asked_of, places

if TYPE_CHECKING:
    from kubesteward.app import App
    from kubesteward.reasoning.running import Asked

TURNS = 12
"""Questions to a brain that an investigation usually takes at most."""
TOKENS = 20_000
"""Of a question in the middle of one."""


def question_before(app: App, asked: Asked, runs: int = 1) -> str:
    """What to ask a person before it begins, "" where nobody need be asked. `runs`: so many of the kind.

    Raises:
        BrainMisconfigured: its brain cannot be made.
    """
    brains = app.brains
    wanted = asked.brain or brains.chosen(asked.principal, asked.role).choice.brains[0]
    brain = brains.named(wanted)
    if brain.provider == BUILT_IN or _stays(app, asked):
        return ""
    seller = Seller(brain.provider, brain.model, brain.local)
    taken = TOKENS + brain.count(Ask("", (Message("user", (Text(asked.question),)),)))
    estimate = app.ledger.estimate(taken, MAX_TOKENS, seller).times(min(TURNS, asked.budget.turns) * runs)
    most = Micros(round(asked.budget.usd * MILLION) * runs)
    if estimate.money is not None and estimate.money > most:
        estimate = type(estimate)(estimate.tokens, most)
    return app.ledger.confirmation(estimate)


def _stays(app: App, asked: Asked) -> bool:
    """Whether it is certain that no brain elsewhere will be asked."""
    known = places(app.settings.local_brains_only)
    return bool(known and asked.namespace and asked_of(known, asked.cluster or app.clusters.current, asked.namespace))
