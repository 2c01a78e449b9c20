"""A course in one line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesteward_tools.text.sparkline import BLOCKS, PLAIN, encodes, sparkline


@pytest.mark.parametrize(("plain", "drawn"), [(False, "▁▂▃▄▅▆▇█"), (True, "_.-~=+*#")])
def test_what_rises_is_drawn_rising(plain: bool, drawn: str) -> None:
    points = [(float(number), float(number)) for number in range(8)]

    assert sparkline(points, plain=plain) == drawn


def test_what_stays_is_drawn_flat_and_a_gap_as_a_gap() -> None:
    flat = [(float(number), 3.0) for number in range(100)]
    gap = [point for point in flat if not 20 < point[0] < 80]

    assert sparkline(flat, 10) == "▁" * 10
    assert sparkline(gap, 10) == "▁▁▁     ▁▁"
    assert (sparkline([]), sparkline(flat, 0)) == ("", "")


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(-1e9, 1e9)), max_size=200), st.integers(1, 40), st.booleans())
def test_it_never_gets_wider_than_asked(points: list[tuple[float, float]], width: int, plain: bool) -> None:
    drawn = sparkline(sorted(points), width, plain=plain)

    assert len(drawn) <= width
    assert set(drawn) <= {*(PLAIN if plain else BLOCKS), " "}


@pytest.mark.parametrize(("encoding", "can"), [("utf-8", True), ("ascii", False), (None, False), ("nonsense", False)])
def test_terminals_without_blocks_are_known(encoding: str | None, can: bool) -> None:
    assert encodes(encoding) == can
