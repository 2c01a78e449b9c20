"""What begins in three clusters within a minute is one incident; what comes all the time, or in two, is not."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tools.correlation.worlds import NOW, WINDOW, Lab

from kubesteward_tools.correlation.asking import Seen
from kubesteward_tools.correlation.bursts import bursts
from kubesteward_tools.correlation.correlate import correlate
from kubesteward_tools.world.store import Key

IMAGE = "registry.example.com/team/api:3"
HOOK = 'Internal error occurred: failed calling webhook "guard.example.org": no endpoints available'


def seen(name: str, lab: Lab) -> Seen:
    scene = lab.scene()
    return Seen(name, scene, correlate(scene, WINDOW))


def broken(ago: float) -> Lab:
    lab = Lab()
    lab.deployment("web")
    spec = {"containers": [{"name": "app", "image": IMAGE}]}
    pods = lab.deployment("api", spec=spec)
    lab.fail(pods, "ImagePullBackOff", ago, f'Back-off pulling image "{IMAGE}"')
    lab.warn(pods[0], "Pod", "v1", "Failed", f'Failed to pull image "{IMAGE}"', ago)
    return lab


@given(st.lists(st.floats(0, 55), min_size=3, max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_what_begins_in_three_clusters_within_a_minute_is_one_incident(
    lags: list[float], chance: random.Random
) -> None:
    fleet = [seen(f"c{number}", broken(600 + lag)) for number, lag in enumerate(lags)]
    chance.shuffle(fleet)

    [found] = bursts(fleet, WINDOW)

    assert found.clusters == tuple(f"c{number}" for number in range(len(lags)))
    assert set(found.signs) == {("Failed", "Pod"), ("ImagePullBackOff", "Pod")}
    assert found.shared["image", IMAGE] == len(lags)
    assert found.first <= NOW - 600
    assert found.last - found.first <= 60


def test_two_clusters_are_not_enough_and_neither_are_three_minutes() -> None:
    assert bursts([seen("a", broken(600)), seen("b", broken(610))], WINDOW) == []
    assert bursts([seen("a", broken(600)), seen("b", broken(610)), seen("c", Lab())], WINDOW) == []
    assert bursts([seen("a", broken(300)), seen("b", broken(600)), seen("c", broken(900))], WINDOW) == []


def test_different_failures_at_one_time_are_not_one_incident() -> None:
    fleet = []
    for number, reason in enumerate(("CrashLoopBackOff", "ImagePullBackOff", "CreateContainerConfigError")):
        lab = Lab()
        lab.fail(lab.deployment("web"), reason, 600)
        fleet.append(seen(f"c{number}", lab))

    assert bursts(fleet, WINDOW) == []


def test_what_begins_all_the_time_is_no_burst() -> None:
    fleet = []
    for number in range(3):
        lab = Lab()
        for pod in lab.deployment("noisy", 40):
            lab.warn(pod, "Pod", "v1", "Unhealthy", "Readiness probe failed", 20.0 + 43 * len(lab.objects) % 1700)
        fleet.append(seen(f"c{number}", lab))

    assert bursts(fleet, WINDOW) == []


def test_a_webhook_that_refuses_in_every_cluster_is_what_they_share() -> None:
    fleet = []
    for number in range(3):
        lab = Lab()
        lab.deployment(f"app-{number}")
        lab.warn(Key("replicasets.apps", "shop", f"app-{number}-1"), "ReplicaSet", "apps/v1", "FailedCreate", HOOK, 300)
        fleet.append(seen(f"c{number}", lab))

    [found] = bursts(fleet, WINDOW)

    assert found.shared == {("registry", "registry.example.com"): 3, ("webhook", "guard.example.org"): 3}
    assert found.objects == {"c0": 1, "c1": 1, "c2": 1}


def crashing(ago: float) -> Lab:
    lab = Lab(2)
    lab.fail(lab.deployment("web", 1), "CrashLoopBackOff", ago)
    return lab


def test_of_twenty_clusters_with_a_crash_each_some_three_meet_by_chance() -> None:
    told = 0
    for seed in range(10):
        dice = random.Random(seed)
        told += bool(bursts([seen(f"c{n:02}", crashing(dice.uniform(60, 1740))) for n in range(20)], WINDOW))

    assert told <= 1


def test_of_twenty_clusters_half_at_one_moment_is_no_chance() -> None:
    dice = random.Random(3)
    fleet = [seen(f"c{n:02}", crashing(dice.uniform(60, 1740) if n % 2 else 900 + n)) for n in range(20)]
    [found] = bursts(fleet, WINDOW)

    assert {f"c{n:02}" for n in range(0, 20, 2)} <= set(found.clusters)
