"""What tokens cost, by the installed table and by what the operator says."""

from __future__ import annotations

import socket
from decimal import Decimal

import pytest

from kubesteward.reasoning.ledger.prices import Price, Prices, parse
from kubesteward.reasoning.ledger.words import Seller, Tokens, dollars
from kubesteward.settings import Settings
from kubesteward_tools.errors import InvalidArguments

SONNET = Seller("anthropic", "claude-sonnet-4-5")
ONE = Tokens(input=1_000_000)


def test_the_table_knows_each_sort_of_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", None)  # whoever fetched prices would fail here
    prices = Prices()
    plain, read, written, made = (
        prices.of(tokens, SONNET)
        for tokens in (
            Tokens(input=1000),
            Tokens(cache_read=1000),
            Tokens(cache_write=1000),
            Tokens(output=1000, reasoning=900),
        )
    )

    assert (plain, read, written, made) == (3000, 300, 3750, 15000)


def test_the_most_a_call_may_cost_minds_that_writing_a_cache_costs_more() -> None:
    assert Prices().most(1000, 100, SONNET) == 3750 + 1500


def test_what_runs_at_home_is_free() -> None:
    prices = Prices()

    assert prices.of(ONE, Seller("builtin", "rules")) == 0
    assert prices.of(ONE, Seller("ollama", "qwen3")) == 0
    assert prices.of(ONE, Seller("openai-compatible", "anything", local=True)) == 0
    assert prices.most(5, 5, Seller("openai-compatible", "anything", local=True)) == 0


def test_a_proxy_at_home_passes_its_bills_on() -> None:
    near = Seller("anthropic", "claude-sonnet-4-5", local=True)

    assert Prices().of(Tokens(input=1000), near) == 3_000
    assert Prices(parse("qwen3=1/1")).of(ONE, Seller("ollama", "qwen3", local=True)) == 1_000_000


@pytest.mark.parametrize(
    "seller",
    [
        Seller("anthropic", "claude-of-next-year"),
        Seller("openai-compatible", "gpt-5"),
        Seller("somebody", "claude-sonnet-4-5"),
    ],
)
def test_what_is_not_in_the_table_has_no_price(seller: Seller) -> None:
    assert Prices().of(ONE, seller) is None
    assert Prices().most(10, 10, seller) is None


def test_what_the_operator_says_goes_before_the_table() -> None:
    prices = Prices(parse("Claude-Sonnet-4-5=1/2.5, mine=0.5/1"))

    assert prices.of(Tokens(input=1_000_000, output=1_000_000), SONNET) == 3_500_000
    assert prices.of(ONE, Seller("openai-compatible", "mine")) == 500_000


def test_part_of_a_millionth_counts_as_a_whole() -> None:
    assert Prices({"m": Price(Decimal("0.1"), Decimal(0))}).of(Tokens(input=1), Seller("acme", "m")) == 1


@pytest.mark.parametrize("text", ["mine", "mine=3", "mine=-1/2", "mine=nan/1", "=1/2", "mine=1e9/1", "mine=1/2/3"])
def test_what_is_no_price_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(InvalidArguments, match=r"^KUBESTEWARD_MODEL_PRICES: .* is no price"):
        Settings.load({"KUBESTEWARD_MODEL_PRICES": text})


@pytest.mark.parametrize(
    ("money", "shown"), [(None, "unknown"), (0, "$0.00"), (5, "<$0.0001"), (4_200, "$0.0042"), (1_500_000, "$1.50")]
)
def test_money_is_shown_as_people_read_it(money: int | None, shown: str) -> None:
    assert dollars(money) == shown
