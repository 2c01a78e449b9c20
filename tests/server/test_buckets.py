"""A minute's worth at once, then evenly; and no key of another one's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesteward.buckets import Buckets


class Time:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_minute_s_worth_may_be_had_at_once_and_then_one_at_a_time() -> None:
    clock = Time()
    buckets = Buckets(6, clock=clock)

    assert [buckets.take("a") for _ in range(6)] == [0.0] * 6
    assert buckets.take("a") == pytest.approx(10.0)
    assert buckets.take("b") == 0.0
    clock.now += 10.0
    assert buckets.take("a") == 0.0
    assert buckets.take("a") == pytest.approx(10.0)


def test_zero_limits_nothing() -> None:
    buckets = Buckets(0, clock=Time())

    assert {buckets.take("a") for _ in range(1000)} == {0.0}


@given(st.floats(0.1, 1000.0), st.lists(st.floats(0.0, 120.0), max_size=60))
def test_in_any_stretch_of_time_no_more_is_had_than_there_is(per_minute: float, pauses: list[float]) -> None:
    clock = Time()
    buckets, had = Buckets(per_minute, clock=clock), 0
    for pause in pauses:
        clock.now += pause
        had += buckets.take("a") == 0.0

    assert had <= max(1.0, per_minute) + sum(pauses) * per_minute / 60.0 + 1e-6


@given(st.floats(0.1, 1000.0), st.integers(1, 50))
def test_after_the_time_that_was_told_there_is_one(per_minute: float, calls: int) -> None:
    clock = Time()
    buckets = Buckets(per_minute, clock=clock)
    for _ in range(calls):
        clock.now += buckets.take("a") + 1e-6
    clock.now += buckets.wait("a") + 1e-6

    assert buckets.take("a") == 0.0


def test_many_keys_do_not_fill_the_memory_nor_free_the_greedy() -> None:
    clock = Time()
    buckets = Buckets(2, most=100, clock=clock)
    for number in range(1000):
        clock.now += 0.001
        buckets.take(f"other-{number}")
        if number % 10 == 0:
            buckets.take("greedy")

    assert len(buckets._left) <= 101
    assert buckets.take("greedy") > 0.0
