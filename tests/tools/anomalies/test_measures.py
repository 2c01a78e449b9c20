"""When a number is unlike the others: the same in every unit, never in what is constant."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from kubesteward_tools.anomalies.anomaly import scored
from kubesteward_tools.anomalies.measures import FEWEST, SIGMAS, deviation, unlike
from kubesteward_tools.anomalies.steps import losses, reversals
from kubesteward_tools.world.metrics.baselines import Moments

LEVELS = st.floats(0.01, 1e9)
VALUES = st.lists(st.floats(0.0, 1e6).map(lambda value: round(value, 3)), min_size=FEWEST, max_size=40)


@given(LEVELS, st.integers(FEWEST, 50))
def test_in_a_constant_series_nothing_is_odd(level: float, many: int) -> None:
    assert unlike([level] * many) == []


@given(VALUES, st.sampled_from([0.001, 0.25, 4.0, 1024.0, 2.0**20]))
def test_the_unit_makes_no_difference(values: list[float], by: float) -> None:
    plain, scaled = unlike(values), unlike([value * by for value in values])

    assert [odd.place for odd in plain] == [odd.place for odd in scaled]
    assert all(math.isclose(a.distance, b.distance, rel_tol=1e-6) for a, b in zip(plain, scaled, strict=True))


@given(VALUES, st.randoms())
def test_the_order_makes_no_difference(values: list[float], dice: object) -> None:
    mixed = values.copy()
    dice.shuffle(mixed)  # type: ignore[attr-defined] # hypothesis' stand-in for random.Random

    assert sorted(odd.value for odd in unlike(values)) == sorted(odd.value for odd in unlike(mixed))


@given(VALUES)
def test_never_more_than_a_quarter_is_odd(values: list[float]) -> None:
    assert len(unlike(values)) * 4 <= len(values)


def test_one_that_uses_six_times_as_much_is_odd_and_two_kinds_of_siblings_are_none() -> None:
    assert [odd.place for odd in unlike([1.0, 1.1, 0.9, 6.0, 1.05, 0.95])] == [3]
    assert unlike([1.0, 1.1, 0.9, 6.0, 6.1, 5.9]) == []
    assert unlike([0.001, 0.001, 0.001, 0.006, 0.001], floor=0.05) == []
    assert unlike([1.0, 6.0, 1.0, 1.0]) == []


@given(LEVELS, st.integers(2, 500))
def test_what_is_as_ever_is_not_strange(level: float, count: int) -> None:
    usual = Moments()
    for _ in range(min(count, 60)):
        usual = usual.plus(level)

    assert deviation(level, usual, 0.0) == 0.0


@given(st.floats(0.5, 100), st.floats(0.1, 0.5), st.floats(0.0, 20), st.sampled_from([0.001, 64.0, 2.0**20]))
def test_deviations_have_no_unit_either(mean: float, part: float, away: float, by: float) -> None:
    spread = mean * part
    plain = deviation(mean + away * spread, Moments(100, mean, 99 * spread**2), 0.0)
    scaled = deviation((mean + away * spread) * by, Moments(100, mean * by, 99 * (spread * by) ** 2), 0.0)

    assert math.isclose(plain, scaled, rel_tol=1e-6, abs_tol=1e-6) or math.isclose(away, SIGMAS, rel_tol=1e-6)


def test_three_deviations_and_a_floor_have_to_be_passed() -> None:
    usual = Moments(100, 1.0, 99 * 0.1**2)

    assert deviation(1.25, usual, 0.05) == 0.0
    assert round(deviation(1.5, usual, 0.05)) == 5
    assert round(deviation(0.5, usual, 0.05)) == -5
    assert deviation(1.5, usual, 0.6) == 0.0


def test_losses_are_steps_from_ready_to_not_ready() -> None:
    states = [(0.0, True), (1.0, False), (2.0, False), (3.0, None), (4.0, True), (5.0, False)]

    assert losses(states) == [1.0, 5.0]
    assert losses([]) == []


@given(st.lists(st.floats(0, 100), max_size=20))
def test_what_only_grows_never_turns(values: list[float]) -> None:
    assert reversals(sorted(values)) == 0


def test_turns_are_counted_over_plateaus() -> None:
    assert reversals([3, 6, 6, 3, 3, 6, 2]) == 3


@given(st.floats(0, 1e6), st.integers(50, 100))
def test_scores_stay_between_the_threshold_and_the_most(times: float, most: int) -> None:
    assert 50.0 <= scored(times, most) <= most
    assert scored(1.0, most) == 50.0
