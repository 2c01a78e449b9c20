"""Canonical JSON is RFC 8785's, by whichever way it is written."""

from __future__ import annotations

from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as some

from kubesteward_policies.digest import canonical_json

NUMBERS = some.integers(-(2**53) + 1, 2**53 - 1) | some.floats(allow_nan=False, allow_infinity=False)
LEAVES = some.none() | some.booleans() | NUMBERS | some.text(some.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = some.recursive(
    LEAVES,
    lambda inner: (
        some.lists(inner, max_size=4)
        | some.dictionaries(some.text(some.characters(exclude_categories=["Cs"]), max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_every_value_is_written_as_the_rfc_has_it(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("number", [0.0, -0.0, 1.0, 0.1, 1e-4, 9.9e-5, 1e-7, 1e16, 1e21, 2.0**53, 5e-324, 123456.789])
def test_numbers_at_the_edges_are_written_as_the_rfc_has_them(number: float) -> None:
    assert canonical_json({"n": number}) == rfc8785.dumps({"n": number})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, {1: "a"}, "\ud800", {"\ud800": 1}])
def test_what_is_not_json_has_no_bytes(value: Any) -> None:
    with pytest.raises(ValueError, match=r"cannot be part of a digest|surrogates"):
        canonical_json(value)
