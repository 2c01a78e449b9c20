"""The ledger's words: who pays, whom, for how many tokens, in which unit of money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NewType, Protocol, get_args

Micros = NewType("Micros", int)
"""Millionths of a US dollar: integers, so that sums of many small calls are exact."""

MILLION = 1_000_000

Feature = Literal["scanner", "solver", "chat"]
FEATURES: tuple[Feature, ...] = get_args(Feature)


class Counted(Protocol):
    """What a provider counted, as a brain's `Usage` tells it. Each sort apart: `input` is what was neither read from
    the provider's cache nor written to it. `reasoning` is part of `output`.
    """

    @property
    def input(self) -> int: ...
    @property
    def output(self) -> int: ...
    @property
    def cache_read(self) -> int: ...
    @property
    def cache_write(self) -> int: ...
    @property
    def reasoning(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Tokens:
    """A `Counted` of our own, for estimates and sums."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0


def total(counted: Counted) -> int:
    """What counts against a budget in tokens."""
    return counted.input + counted.output + counted.cache_read + counted.cache_write


@dataclass(frozen=True, slots=True)
class Payer:
    """On whose behalf a brain is asked. `correlation` is the tool call that led to it, "" for background work."""

    principal: str
    session: str
    feature: Feature
    investigation: str = ""
    correlation: str = ""


@dataclass(frozen=True, slots=True)
class Seller:
    """Who answers, by the names that prices go by. `local`: nothing leaves the premises."""

    provider: str
    model: str
    local: bool = False


def dollars(money: int | None) -> str:
    """For people: `$1.50`, `$0.0042`, `unknown`."""
    if money is None:
        return "unknown"
    digits = 2 if money % 10_000 == 0 or money >= 100 * MILLION else 4
    text = f"${money / MILLION:.{digits}f}"
    return "<$0.0001" if 0 < money < 100 else text
