"""A ledger over a real store, with prices that are easy to add up and a clock that stands still."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from kubesteward.audit.log import AuditLog
from kubesteward.reasoning.ledger.budgets import Budget
from kubesteward.reasoning.ledger.ledger import Estimate, Hold, Known, Ledger
from kubesteward.reasoning.ledger.prices import Price, Prices
from kubesteward.reasoning.ledger.words import Micros, Payer, Seller
from kubesteward.store.store import Store

ALICE = Payer("local:alice", "s-1", "chat", "inv-1", "c0ffee")
BOB = Payer("local:bob", "s-2", "solver")
MODEL = Seller("acme", "thinker")
ODD = Seller("acme", "nobody-knows")


@dataclass
class Clock:
    now: float = 1_795_262_400.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Purse:
    """One process's way to a store. A token of `thinker` costs a millionth of a dollar, whatever its sort."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store = Store.open(self.folder)
        self.audit = AuditLog(self.store)
        prices = Prices({"thinker": Price(Decimal(1), Decimal(1))}, table=lambda *_: None)
        self.ledger = Ledger(self.store, self.audit, prices, clock=self.clock, **self.options)

    def limit(self, budget: Budget) -> None:
        self.ledger.budgets.put(budget, "local:root", self.clock.now)

    def begin(
        self, what: str, tokens: int, payer: Payer = ALICE, seller: Seller = MODEL, world: str = ""
    ) -> Known | Hold:
        money = None if seller is ODD else Micros(tokens)
        return self.ledger.begin(payer, seller, {"prompt": what}, Estimate(tokens, money), world)

    def hold(self, what: str, tokens: int, payer: Payer = ALICE, seller: Seller = MODEL, world: str = "") -> Hold:
        found = self.begin(what, tokens, payer, seller, world)
        assert isinstance(found, Hold)
        return found

    def sum(self, query: str) -> Any:
        return self.store.db.execute(query).fetchone()[0]

    def records(self, kind: str) -> list[Any]:
        import json

        rows = self.store.db.execute("SELECT record FROM audit ORDER BY seq")
        return [found for row in rows if (found := json.loads(row[0]))["type"] == kind]
