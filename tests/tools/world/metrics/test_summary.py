"""A stretch of samples in a few numbers that agree with the statistics module."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesteward_tools.world.metrics.summary import percentile, slope, summary

VALUES = st.floats(-1e6, 1e6)


@given(st.lists(VALUES, min_size=2, max_size=80))
def test_the_95th_percentile_is_the_statistics_modules(values: list[float]) -> None:
    expected = statistics.quantiles(values, n=20, method="inclusive")[18]

    assert expected == pytest.approx(percentile(values, 0.95), abs=1e-6)


@given(st.lists(VALUES, min_size=3, max_size=80))
def test_the_slope_is_that_of_the_least_squares(values: list[float]) -> None:
    points = [(1.7e9 + 30.0 * at, value) for at, value in enumerate(values)]
    hours = [30.0 * at / 3600 for at in range(len(values))]

    assert statistics.linear_regression(hours, values).slope == pytest.approx(slope(points), rel=1e-6, abs=1e-3)


@pytest.mark.parametrize("points", [[], [(30.0, 1.0)], [(30.0, 1.0), (60.0, 5.0)], [(30.0, 1.0)] * 3])
def test_where_time_does_not_pass_nothing_rises(points: list[tuple[float, float]]) -> None:
    assert slope(points) is None


def test_nothing_has_no_summary() -> None:
    assert summary([]) is None


def test_a_summary_scales_as_its_samples_do() -> None:
    points = [(0.0, 1.0), (1800.0, 2.0), (3600.0, 6.0)]
    found, double = summary(points), summary([(at, value * 2) for at, value in points])

    assert found is not None
    assert double == found.scaled(2)
    assert found.data() == {
        "min": 1.0,
        "mean": 3.0,
        "max": 6.0,
        "p95": 5.6,
        "last": 6.0,
        "slope_per_hour": 5.0,
        "samples": 3,
    }
