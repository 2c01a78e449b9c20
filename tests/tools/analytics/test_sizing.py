"""Requests and limits by what was used: what is proposed, what it saves, and when nothing may be said."""

from __future__ import annotations

import random
from typing import Any

import pytest

from kubesteward_tools.analytics.sizing import Container, Size, Sizing, Workload, sizes

START = 1795222800.0
DAY = 86400.0
MI = 2.0**20
Points = list[tuple[float, float]]


def course(level: float, *, span: float = DAY, step: float = 300.0, seed: int = 1, growth: float = 0.0) -> Points:
    chance = random.Random(seed)
    count = int(span / step) + 1
    return [(START + step * n, level * (1 + 0.02 * chance.uniform(-1, 1)) + growth * n / count) for n in range(count)]


def workload(
    cpu: Any = None, memory: Any = None, *, requests: Any = None, limits: Any = None, replicas: int = 4, **more: Any
) -> Workload:
    """One container; `cpu` and `memory` are a course or a list of them."""
    courses = {
        name: found if found and isinstance(found[0], list) else [found or []]
        for name, found in (("cpu", cpu), ("memory", memory))
    }
    container = Container("app", requests or {}, limits or {}, courses)
    return Workload("Deployment", "shop", "web", replicas, [container], **more)


def of(found: Sizing, resource: str) -> Size:
    return next(item for item in found.sizes if item.resource == resource)


def resources(found: Sizing) -> Any:
    return found.patch["spec"]["template"]["spec"]["containers"][0]["resources"]


def test_a_request_that_is_hardly_used_is_lowered_to_what_is_used_and_a_fifth() -> None:
    found = sizes(workload(course(0.1), course(100 * MI), requests={"cpu": 1.0, "memory": 1024 * MI}))
    cpu = of(found, "cpu")

    assert cpu.verdict == "over"
    assert cpu.p95 == pytest.approx(0.1, rel=0.03)
    assert resources(found) == {"requests": {"cpu": "125m", "memory": "123Mi"}}
    assert found.saving["cpu"] == pytest.approx(4 * 0.875)
    assert found.saving["memory"] == pytest.approx(4 * 901 * MI)
    assert found.notes == ("a new template: its pods are replaced",)


def test_the_patch_names_the_container_and_nothing_else() -> None:
    found = sizes(workload(course(0.1), requests={"cpu": 1.0}))

    assert found.patch == {
        "spec": {"template": {"spec": {"containers": [{"name": "app", "resources": {"requests": {"cpu": "125m"}}}]}}}
    }


def test_memory_near_its_limit_gets_more_and_that_costs() -> None:
    found = sizes(workload(course(0.1), course(250 * MI), requests={"memory": 128 * MI}, limits={"memory": 256 * MI}))
    memory = of(found, "memory")

    assert memory.verdict == "under"
    assert memory.allowed is not None
    assert memory.allowed > 1.4 * 250 * MI
    assert found.saving["memory"] < 0
    assert resources(found)["limits"] == {"memory": "383Mi"}


def test_the_worst_pod_counts() -> None:
    courses = [course(0.1), course(0.1), course(0.9)]
    found = of(sizes(workload(courses, requests={"cpu": 1.0})), "cpu")

    assert found.verdict == "fits"
    assert found.p99 > 0.88


def test_what_has_no_request_gets_one_and_what_has_no_limit_is_told() -> None:
    found = sizes(workload(course(0.1), course(100 * MI)))

    assert {item.verdict for item in found.sizes} == {"unrequested"}
    assert resources(found) == {"requests": {"cpu": "125m", "memory": "123Mi"}}
    assert "no memory limit" in of(found, "memory").notes


def test_nothing_is_lowered_before_a_whole_day_is_known() -> None:
    found = sizes(workload(course(0.1, span=3600, step=30), requests={"cpu": 1.0}))

    assert (of(found, "cpu").verdict, found.patch, found.saving) == ("over", {}, {})
    assert "only 1.0 h are known: nothing is lowered before a whole day is" in of(found, "cpu").notes


def test_but_what_is_short_of_memory_gets_more_after_an_hour() -> None:
    short = course(250 * MI, span=3600, step=30)
    found = sizes(workload(None, short, requests={"memory": 128 * MI}, limits={"memory": 256 * MI}))

    assert "limits" in resources(found)


@pytest.mark.parametrize("points", [[], course(0.1, span=600, step=30), course(0.1, span=DAY, step=DAY / 10)])
def test_from_too_few_samples_nothing_is_said(points: Points) -> None:
    found = sizes(workload(points, requests={"cpu": 1.0}))

    assert (of(found, "cpu").verdict, found.patch) == ("unknown", {})
    assert "60 over 50 min are needed" in of(found, "cpu").notes[0]


def test_memory_that_grows_is_a_leak_and_not_a_size() -> None:
    leak = course(50 * MI, growth=200 * MI)
    found = sizes(workload(None, leak, requests={"memory": 128 * MI}, limits={"memory": 256 * MI}))

    assert (of(found, "memory").verdict, found.patch) == ("under", {})
    assert "its memory grows: a size mends no leak" in of(found, "memory").notes


def test_a_request_that_an_autoscaler_counts_by_is_left_alone_and_the_equal_target_is_told() -> None:
    found = sizes(workload(course(0.2), requests={"cpu": 1.0}, utilization={"cpu": 50}))
    (note,) = (item for item in of(found, "cpu").notes if "autoscaler" in item)

    assert found.patch == {}
    assert "keeps it at 50 % of the request: with the new one, 204 % would mean the same" in note


@pytest.mark.parametrize(("mode", "patched"), [("Auto", False), ("Recreate", False), ("Off", True), ("", True)])
def test_what_a_vertical_autoscaler_sets_is_left_to_it(mode: str, patched: bool) -> None:
    found = sizes(workload(course(0.1), requests={"cpu": 1.0}, vertical=mode))

    assert bool(found.patch) == patched


def test_pods_that_stop_being_guaranteed_are_told() -> None:
    same = {"cpu": 1.0, "memory": 1024 * MI}
    found = sizes(workload(course(0.1), course(900 * MI), requests=same, limits=same))

    assert any("Guaranteed" in note for note in found.notes)


def test_a_request_is_never_above_its_limit() -> None:
    found = sizes(workload(course(0.19), limits={"cpu": 0.22}))

    assert resources(found) == {"requests": {"cpu": "220m"}}


def test_small_things_have_a_least_size() -> None:
    found = sizes(workload(course(0.0001), course(MI), requests={"cpu": 0.5, "memory": 512 * MI}))

    assert resources(found) == {"requests": {"cpu": "10m", "memory": "32Mi"}}
