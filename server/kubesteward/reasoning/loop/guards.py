"""Limits of an investigation, looked at before each question to a brain. Money of the day is the ledger's matter."""

from __future__ import annotations

from kubesteward.reasoning.loop.state import Investigation

CIRCLES = 6
"""Calls that were refused or made before, until it is plain that it goes in circles."""
MILLION = 1_000_000


class Enough(Exception):
    """The investigation ends here with what it has; the text says which limit was met."""


def check(state: Investigation, asked: int, most: int | None) -> None:
    """`asked` are the tokens of the question that is about to be put, `most` millionths of a dollar that it may cost,
    None where nobody knows.

    Raises:
        Enough: a limit is met.
    """
    budget, spent = state.budget, state.spent
    if spent.turns >= budget.turns:
        raise Enough(f"its {budget.turns} turns are used up")
    if spent.seconds >= budget.seconds:
        raise Enough(f"its {budget.seconds:g} seconds are over")
    if spent.total + asked > budget.tokens:
        raise Enough(f"its {budget.tokens:,} tokens would be exceeded")
    if (spent.money or 0) + (most or 0) > budget.usd * MILLION:
        more = f"the next question may take ${(most or 0) / MILLION:.4f}, and the built-in brain takes none"
        raise Enough(f"its ${budget.usd:g} would be exceeded: {more}")
    if state.repeated >= CIRCLES:
        raise Enough(f"it goes in circles: {state.repeated} calls were refused or had been made before")


def is_last(state: Investigation) -> bool:
    """Whether no further turn is left after the next one."""
    return state.spent.turns + 1 >= state.budget.turns or state.repeated >= CIRCLES - 1
