"""A table says once what its rows have in common."""

from __future__ import annotations

from kubesteward_tools.text.table import compact


def test_the_usual_value_is_said_on_top_and_left_blank() -> None:
    rows = [["a", "Running", "n1"], ["b", "Running", "n2"], ["c", "Failed", "n3"], ["d", "", "n4"], ["e", "Running", 5]]

    assert compact(["name", "status", "node"], rows) == [
        "Unless shown: STATUS Running",
        "NAME  NODE  STATUS",
        "a     n1",
        "b     n2",
        "c     n3    Failed",
        "d     n4    -",
        "e     5",
    ]


def test_a_value_that_all_have_needs_no_column() -> None:
    assert compact(["name", "status"], [["a", "x"], ["b", "x"], ["c", "x"]]) == [
        "Unless shown: STATUS x",
        "NAME",
        "a",
        "b",
        "c",
    ]


def test_two_rows_have_nothing_in_common() -> None:
    assert compact(["name", "status"], [["a", "x"], ["b", "x"]]) == ["NAME  STATUS", "a     x", "b     x"]


def test_no_rows_are_no_lines() -> None:
    assert compact(["name"], []) == []
