"""Budgets: who may use up how much a day. Rules are pure; the operator's rows are read and written here.

A budget is for one session, user or feature by name, or for each one of them (`*`); one by name goes before the one for
each. The day is that of UTC: at midnight everything begins anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from kubesteward.audit.actors import actor
from kubesteward.audit.log import AuditLog
from kubesteward.reasoning.ledger.words import FEATURES, Payer, dollars
from kubesteward.store.store import Store
from kubesteward_tools.errors import InvalidArguments

Scope = Literal["session", "user", "feature"]
Unit = Literal["usd", "tokens"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
UNITS: tuple[Unit, ...] = get_args(Unit)

EACH = "*"
DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Budget:
    """`soft` warns, `hard` refuses; millionths of a dollar or tokens. None: no such limit."""

    scope: Scope
    subject: str
    unit: Unit
    soft: int | None = None
    hard: int | None = None

    @property
    def whose(self) -> str:
        return f"each {self.scope}" if self.subject == EACH else f"{self.scope} {self.subject}"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a payer stands with a budget: used up today, held by calls that are under way, and the most of a new one.

    `asked` is None where the call's price is unknown.
    """

    budget: Budget
    used: int
    held: int
    asked: int | None

    @property
    def exceeded(self) -> bool:
        """Whether the call may not be made: it could go beyond the limit, or nobody can tell."""
        hard = self.budget.hard
        return hard is not None and (self.asked is None or self.used + self.held + self.asked > hard)

    @property
    def warning(self) -> str:
        """A sentence once the soft limit is reached, else nothing."""
        soft = self.budget.soft
        if soft is None or self.used + self.held + (self.asked or 0) <= soft:
            return ""
        return f"the soft limit of {self.limit(soft)} a day for {self.budget.whose} is reached"

    @property
    def spent(self) -> str:
        return self.limit(self.used)

    def limit(self, amount: int) -> str:
        return amount_of(amount, self.budget.unit)


def amount_of(amount: int | None, unit: Unit) -> str:
    if amount is None:
        return "-"
    return dollars(amount) if unit == "usd" else f"{amount:,} tokens"


def subject_of(payer: Payer, scope: Scope) -> str:
    return {"session": payer.session, "user": payer.principal, "feature": payer.feature}[scope]


def applying(budgets: Iterable[Budget], payer: Payer) -> list[Budget]:
    """At most one for each scope and unit: by name before the one for each."""
    found = dict[tuple[Scope, Unit], Budget]()
    for budget in budgets:
        by_name = budget.subject == subject_of(payer, budget.scope)
        if by_name or (budget.subject == EACH and (budget.scope, budget.unit) not in found):
            found[budget.scope, budget.unit] = budget
    return [found[key] for key in sorted(found)]


def midnight(now: float) -> float:
    """Epoch seconds at which the day of UTC began."""
    return now - now % DAY


def until_midnight(now: float) -> str:
    """`3 h 12 min`."""
    minutes = int((midnight(now) + DAY - now + 59) // 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


class Budgets:
    """The operator's rows. Every process on a store holds to the same ones from the moment they are written."""

    def __init__(self, store: Store, audit: AuditLog) -> None:
        self._store = store
        self._audit = audit

    def all(self) -> list[Budget]:
        rows = self._store.db.execute("SELECT scope, subject, unit, soft, hard FROM budgets ORDER BY scope, subject")
        return [Budget(*row) for row in rows]

    def put(self, budget: Budget, by: str, now: float) -> None:
        """Raises InvalidArguments: it limits nothing, or its soft limit lies above the hard one."""
        _check(budget)
        with self._store.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO budgets VALUES (?, ?, ?, ?, ?, ?, ?)",
                (budget.scope, budget.subject, budget.unit, budget.soft, budget.hard, by, now),
            )
            self._note("budget_set", by, asdict(budget))

    def remove(self, scope: Scope, subject: str, unit: Unit | None, by: str) -> int:
        """How many there were: of one unit, or of both."""
        with self._store.transaction() as db:
            where, units = "scope = ? AND subject = ? AND unit IN (?, ?)", (unit, unit) if unit else UNITS
            found = db.execute(f"DELETE FROM budgets WHERE {where}", (scope, subject, *units)).rowcount  # noqa: S608 - constants
            self._note("budget_cleared", by, {"scope": scope, "subject": subject, "unit": unit or "", "count": found})
        return found

    def _note(self, kind: str, by: str, budget: Mapping[str, object]) -> None:
        self._audit.append({"type": kind, "principal": by, "actor": actor("human", by), "budget": dict(budget)})


def _check(budget: Budget) -> None:
    if budget.soft is None and budget.hard is None:
        raise InvalidArguments("a budget needs a soft or a hard limit.", todo="Give --soft, --hard or both.")
    if budget.soft is not None and budget.hard is not None and budget.soft > budget.hard:
        raise InvalidArguments("the soft limit lies above the hard one, so that it would never warn.")
    if budget.scope == "feature" and budget.subject not in (*FEATURES, EACH):
        raise InvalidArguments(f"there is no feature {budget.subject!r}.", todo=f"There are: {', '.join(FEATURES)}.")
