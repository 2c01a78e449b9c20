"""What tokens cost: the maintained table of `genai-prices` as it is installed, and what the operator says instead.

The table is data of the package. It is never fetched: a price must not change under a budget, and a server without a
way to the Internet must count as one with it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Protocol

from kubesteward.reasoning.ledger.words import MILLION, Counted, Micros, Seller, Tokens
from kubesteward_tools.errors import InvalidArguments

FREE = frozenset({"builtin", "ollama"})
"""Providers that run on machines of one's own."""

_HOW = "Write model=INPUT/OUTPUT in dollars for a million tokens, as my-model=3/15, comma-separated."


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for a million tokens of each sort, as the operator set them. Cached input counts as input."""

    input: Decimal
    output: Decimal

    def of(self, counted: Counted) -> Decimal:
        """Dollars."""
        taken = counted.input + counted.cache_read + counted.cache_write
        return (self.input * taken + self.output * counted.output) / MILLION


class Table(Protocol):
    """Where prices are looked up: dollars for what was counted, None for a model that is not in it."""

    def __call__(self, counted: Counted, seller: Seller) -> Decimal | None: ...


def parse(text: str) -> Mapping[str, Price]:
    """Prices by model from `KUBESTEWARD_MODEL_PRICES`.

    Raises:
        InvalidArguments: a part of it is no price.
    """
    found = dict[str, Price]()
    for part in filter(None, (item.strip() for item in text.split(","))):
        model, _, price = part.rpartition("=")
        given, _, made = price.partition("/")
        if not model or not _is_price(given) or not _is_price(made):
            raise InvalidArguments(f"KUBESTEWARD_MODEL_PRICES: {part[:80]!r} is no price of a model.", todo=_HOW)
        found[model.strip().lower()] = Price(Decimal(given), Decimal(made))
    return found


def _is_price(text: str) -> bool:
    whole, _, rest = text.strip().partition(".")
    return f"{whole}{rest}".isascii() and whole.isdigit() and (not rest or rest.isdigit()) and len(text) < 20


def published(counted: Counted, seller: Seller) -> Decimal | None:
    """From the package's table. A provider that it does not know by this very name has no price, whatever its models
    are called: the table would take a gateway for the house whose models it sells.
    """
    from genai_prices import Usage, calc_price

    usage = Usage(
        input_tokens=counted.input + counted.cache_read + counted.cache_write,
        cache_read_tokens=counted.cache_read,
        cache_write_tokens=counted.cache_write,
        output_tokens=counted.output,
    )
    try:
        found = calc_price(usage, seller.model, provider_id=seller.provider)
    except (LookupError, ValueError):  # an unknown model; a sort of tokens that the model has no price for
        return None
    return found.total_price if found.provider.id == seller.provider else None


class Prices:
    """`own` go before the table's: a contract's price is the true one."""

    def __init__(self, own: Mapping[str, Price] | None = None, table: Table = published) -> None:
        self._own = own or {}
        self._table = table

    def load(self, seller: Seller) -> None:
        """Read the table now, where it is needed: to be called in a thread, for it takes some tenths of a second."""
        self.of(Tokens(input=1), seller)

    def of(self, counted: Counted, seller: Seller) -> Micros | None:
        """What it costs, rounded up; None where nobody knows. What is near and in no list is free: it is one's own. A
        provider that is in one is priced wherever it is reached, for a proxy on this machine passes its bills on.
        """
        price = self._own.get(seller.model.lower())
        if price is not None:
            found: Decimal | None = price.of(counted)
        else:
            found = Decimal(0) if seller.provider in FREE else self._table(counted, seller)
        if found is None:
            return Micros(0) if seller.local else None
        return Micros(int((found * MILLION).to_integral_value(ROUND_CEILING)))

    def most(self, taken: int, made: int, seller: Seller) -> Micros | None:
        """An upper bound for `taken` tokens of input and `made` of output: writing a cache may cost more than reading
        none. None where nobody knows.
        """
        plain = self.of(Tokens(input=taken, output=made), seller)
        written = self.of(Tokens(cache_write=taken, output=made), seller)
        known = [money for money in (plain, written) if money is not None]
        return max(known) if plain is not None else None
