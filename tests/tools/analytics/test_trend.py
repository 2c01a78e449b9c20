"""What is a trend and what only looks like one: noise, days, saw-teeth, wild samples, too few of them."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Callable

import pytest

from kubesteward_tools.analytics.resets import resets
from kubesteward_tools.analytics.seasons import without_days
from kubesteward_tools.analytics.trend import DAY, HOUR, REACH, WEEK, Trend, trend

START = 1795219200.0
"""Midnight, UTC."""
Points = list[tuple[float, float]]


def course(value: Callable[[float], float], span: float, step: float, noise: float = 0.0, seed: int = 1) -> Points:
    """Of seconds from the start to a value."""
    chance = random.Random(seed)
    return [(START + at, value(at) + chance.gauss(0, noise)) for at in (step * n for n in range(int(span / step) + 1))]


def daily(at: float) -> float:
    """High at noon, low at midnight."""
    return 100 - 40 * math.cos(at / DAY * 2 * math.pi)


def left(found: Trend, points: Points) -> float:
    assert found.crossing is not None
    return found.crossing.at - points[-1][0]


def test_a_leak_is_followed_to_its_limit_within_an_interval() -> None:
    points = course(lambda at: 100 + at / 60, HOUR, 30, noise=2)
    found = trend(points, 400, DAY)

    assert found.verdict == "exhausting"
    assert left(found, points) == pytest.approx(4 * HOUR, rel=0.1)
    assert found.crossing is not None
    assert found.crossing.soonest < found.crossing.at < found.crossing.latest
    assert (found.points, found.span) == (121, HOUR)
    assert found.slope == pytest.approx(60, rel=0.1)
    assert "only 60 min are known" in found.notes[-1]


@pytest.mark.parametrize("precision", ["d", "f"])
@pytest.mark.parametrize("late", [number * 2311.7 for number in range(12)])
def test_a_course_without_noise_is_not_ended_by_the_errors_of_computing(late: float, precision: str) -> None:
    first, step = 1794686434.349 + late, 604770 / 337
    values = array(precision, [(32 + step * number / 3600) * 2.0**20 for number in range(338)])
    course = [(first + step * number, value) for number, value in enumerate(values)]

    assert trend(course, 256 * 2.0**20, WEEK).verdict == "exhausting"


def test_beyond_the_horizon_it_only_grows() -> None:
    points = course(lambda at: 100 + at / 60, HOUR, 30, noise=2)

    assert trend(points, 400, HOUR).verdict == "growing"
    assert trend(points, None, HOUR).verdict == "growing"


def test_nobody_looks_further_ahead_than_the_samples_reach() -> None:
    points = course(lambda at: 100 + at / 600, HOUR, 30)
    found = trend(points, 100 + 40 * HOUR / 600, WEEK)

    assert REACH == 24
    assert (found.verdict, found.crossing) == ("growing", None)
    assert "further off than 60 min of samples can tell (24 h)" in found.notes[-1]


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_no_trend(seed: int) -> None:
    assert trend(course(lambda _: 100, HOUR, 30, noise=5, seed=seed), 130, WEEK).verdict == "steady"


def test_what_falls_is_not_exhausted() -> None:
    assert trend(course(lambda at: 500 - at / 60, HOUR, 30, noise=1), 600, WEEK).verdict == "falling"


def test_at_its_limit_it_is_full_but_not_by_one_wild_sample() -> None:
    flat = course(lambda _: 99.0, HOUR, 30)
    wild = [*flat[:-1], (flat[-1][0], 200.0)]

    assert trend(course(lambda _: 100.0, HOUR, 30), 100, DAY).verdict == "full"
    assert trend(wild, 100, DAY).verdict != "full"


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ([], "not a single sample"),
        (course(lambda at: at, 60, 30), "3 samples over 1 min are too few for a line"),
        (course(lambda at: at, 200, 10), "21 samples over 3 min are too few for a line"),
    ],
)
def test_too_little_is_said_to_be_too_little(points: Points, words: str) -> None:
    found = trend(points, 10_000, WEEK)

    assert (found.verdict, found.crossing) == ("unknown", None)
    assert words in found.notes[0]


def test_wild_samples_do_not_hide_a_leak_or_make_one() -> None:
    leak = course(lambda at: 100 + at / 60, HOUR, 30, noise=1)
    peaks = [(at, value + (300 if number % 13 == 5 else 0)) for number, (at, value) in enumerate(leak)]
    flat = course(lambda _: 100, HOUR, 30, noise=1)
    late = [(at, value + (300 if number in {110, 115} else 0)) for number, (at, value) in enumerate(flat)]

    assert trend(peaks, 1000, DAY).verdict == "exhausting"
    assert left(trend(peaks, 1000, DAY), peaks) == pytest.approx(14 * HOUR, rel=0.1)
    assert trend(late, 1000, DAY).verdict == "steady"


@pytest.mark.parametrize("hour", [6, 9, 11, 15, 20, 23])
def test_what_a_load_does_every_day_is_not_read_as_a_leak(hour: int) -> None:
    points = course(daily, 3 * DAY + hour * HOUR, 300, noise=2)
    found = trend(points, 160, WEEK)

    assert found.verdict in {"recurring", "steady", "falling"}
    assert found.crossing is None


def test_a_leak_under_a_daily_load_is_found() -> None:
    points = course(lambda at: daily(at) + at / HOUR, 5 * DAY, 900, noise=2)
    found = trend(points, 400, 14 * DAY)

    assert found.verdict == "exhausting"
    assert found.slope == pytest.approx(1.0, rel=0.1)
    assert "its daily course is taken out" in found.notes


def test_a_leak_that_has_just_begun_is_told_from_what_was_there_before() -> None:
    quiet = course(lambda _: 100, 6 * DAY, 900, noise=2)
    begun = quiet[-1][0]
    leak = [(begun + 30 * n, 100 + n * 1.5 + (n % 3)) for n in range(1, 121)]
    found = trend([*quiet, *leak], 1000, DAY)

    assert found.verdict == "exhausting"
    assert any(note.startswith("new: ") for note in found.notes)


def test_growth_that_has_ended_is_not_followed() -> None:
    points = course(lambda at: 100 + min(at, 20 * HOUR) / 360, DAY, 120, noise=1)
    found = trend(points, 400, WEEK)

    assert found.verdict == "steady"
    assert "the growth of a longer window has ended" in found.notes


def test_after_a_restart_the_fit_begins_again() -> None:
    points = course(lambda at: 100 + (at if at < 2000 else at - 2000) / 10, HOUR, 30, noise=1)
    found = trend(points, 1000, DAY)

    assert found.verdict == "exhausting"
    assert found.line is not None
    assert found.line.first == START + 2010
    assert found.notes[0] == "fell back once: fitted since the last time"


def test_a_saw_tooth_that_falls_back_in_time_is_recurring() -> None:
    points = course(lambda at: 100 + at % 600 / 6, HOUR, 15, noise=2)
    found = trend(points, 400, WEEK)

    assert (found.verdict, found.crossing) == ("recurring", None)
    assert found.notes[0] == "a saw-tooth: fell back 6 times, about every 10 min"


def test_teeth_that_end_at_the_limit_are_told() -> None:
    points = course(lambda at: 100 + at % 1000 / 1000 * 295, HOUR, 15, noise=2)
    found = trend(points, 400, WEEK)

    assert found.verdict == "exhausting"
    assert "each tooth ends at the limit" in found.notes


def test_a_saw_tooth_whose_floors_rise_is_a_leak() -> None:
    points = course(lambda at: 100 + at / 20 + at % 600 / 4, 2 * HOUR, 15, noise=1)
    found = trend(points, 1000, DAY)

    assert found.verdict == "exhausting"
    assert "whose floors rise" in found.notes[0]


def test_a_single_low_sample_is_no_reset() -> None:
    points = course(lambda at: 100 + at / 60, HOUR, 30)
    dropped = [(at, 1.0 if number == 60 else value) for number, (at, value) in enumerate(points)]

    assert resets(dropped) == []
    assert resets(points[:3]) == []


def test_two_days_are_needed_to_know_a_daily_course() -> None:
    assert without_days(course(daily, 1.5 * DAY, 600)) is None
    assert without_days(course(lambda _: 1.0, 4 * DAY, 600, noise=1)) is None
    assert without_days(course(daily, 3 * DAY, 600)) is not None


@pytest.mark.parametrize("scale", [1e-3, 1.0, 2.0**30])
def test_units_make_no_difference(scale: float) -> None:
    points = [(at, value * scale) for at, value in course(lambda at: 100 + at / 60, HOUR, 30, noise=2)]
    found = trend(points, 400 * scale, DAY)

    assert found.verdict == "exhausting"
    assert left(found, points) == pytest.approx(4 * HOUR, rel=0.1)


@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_growth_that_began_within_the_hour_is_not_called_steady(noise: float) -> None:
    points = course(lambda at: 100 + max(0.0, at - HOUR / 2) / 30, HOUR, 30, noise=noise)
    found = trend(points, 400, DAY)

    assert found.verdict == "exhausting"
    assert left(found, points) == pytest.approx(2 * HOUR, rel=0.15)
    assert any(note.startswith("new: the 60 min before") for note in found.notes)


@pytest.mark.parametrize("settles", [400.0, 900.0, 1500.0])
@pytest.mark.parametrize("seed", range(4))
def test_a_start_that_levels_off_is_no_growth(settles: float, seed: int) -> None:
    points = course(lambda at: 250 * (1 - math.exp(-at / settles)), HOUR, 30, noise=2, seed=seed)

    assert trend(points, 400, DAY).verdict == "steady"


@pytest.mark.parametrize("seed", range(4))
def test_the_daily_peak_and_not_the_daily_mean_meets_the_limit(seed: int) -> None:
    points = course(lambda at: daily(at) + at / HOUR, 5 * DAY, 900, noise=2, seed=seed)
    found = trend(points, 300, 14 * DAY)

    assert found.crossing is not None
    assert found.crossing.at - START == pytest.approx(160 * HOUR, rel=0.05)  # the mean meets it 40 hours later
    assert "its daily peak is what meets the limit" in found.notes


def test_a_step_under_a_daily_load_is_no_growth() -> None:
    points = course(lambda at: daily(at) + (0 if at < 4 * DAY else 80), 7 * DAY, 1800, noise=2)

    assert trend(points, 400, 14 * DAY).verdict not in {"exhausting", "growing"}


def test_two_falls_from_one_height_far_below_the_limit_are_a_saw_tooth() -> None:
    points = course(lambda at: 100 + 150 * (at % 1200) / 1200, HOUR - 120, 30, noise=1)
    found = trend(points, 400, WEEK)

    assert found.verdict == "recurring"
    assert "fell back twice, about every 20 min" in found.notes[0]


@pytest.mark.parametrize("seed", range(4))
def test_teeth_that_end_at_the_limit_are_never_called_steady(seed: int) -> None:
    points = course(lambda at: 100 + 300 * (at % 600) / 600, HOUR + 150, 30, noise=0.5, seed=seed)
    found = trend(points, 400, DAY)

    assert found.verdict in {"exhausting", "full"}
    assert left(found, points) == pytest.approx(450, abs=60)
    assert "each tooth ends at the limit" in found.notes
