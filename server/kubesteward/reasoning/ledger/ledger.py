"""Asked before every call to a brain and told after it: what it may cost, whether it may be made, what it did cost.

A call is begun and settled. Beginning is one transaction: either an answer that was paid before is there, or the most
that the call may cost is held against every budget, or it is refused. Settling is one transaction too: the usage and
the answer that was paid for are written down together, so that whoever is killed between two lines pays for nothing
twice. A call of which nothing is heard again stays held until midnight UTC, because somebody may have been paid for it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kubesteward.audit.actors import SYSTEM, actor
from kubesteward.reasoning.ledger import answers, rows
from kubesteward.reasoning.ledger.budgets import (
    Budgets,
    Standing,
    applying,
    midnight,
    subject_of,
    until_midnight,
)
from kubesteward.reasoning.ledger.prices import Prices
from kubesteward.reasoning.ledger.words import Counted, Micros, Payer, Seller, Tokens, dollars
from kubesteward_tools.errors import Refused

if TYPE_CHECKING:
    from sqlite3 import Connection

    from kubesteward.audit.log import AuditLog
    from kubesteward.store.store import Store

INPUT_ROOM = 1.25
"""Tokens of a question are counted before the provider does: room for what was counted too low."""


class BudgetExceeded(Refused):
    """The call could take more than a hard limit leaves. Nothing was sent."""

    code = "BUDGET_EXCEEDED"


class PriceUnknown(Refused):
    """There is a hard limit in money, and nobody knows what the model costs. Nothing was sent."""

    code = "PRICE_UNKNOWN"


@dataclass(frozen=True, slots=True)
class Estimate:
    """The most that something may use up; `money` is None where the price is unknown."""

    tokens: int
    money: Micros | None

    def times(self, calls: int) -> Estimate:
        return Estimate(self.tokens * calls, None if self.money is None else Micros(self.money * calls))

    @property
    def sentence(self) -> str:
        cost = "at an unknown price" if self.money is None else f"at most {dollars(self.money)}"
        return f"up to {self.tokens:,} tokens, {cost}"


@dataclass(frozen=True, slots=True)
class Known:
    """An answer that was paid for before: nothing is to be sent. `own` says that it is this investigation's."""

    body: Mapping[str, Any]
    own: bool


@dataclass(frozen=True, slots=True)
class Hold:
    """Leave to make one call, and what to say about it first: `warnings` are of soft limits."""

    id: str
    payer: Payer
    seller: Seller
    ask: str
    world: str
    estimate: Estimate
    warnings: tuple[str, ...] = field(default=())


