"""What is usual is learnt one sample at a time, by hour of the week, and joins what others have learnt."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesteward_tools.errors import AskAgain
from kubesteward_tools.world.metrics import baselines
from kubesteward_tools.world.metrics.baselines import Baselines, Bucket, Moments, hour_of_week

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC).timestamp()
VALUES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60)


def moments(values: list[float]) -> Moments:
    found = Moments()
    for value in values:
        found = found.plus(value)
    return found


class Kept:
    """A store that can be full."""

    def __init__(self) -> None:
        self.rows: dict[Bucket, Moments] = {}
        self.full = False

    def join(self, cluster: str, learnt: Mapping[Bucket, Moments]) -> None:
        if self.full:
            raise AskAgain("the disk is full.")
        for bucket, seen in learnt.items():
            self.rows[bucket] = self.rows.get(bucket, Moments()).joined(seen)

    def kept(self, cluster: str, metric: str, subject: str) -> Mapping[int, Moments]:
        return {item.hour: seen for item, seen in self.rows.items() if item[:2] == (metric, subject)}

    def kept_of(self, cluster: str, metric: str, hour: int) -> Mapping[str, Moments]:
        return {item.subject: seen for item, seen in self.rows.items() if (item.metric, item.hour) == (metric, hour)}


@given(VALUES)
def test_one_at_a_time_is_as_good_as_all_at_once(values: list[float]) -> None:
    found = moments(values)

    assert len(values) == found.count
    assert statistics.fmean(values) == pytest.approx(found.mean, abs=1e-6)
    assert statistics.stdev(values) == pytest.approx(found.deviation, rel=1e-6, abs=1e-6)


@given(VALUES, VALUES)
def test_two_halves_joined_are_the_whole(first: list[float], second: list[float]) -> None:
    joined, whole = moments(first).joined(moments(second)), moments(first + second)

    assert whole.count == joined.count
    assert (joined.mean, joined.deviation) == pytest.approx((whole.mean, whole.deviation), rel=1e-6, abs=1e-6)


@given(VALUES, VALUES)
def test_what_is_taken_out_leaves_the_rest(first: list[float], second: list[float]) -> None:
    left = moments(first + second).without(moments(second))

    assert len(first) == left.count
    assert left.mean == pytest.approx(moments(first).mean, rel=1e-6, abs=1e-3)
    assert left.deviation == pytest.approx(moments(first).deviation, rel=1e-2, abs=10.0)
    assert moments(first).without(moments(first + second)) == Moments()


def test_nothing_joined_with_nothing_is_nothing() -> None:
    assert Moments().joined(Moments()) == Moments()
    assert Moments().deviation == 0.0


@given(st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds of hypothesis are naive
def test_the_hour_of_the_week_is_the_calendars(moment: datetime) -> None:
    assert moment.weekday() * 24 + moment.hour == hour_of_week(moment.timestamp())


def test_another_hour_is_another_matter() -> None:
    learnt = Baselines("lab")
    learnt.learn("cpu", [("Node/n", 1.0)], NOW)
    learnt.learn("cpu", [("Node/n", 3.0)], NOW + 3600)
    learnt.learn("cpu", [("Node/n", 2.0)], NOW + 7 * 86400)

    assert (learnt.usual("cpu", "Node/n", NOW).count, learnt.usual("cpu", "Node/n", NOW).mean) == (2, 1.5)
    assert learnt.usual("cpu", "Node/n", NOW + 3600) == Moments(1, 3.0, 0.0)
    assert learnt.usual("cpu", "Node/other", NOW).count == 0


def test_what_was_saved_counts_in_the_next_process() -> None:
    kept = Kept()
    for value in (1.0, 3.0):
        learnt = Baselines("lab", kept)
        learnt.learn("cpu", [("Node/n", value)], NOW)
        learnt.save()
        learnt.save()

    assert Baselines("lab", kept).usual("cpu", "Node/n", NOW) == Moments(2, 2.0, 2.0)


def test_what_cannot_be_saved_is_kept_for_the_next_time() -> None:
    kept = Kept()
    learnt = Baselines("lab", kept)
    learnt.learn("cpu", [("Node/n", 1.0)], NOW)
    kept.full = True
    with pytest.raises(AskAgain):
        learnt.save()
    kept.full = False
    learnt.save()

    assert kept.rows == {Bucket("cpu", "Node/n", hour_of_week(NOW)): Moments(1, 1.0, 0.0)}


def test_what_waits_to_be_saved_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "MOST", 3)
    learnt = Baselines("lab")
    learnt.learn("cpu", [(f"Node/{number}", 1.0) for number in range(5)], NOW)

    assert [learnt.usual("cpu", f"Node/{number}", NOW).count for number in range(5)] == [1, 1, 1, 0, 0]
