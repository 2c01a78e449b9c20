"""Budgets, tables, cursors and ages: what makes answers short and lets them go on."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.text import ages, budget, cursor
from kubesteward_tools.text.table import table

JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5)


@given(st.text(max_size=600), st.integers(min_value=0, max_value=500))
def test_a_capped_text_is_never_longer_than_its_limit(text: str, limit: int) -> None:
    assert len(budget.cap(text, limit)) <= limit


@given(st.text(max_size=200))
def test_a_text_within_its_limit_is_left_alone(text: str) -> None:
    assert budget.cap(text, 200) == text


def test_the_cut_keeps_whole_lines_of_both_ends_and_says_what_is_missing() -> None:
    lines = [f"line {n:03}" for n in range(100)]
    head, notice, tail = budget.cap("\n".join(lines), 400).partition("[... ")[0], "left out here", lines[-1]
    capped = budget.cap("\n".join(lines), 400)
    assert head.splitlines() == lines[: len(head.splitlines())]
    assert notice in capped
    assert "narrow the question" in capped
    assert capped.endswith(tail)


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.recursive(JSON, lambda some: st.dictionaries(st.text(max_size=3), some, max_size=3), max_leaves=6),
        max_size=4,
    )
)
def test_data_within_its_limit_is_left_alone(data: dict[str, object]) -> None:
    assert budget.fit(data, 100_000) == data


@pytest.mark.parametrize(
    "much",
    ["x" * 500_000, ["x" * 50] * 9000, {f"k{n}": "v" for n in range(50_000)}, [{"a": ["x" * 900] * 90}] * 90],
    ids=["text", "list", "mapping", "deep"],
)
def test_data_beyond_its_limit_keeps_its_shape_and_says_that_it_was_cut(much: object) -> None:
    found = budget.fit({"id": "act-1", "ok": True, "much": much}, 60_000)

    assert len(json.dumps(found)) <= 60_000
    assert (found["id"], found["ok"], found["left_out"]) == ("act-1", True, budget.LEFT_OUT)
    assert type(found["much"]) is type(much)
    assert found["much"]


def test_data_with_too_many_names_on_top_keeps_its_numbers() -> None:
    found = budget.fit({"n": 3} | {f"k{n}": "some words" for n in range(9000)}, 60_000)

    assert found == {"n": 3, "left_out": budget.LEFT_OUT}


def test_a_table_is_aligned_without_trailing_blanks() -> None:
    rows = [["cart", 3, None], ["a-longer-name", 12, "two\nlines"]]
    assert table(["name", "pods", "note"], rows) == (
        "NAME           PODS  NOTE\ncart           3\na-longer-name  12    two lines"
    )


def test_a_table_without_rows_is_its_headers() -> None:
    assert table(["name", "age"], []) == "NAME  AGE"


@given(st.dictionaries(st.text(), JSON))
def test_a_cursor_brings_back_its_position(position: dict[str, object]) -> None:
    assert cursor.decode(cursor.encode(position)) == position


@pytest.mark.parametrize("text", ["", "%%%", "abc", "WzFd", "é", "bm90IGpzb24"])
def test_a_malformed_cursor_is_an_invalid_argument(text: str) -> None:
    with pytest.raises(InvalidArguments, match="cursor"):
        cursor.decode(text)


@pytest.mark.parametrize(
    ("seconds", "expected"), [(-3, "0s"), (45, "45s"), (60, "1m"), (359, "5m"), (10800, "3h"), (2 * 86400 + 5, "2d")]
)
def test_an_age_is_told_in_its_largest_unit(seconds: float, expected: str) -> None:
    assert ages.ago(seconds) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("90s", 90), ("15m", 900), ("2h", 7200), ("1d", 86400), ("1h30m", 5400)]
)
def test_a_span_is_read_in_seconds(text: str, expected: float) -> None:
    assert ages.seconds(text) == expected


@pytest.mark.parametrize("text", ["", "15", "m", "-5m", "5 m", "1w", "nan"])
def test_a_span_without_unit_or_sense_is_an_invalid_argument(text: str) -> None:
    with pytest.raises(InvalidArguments, match="span of time"):
        ages.seconds(text)
