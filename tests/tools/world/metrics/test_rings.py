"""Own samples are bounded: rings hold the newest, and series that nobody adds to make room."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesteward_tools.world.metrics.ring import Ring
from kubesteward_tools.world.metrics.samples import SILENCE, Samples, Series
from kubesteward_tools.world.store import Key

VALUES = st.floats(width=32, allow_nan=False, allow_infinity=False)
WEB = Key("pods", "shop", "web")


@given(st.integers(1, 20), st.lists(VALUES, max_size=60))
def test_a_ring_never_exceeds_its_capacity_and_keeps_the_newest(capacity: int, values: list[float]) -> None:
    ring = Ring(capacity)
    for at, value in enumerate(values, 1):
        ring.add(at * 30.0, value)

        assert len(ring) <= capacity
        assert at * 30.0 == ring.latest
    expected = [(at * 30.0, value) for at, value in enumerate(values, 1)][-capacity:]

    assert expected == list(ring)


@given(st.lists(st.integers(1, 50), max_size=40))
def test_a_ring_only_goes_forward(times: list[int]) -> None:
    ring = Ring(10)
    news = [at for at in times if ring.add(at, 1.0)]

    assert sorted(set(news)) == news
    assert news[-10:] == [int(at) for at, _ in ring]


def test_a_ring_without_room_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Ring(0)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 200)), max_size=60))
def test_there_are_never_too_many_series_and_none_loses_its_history_to_a_new_one(steps: list[tuple[int, int]]) -> None:
    samples, at, added = Samples(capacity=2, most=3), 0, dict[str, int]()
    for number, pause in steps:
        at += 1 + pause
        if samples.add(Series("cpu", Key("pods", "shop", str(number)), "app"), at, 1.0):
            added[str(number)] = at
        kept = {key.name for key in samples.keys("cpu", "pods")}

        assert len(samples) == len(kept) <= 3
        assert {name for name, last in added.items() if last >= at - SILENCE} <= kept


def test_containers_of_a_pod_are_summed_where_all_were_measured() -> None:
    samples = Samples()
    for container, values in {"app": {30: 1.0, 60: 2.0, 90: 3.0}, "proxy": {60: 0.5, 90: 0.25}}.items():
        for at, value in values.items():
            samples.add(Series("cpu", WEB, container), at, value)

    assert samples.points("cpu", WEB) == [(30.0, 1.0), (60.0, 2.5), (90.0, 3.25)]
    assert samples.points("cpu", WEB, since=61) == [(90.0, 3.25)]
    assert samples.points("memory", WEB) == []


def test_series_of_pods_that_are_gone_are_dropped() -> None:
    samples = Samples()
    samples.add(Series("cpu", WEB, "app"), 30, 1.0)
    samples.add(Series("cpu", Key("pods", "shop", "new"), "app"), 90, 1.0)
    samples.drop_before(60)

    assert [key.name for key in samples.keys("cpu", "pods", "shop")] == ["new"]


@given(st.integers(1, 12), st.lists(st.integers(1, 5), max_size=40), st.integers(0, 120))
def test_the_mean_is_that_of_the_samples_from_a_moment_on(capacity: int, steps: list[int], since: int) -> None:
    ring, at = Ring(capacity), 0
    for number, step in enumerate(steps):
        at += step
        ring.add(at, float(number))
    values = [value for moment, value in ring if moment >= since]
    mean, count = ring.mean(since)

    assert count == len(values)
    assert mean == (sum(values) / len(values) if values else 0.0)


def test_the_mean_use_of_an_object_is_that_of_all_its_containers_and_wants_samples_of_each() -> None:
    samples, api = Samples(), Key("pods", "shop", "api")
    for at in (30.0, 60.0, 90.0):
        samples.add(Series("cpu", WEB, "app"), at, at)
        samples.add(Series("cpu", WEB, "proxy"), at, 1.0)
        samples.add(Series("cpu", api, "app"), at, 5.0)
    samples.add(Series("cpu", api, "proxy"), 90.0, 1.0)

    assert list(samples.means(60.0, 2)) == [("cpu", WEB, 76.0)]
    assert list(samples.means(90.0, 1)) == [("cpu", WEB, 91.0), ("cpu", api, 6.0)]
