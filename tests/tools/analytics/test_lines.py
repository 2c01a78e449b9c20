"""Lines through samples: exact where they are, unmoved by wild samples, and as unsure as they should be."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesteward_tools.analytics.lines import (
    effective,
    fit,
    least_squares,
    median,
    spaced,
    student,
    theil_sen,
    thinned,
)

START = 1795222800.0
Points = list[tuple[float, float]]

slopes = st.floats(-5, 5).filter(lambda value: abs(value) > 1e-3)
heights = st.floats(-1000, 1000)
noises = st.lists(st.floats(-3, 3), min_size=20, max_size=60)


def noisy(count: int, slope: float, likeness: float, seed: int) -> Points:
    """A line with noise of deviation 1 whose neighbours are that much alike."""
    chance = random.Random(seed)
    found, away = [], chance.gauss(0, 1)
    for number in range(count):
        found.append((START + 30 * number, 50 + slope * 30 * number + away))
        away = likeness * away + math.sqrt(1 - likeness**2) * chance.gauss(0, 1)
    return found


@given(slopes, heights, st.integers(3, 80), st.integers(1, 600))
def test_an_exact_line_is_found_again_by_both_methods(slope: float, height: float, count: int, step: int) -> None:
    points = [(START + step * number, height + slope * step * number) for number in range(count)]
    limit = height + slope * step * (count + 10)

    for line in (least_squares(points), theil_sen(points), fit(points)):
        assert line is not None
        assert line.slope == pytest.approx(slope, rel=1e-3, abs=1e-6)
        met = line.crossing(limit)
        assert met is not None
        assert met.at - START == pytest.approx(step * (count + 10), rel=1e-2)


@given(st.lists(st.integers(0, 59), min_size=1, max_size=14, unique=True), st.floats(100, 10_000))
def test_wild_samples_do_not_move_the_robust_line(where: list[int], size: float) -> None:
    points = [(START + 30.0 * number, 10 + 0.5 * number) for number in range(60)]
    wild = [(at, value + size) if number in where else (at, value) for number, (at, value) in enumerate(points)]
    robust, chosen = theil_sen(wild), fit(wild)

    assert robust is not None
    assert robust.slope == pytest.approx(0.5 / 30, rel=0.05)
    assert chosen is not None
    assert chosen.method == "Theil-Sen"


@given(noises, slopes, st.floats(0.01, 100), st.floats(-1000, 1000), st.floats(-1e6, 1e6))
def test_a_line_follows_when_its_samples_are_scaled_and_shifted(
    noise: list[float], slope: float, scale: float, up: float, later: float
) -> None:
    points = [(START + 60 * number, slope * number + away) for number, away in enumerate(noise)]
    moved = [(at + later, scale * value + up) for at, value in points]
    for make in (least_squares, theil_sen):
        first, second = make(points), make(moved)

        assert first is not None
        assert second is not None
        assert second.slope == pytest.approx(scale * first.slope, rel=1e-6, abs=1e-9 * scale)
        assert second.at(START + later) == pytest.approx(scale * first.at(START) + up, rel=1e-6, abs=1e-5)
        assert second.sigma == pytest.approx(scale * first.sigma, rel=1e-3, abs=1e-6 * (1 + abs(up) + scale))


@pytest.mark.parametrize("likeness", [0.0, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("make", [least_squares, theil_sen])
def test_intervals_hold_the_truth_at_about_their_rate_also_where_neighbours_are_alike(
    likeness: float, make: object
) -> None:
    slope, held, tries = 0.01, 0, 200
    for seed in range(tries):
        line = make(noisy(90, slope, likeness, seed))  # type: ignore[operator] # one of the two above
        low, high = line.slopes()
        held += low <= slope <= high

    assert 0.88 <= held / tries <= 1.0


def test_the_naive_interval_would_not_have_held_it() -> None:
    found = [least_squares(noisy(90, 0.01, 0.9, seed)) for seed in range(100)]
    naive = 0
    for line in found:
        assert line is not None
        error = line.sigma / math.sqrt(line.spread)
        naive += abs(line.slope - 0.01) <= 1.96 * error

    assert naive < 70


def test_the_time_of_the_limit_lies_in_its_interval_at_about_its_rate() -> None:
    slope, told, held = 0.01, 0, 0
    for seed in range(300):
        line = least_squares(noisy(120, slope, 0.4, seed))
        assert line is not None
        met = line.crossing(110.0)
        if met is not None:
            told += 1
            held += met.soonest <= START + 60 / slope <= met.latest

    assert told > 250
    assert held / told > 0.9


def test_noise_alone_is_hardly_ever_clear_and_a_clear_line_is() -> None:
    flat = [fit(noisy(120, 0.0, 0.3, seed)) for seed in range(200)]
    steep = [fit(noisy(120, 0.005, 0.3, seed)) for seed in range(50)]

    assert sum(line is not None and line.clear for line in flat) <= 2
    assert all(line is not None and line.clear for line in steep)


def test_a_line_without_a_clear_slope_meets_no_limit() -> None:
    line = least_squares(noisy(60, 0.0, 0.0, 4))

    assert line is not None
    assert line.crossing(1000.0) is None


def test_a_random_walk_is_worth_few_samples() -> None:
    chance, value, points = random.Random(1), 0.0, []
    for number in range(200):
        value += chance.gauss(0, 1)
        points.append((START + 30.0 * number, value))
    line = least_squares(points)

    assert line is not None
    assert line.independent < 20


@pytest.mark.parametrize("points", [[], [(START, 1.0)], [(START, 1.0), (START + 1, 2.0)], [(START, 1.0)] * 5])
def test_fewer_than_three_moments_make_no_line(points: Points) -> None:
    assert (least_squares(points), theil_sen(points), fit(points)) == (None, None, None)


@pytest.mark.parametrize(
    ("normal", "freedom", "quantile"), [(1.959964, 5, 2.571), (1.959964, 30, 2.042), (3.290527, 10, 4.587)]
)
def test_students_quantiles_are_those_of_the_tables(normal: float, freedom: float, quantile: float) -> None:
    assert student(normal, freedom) == pytest.approx(quantile, rel=0.01)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_effective_numbers_lie_between_one_and_all(residuals: list[float]) -> None:
    assert 1.0 <= effective(residuals) <= len(residuals)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_half_of_the_values_are_on_either_side_of_the_median(values: list[float]) -> None:
    middle = median(values)

    assert sum(value < middle for value in values) * 2 <= len(values)
    assert sum(value > middle for value in values) * 2 <= len(values)


def test_thinning_keeps_both_ends_and_spacing_weighs_time_and_not_samples() -> None:
    wide = [(START + 3600.0 * hour, float(hour)) for hour in range(100)]
    dense = [(START + 3600 * 99 + 10.0 * number, 99.0) for number in range(1, 500)]
    thin, even = thinned([*wide, *dense], 50), spaced([*wide, *dense], 50)

    assert (thin[0], thin[-1], len(thin)) == (wide[0], dense[-1], 50)
    assert len(even) <= 51
    assert sum(value > 98 for _, value in even) <= 2
    assert spaced(wide, 200) == wide
