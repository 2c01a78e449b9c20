"""Quantities are exact and keep their family of suffixes."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesteward_tools.twin import quantity


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100m", Fraction(1, 10)),
        ("1.5Gi", Fraction(3 * 1024**3, 2)),
        ("2e3", Fraction(2000)),
        ("1E", Fraction(10**18)),
        ("-.5", Fraction(-1, 2)),
        ("250n", Fraction(1, 4_000_000)),
        (0.1, Fraction(1, 10)),
        (3, Fraction(3)),
    ],
)
def test_a_quantity_is_read_exactly(text: object, expected: Fraction) -> None:
    assert quantity.parse(text) == expected


@pytest.mark.parametrize("text", ["", "Gi", "1 Gi", "1gb", "--1", "1Kii", "1m5", "٣"])
def test_what_is_no_quantity_is_refused_in_the_servers_words(text: str) -> None:
    with pytest.raises(ValueError, match="quantities must match the regular expression"):
        quantity.parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1000m", "1"), ("1024Mi", "1Gi"), ("1500m", "1500m"), ("1536Mi", "1536Mi"), ("2000", "2k"), ("0", "0")],
)
def test_the_canonical_form_is_the_one_the_server_serves(text: str, expected: str) -> None:
    assert quantity.canonical(text) == expected


@given(st.integers(min_value=0, max_value=10**15))
def test_thousandths_survive_writing_and_reading(thousandths: int) -> None:
    value = Fraction(thousandths, 1000)
    assert quantity.parse(quantity.format_decimal(value)) == value


@given(st.integers(min_value=0, max_value=2**60))
def test_bytes_survive_writing_and_reading(count: int) -> None:
    assert quantity.parse(quantity.format_binary(Fraction(count))) == count


@given(st.fractions(min_value=0, max_value=10**6, max_denominator=10**6))
def test_writing_never_rounds_down(value: Fraction) -> None:
    assert value <= quantity.parse(quantity.format_decimal(value)) < value + Fraction(1, 1000)