class Ledger:
    """Of one store; every process on it has its own. `ask_above` is the estimate from which on a person is asked."""

    def __init__(
        self,
        store: Store,
        audit: AuditLog,
        prices: Prices,
        *,
        ask_above: int | None = None,
        limits: answers.Limits | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.budgets = Budgets(store, audit)
        self.prices = prices
        self._store = store
        self._audit = audit
        self._ask_above = ask_above
        self._limits = limits or answers.Limits()
        self._clock = clock

    def estimate(self, taken: int, made: int, seller: Seller) -> Estimate:
        """Of one call with `taken` tokens of input, as the brain counts them, and at most `made` of output."""
        roomy = int(taken * INPUT_ROOM + 0.5)
        return Estimate(roomy + made, self.prices.most(roomy, made, seller))

    def confirmation(self, estimate: Estimate) -> str:
        """The question to put to a person before a run that may cost so much; "" where nobody need be asked."""
        limit = self._ask_above
        if limit is None or (estimate.money is not None and estimate.money <= limit):
            return ""
        why = "the price of this model is not known" if estimate.money is None else f"that is above {dollars(limit)}"
        return f"This may use {estimate.sentence}; {why}. Go on?"

    def begin(
        self, payer: Payer, seller: Seller, ask: Mapping[str, Any], estimate: Estimate, world: str = ""
    ) -> Known | Hold:
        """Before anything is sent. `ask` is the whole question as JSON; `world` is the digest of what it is about, ""
        where that cannot be told: then no other question's answer stands for it.

        Raises:
            BudgetExceeded: a hard limit could be exceeded. PriceUnknown: nobody can tell whether one would be.
            StoreUnusable: nothing can be written down, and so nothing may be spent.
        """
        now, digest = self._clock(), answers.digest_of(ask)
        with self._store.transaction() as db:
            kept = answers.find(db, payer, seller, digest, world, now - self._limits.fresh)
            if kept is not None:
                rows.enter(db, now, payer, seller, Tokens(), 0, cached=True, saved=kept.money)
                return Known(kept.body, kept.own)
            rows.forget_before(db, midnight(now), now)
            name = secrets.token_hex(8)
            standings, refused = self._held(db, name, payer, seller, estimate, now)
        if refused is not None:
            raise _refusal(refused, seller, now)
        warnings = tuple(item.warning for item in standings if item.warning)
        return Hold(name, payer, seller, digest, world, estimate, warnings)

    def _held(  # noqa: PLR0917 - one hold
        self, db: Connection, name: str, payer: Payer, seller: Seller, estimate: Estimate, now: float
    ) -> tuple[list[Standing], Standing | None]:
        """Within a transaction: held, or refused and written down."""
        standings = self.standings(payer, estimate)
        refused = next((item for item in standings if item.exceeded), None)
        if refused is None:
            rows.hold(db, payer, rows.Held(name, now, estimate.tokens, estimate.money))
        else:
            self._note(refused, payer, seller)
        return standings, refused

    def standings(self, payer: Payer, estimate: Estimate) -> list[Standing]:
        """How a payer stands with every budget that is theirs, were a call of this estimate made now."""
        day, db, found = midnight(self._clock()), self._store.db, []
        for budget in applying(self.budgets.all(), payer):
            subject = subject_of(payer, budget.scope)
            used = rows.used(db, budget.scope, subject, budget.unit, day)
            held = rows.held(db, budget.scope, subject, budget.unit)
            asked = estimate.tokens if budget.unit == "tokens" else estimate.money
            found.append(Standing(budget, used, held, asked))
        return found

    def settle(
        self, hold: Hold, counted: Counted, answer: Mapping[str, Any] | None = None, *, reusable: bool = True
    ) -> Micros | None:
        """After the answer, with what the provider counted: what it cost, None where nobody knows. `answer` is kept
        for its investigation, and for the same question of others if it is `reusable`; None for one that was cut off,
        which is paid but answers nothing.

        Raises:
            StoreUnusable: it could not be written down; the most it may cost stays held.
        """
        now, money = self._clock(), self.prices.of(counted, hold.seller)
        with self._store.transaction() as db:
            rows.let_go(db, hold.id)
            usage = rows.enter(db, now, hold.payer, hold.seller, counted, money)
            if answer is not None:
                answers.keep(db, now, hold.payer, hold.ask, hold.world if reusable else "", usage, answer)
                answers.tidy(db, self._limits, now)
        return money

    def lost(self, hold: Hold, counted: Counted) -> Micros | None:
        """An attempt came to nothing and was paid all the same; another one is about to be made under the same hold.

        Raises:
            BudgetExceeded: there is no room for it any more; the hold is gone.
        """
        now, money = self._clock(), self.prices.of(counted, hold.seller)
        with self._store.transaction() as db:
            rows.enter(db, now, hold.payer, hold.seller, counted, money)
            rows.let_go(db, hold.id)
            refused = self._held(db, hold.id, hold.payer, hold.seller, hold.estimate, now)[1]
        if refused is not None:
            raise _refusal(refused, hold.seller, now)
        return money

    def release(self, hold: Hold) -> None:
        """The call was not made, or the provider refused it before it did anything: nothing was paid."""
        with self._store.transaction() as db:
            rows.let_go(db, hold.id)

    def _note(self, refused: Standing, payer: Payer, seller: Seller) -> None:
        budget = refused.budget
        self._audit.append(
            {
                "type": "budget_refused",
                "outcome": _code(refused),
                "principal": payer.principal,
                "actor": actor("system", SYSTEM),
                "session": payer.session,
                "correlation": payer.correlation,
                "investigation": payer.investigation,
                "feature": payer.feature,
                "provider": seller.provider,
                "model": seller.model,
                "budget": {"scope": budget.scope, "subject": budget.subject, "unit": budget.unit, "hard": budget.hard},
                "used": refused.used,
                "held": refused.held,
                "asked": refused.asked,
            }
        )


def _code(refused: Standing) -> str:
    return PriceUnknown.code if refused.asked is None else BudgetExceeded.code


def _refusal(refused: Standing, seller: Seller, now: float) -> Refused:
    budget = refused.budget
    hard = f"the hard limit of {refused.limit(budget.hard or 0)} a day for {budget.whose}"
    if refused.asked is None:
        why = f"nobody knows what {seller.model!r} of {seller.provider} costs, so that {hard} could not be held to."
        todo = "Set KUBESTEWARD_MODEL_PRICES, as my-model=3/15 in dollars for a million tokens; or use another model."
        return PriceUnknown(why, todo=todo)
    held = f", {refused.limit(refused.held)} are held for calls under way" if refused.held else ""
    why = f"{hard} leaves no room: {refused.spent} used{held}, and this call may take {refused.limit(refused.asked)}."
    todo = f"It resets at midnight UTC, in {until_midnight(now)}; `kubesteward budget set` changes it. Tools go on."
    return BudgetExceeded(why, todo=todo)
