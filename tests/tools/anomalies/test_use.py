"""Use of cpu and memory: against its past, among pods of one workload, among nodes of one pool."""

from __future__ import annotations

import random

import pytest
from tests.tools.anomalies.world import NOW, WEB, World
from tests.tools.diagnosis import lab

from kubesteward_tools.anomalies.detectors.usual import middle
from kubesteward_tools.anomalies.measures import unlike
from kubesteward_tools.overlay.subject import Subject
from kubesteward_tools.world.metrics.baselines import Baselines, Moments
from kubesteward_tools.world.metrics.samples import Series
from kubesteward_tools.world.store import Key


def web(pods: int = 6, **more: float) -> World:
    world = World(lab.base(), lab.node("worker-1"), lab.deployment("web", replicas=pods))
    for key in world.keys("pods"):
        if key.namespace == "shop":
            world.use(key, **more)
    return world


def past(mean: float, count: int = 120, *, subject: str = "shop/Deployment/web") -> dict[str, dict[str, Moments]]:
    return {"cpu": {subject: Moments(count, mean, (count - 1) * (0.08 * mean) ** 2)}}


def test_a_workload_that_uses_twice_what_is_usual_is_told_with_its_numbers() -> None:
    (found,) = web().found(usual=past(0.6))

    assert (found.code, found.key, found.severity) == ("usual.cpu", WEB, "warning")
    assert found.sentence.startswith("uses more cpu than is usual on Monday 11h UTC: 1200m, usually 600m ± 48m")
    assert (round(found.numbers["value"], 3), found.numbers["samples"]) == (1.2, 120)


@pytest.mark.parametrize("mean", [1.2, 1.1, 1.3])
def test_a_workload_that_is_as_ever_is_not_told(mean: float) -> None:
    assert web().found(usual=past(mean)) == []


def test_less_than_usual_is_told_more_quietly() -> None:
    (found,) = web().found(usual=past(3.0))

    assert (found.severity, found.sentence.partition(":")[0]) == (
        "info",
        "uses less cpu than is usual on Monday 11h UTC",
    )


def test_a_past_too_short_is_said_and_not_judged_by() -> None:
    report = web().look(usual=past(0.6, 3))

    assert report.anomalies == ()
    assert any(
        "no baseline yet for this hour of the week" in item and "3 of 20 samples" in item for item in report.unjudged
    )


def test_the_noise_of_an_idle_workload_does_not_count() -> None:
    assert web(cpu=0.004, memory=12).found(usual=past(0.004)) == []


def test_without_samples_nothing_is_called_well() -> None:
    report = World(lab.base()).look()

    assert report.anomalies == ()
    assert any(item.startswith("use of cpu and memory") and "no samples yet" in item for item in report.unjudged)


def test_a_namespace_is_not_told_for_what_its_workload_does() -> None:
    world = web()
    world.use(Key("namespaces", "", "shop"), cpu=1.2, container="")
    usual = {"cpu": {**past(0.6)["cpu"], **past(0.6, subject="Namespace/shop")["cpu"]}}

    assert world.codes(usual=usual) == [("usual.cpu", "web")]
    assert world.codes(usual=past(0.6, subject="Namespace/shop")) == [("usual.cpu", "shop")]


def test_one_pod_that_uses_far_more_than_its_siblings_is_told_and_none_where_all_do() -> None:
    world = web(7)
    pod = world.keys("pods")[-1]
    other = World(lab.base(), lab.deployment("web", replicas=7))
    for key in other.keys("pods"):
        other.use(key, cpu=1.5 if key == pod else 0.2)
    (found,) = other.found()

    assert (found.code, found.key, found.parts) == ("siblings.cpu", WEB, (pod,))
    assert f"pod {pod.name} uses far more cpu than its 6 siblings: 1500m, their median is 200m" in found.sentence
    assert world.found() == []


def test_a_scope_holds_back_what_is_elsewhere() -> None:
    assert web().found(usual=past(0.6), subject=Subject(namespace="kube-system")) == []


def test_a_node_that_is_busier_than_its_pool_is_told_but_not_one_of_another_pool() -> None:
    pools = [("a", number) for number in range(6)] + [("b", 9)]
    nodes = [lab.node(f"{pool}-{number}", labels={"cloud.example.com/nodepool": pool}) for pool, number in pools]
    world = World(lab.base(), nodes)
    for pool, number in pools:
        busy = pool == "b" or number == 3
        world.use(Key("nodes", "", f"{pool}-{number}"), cpu=6.0 if busy else 1.5, container="")

    assert world.codes() == [("pools.cpu", "a-3")]


def test_a_node_left_behind_by_an_upgrade_is_told_and_the_first_of_an_upgrade_is_not() -> None:
    def pool(odd: str) -> list[dict[str, object]]:
        nodes = [lab.node(f"n{number}") for number in range(8)]
        for number, node in enumerate(nodes):
            node["status"]["nodeInfo"] = {"kubeletVersion": odd if number == 5 else "v1.34.2"}
        return nodes

    assert World(pool("v1.33.9")).codes() == [("pools.version", "n5")]
    assert World(pool("v1.35.0")).codes() == []


def test_what_is_strange_in_the_running_hour_does_not_make_itself_usual() -> None:
    learnt = Baselines("lab")
    week = 7 * 86400
    for number in range(30):
        learnt.learn("cpu", [("Node/n", 1.0 + number % 2 / 10)], NOW - week + number)
    for number in range(30):
        learnt.learn("cpu", [("Node/n", 5.0)], NOW + number)
    earlier = learnt.earlier("cpu", NOW + 30)["Node/n"]

    assert (earlier.count, round(earlier.mean, 6)) == (30, 1.05)
    assert learnt.usual("cpu", "Node/n", NOW).count == 60
    assert learnt.earlier("cpu", NOW + 3600) == {}


def test_what_one_week_alone_says_is_held_against_the_present_with_more_room() -> None:
    assert web().found(usual=past(0.85, 120)) == []
    assert [item.code for item in web().found(usual=past(0.85, 8 * 120))] == ["usual.cpu"]


def test_shortly_after_the_hour_the_present_is_held_against_the_hour_before() -> None:
    assert middle(NOW, 3600.0) == NOW - 150
    assert middle(NOW, 60.0) == NOW - 30


def test_what_is_strange_in_the_hour_just_over_has_not_made_itself_usual_either() -> None:
    learnt = Baselines("lab")
    over = NOW // 3600 * 3600 - 60
    for number in range(30):
        learnt.learn("cpu", [("Node/n", 1.0)], over - 7 * 86400 + number)
    learnt.learn("cpu", [("Node/n", 9.0)], over)
    learnt.learn("cpu", [("Node/n", 9.0)], over + 120)

    assert learnt.earlier("cpu", over)["Node/n"].mean == 1.0


def test_siblings_that_work_in_turns_are_not_told_and_one_that_alone_works_is() -> None:
    def busy(earlier: int) -> World:
        world = World(lab.base(), lab.deployment("web", replicas=8))
        for number, key in enumerate(key for key in world.keys("pods") if key.namespace == "shop"):
            for step in range(60):
                turn = step in range(4 * number, 4 * number + 6) and number < earlier
                now = number == 7 and step >= 48
                world.samples.add(Series("cpu", key, "app"), NOW - 30 * (60 - step), 1.5 if turn or now else 0.2)
        return world

    assert busy(0).codes() == [("siblings.cpu", "web")]
    assert busy(5).codes() == []


@pytest.mark.parametrize("seed", range(20))
def test_many_siblings_whose_use_differs_by_factors_are_no_odd_ones(seed: int) -> None:
    dice = random.Random(seed)
    values = [0.3 * dice.lognormvariate(0, 0.35) for _ in range(300)]

    assert len(unlike(values, 0.05)) <= 1
    assert any(odd.place == 7 for odd in unlike([*values[:7], 6.0, *values[8:]], 0.05))
