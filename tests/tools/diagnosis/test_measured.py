"""What is measured speaks for and against causes, and tells some before anything has failed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.tools.diagnosis import lab
from tests.tools.diagnosis.lab import NOW, blamed, container, crashing, deployment, event, made, running, verdict

from kubesteward_tools.cluster.bundle import of_objects
from kubesteward_tools.diagnosis import measuring
from kubesteward_tools.diagnosis.bundles import scene_of
from kubesteward_tools.diagnosis.diagnose import diagnose
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.diagnosis.usage import Usage
from kubesteward_tools.errors import AskAgain
from kubesteward_tools.world.metrics.readings import Question, Reading
from kubesteward_tools.world.metrics.telemetry import Telemetry
from kubesteward_tools.world.store import Key

METRICS = "metrics.k8s.io/v1beta1"
LATE = 'Readiness probe failed: Get "http://10.1.2.3:8080/": context deadline exceeded'
SIZED = {"containers": [container(resources={"limits": {"cpu": "500m", "memory": "100Mi"}})]}


def _pod(pod: lab.Object, cpu: str, memory: str = "20Mi") -> lab.Object:
    usage = [{"name": "app", "usage": {"cpu": cpu, "memory": memory}}]
    return made("PodMetrics", pod["metadata"]["name"], "shop", METRICS, timestamp=NOW, containers=usage)


def _node(name: str, cpu: str, memory: str = "2Gi") -> lab.Object:
    return made("NodeMetrics", name, "", METRICS, timestamp=NOW, usage={"cpu": cpu, "memory": memory})


def _scene(objects: list[lab.Object], question: str = "") -> Scene:
    source = of_objects([[*lab.base(), *lab.NODES, *objects]])
    return scene_of(source.world("lab"), source, question, 1772452800.0)


def test_a_pod_without_a_limit_that_takes_the_node_is_blamed_for_its_neighbours() -> None:
    greedy, web = deployment("miner"), deployment("web", None, [running(ready=False)])

    found = verdict(
        [*greedy, *web, _pod(greedy[-1], "3500m"), _node("worker-1", "3900m"), event(web[-1], "Unhealthy", LATE)]
    )

    assert blamed(found) == ("NoisyNeighbour", "Deployment", "miner")
    assert found.best.proposal is not None
    assert found.best.since


def test_a_busy_pod_that_nobody_suffers_from_is_not_blamed() -> None:
    greedy = deployment("miner")

    found = verdict([*greedy, *deployment("web"), _pod(greedy[-1], "3500m"), _node("worker-1", "3900m")])

    assert blamed(found)[0] == "Healthy"
    assert "To be watched: NoisyNeighbour" in found.best.diagnosis


def test_a_pod_that_is_held_by_a_limit_is_no_noisy_neighbour() -> None:
    held = deployment("miner", {"containers": [container(resources={"limits": {"cpu": "3600m"}})]})
    web = deployment("web", None, [running(ready=False)])

    found = verdict(
        [*held, *web, _pod(held[-1], "3500m"), _node("worker-1", "3900m"), event(web[-1], "Unhealthy", LATE)]
    )

    assert "NoisyNeighbour" not in {one.category for one in found.findings}


def test_cpu_that_is_measured_at_its_limit_is_throttling() -> None:
    web = deployment("web", SIZED, [running(ready=False)])

    found = verdict([*web, _pod(web[-1], "498m"), event(web[-1], "Unhealthy", LATE)])

    assert blamed(found) == ("CPUThrottling", "Deployment", "web")
    assert any("498m of its CPU limit of 500m" in line for line in found.best.evidence)


def test_a_limit_that_is_far_from_used_speaks_against_throttling() -> None:
    web = deployment("web", SIZED)
    guessed = verdict(web, "web is slow, why?")

    measured = verdict([*web, _pod(web[-1], "20m")], "web is slow, why?")

    assert guessed.best.category == measured.best.category == "CPUThrottling"
    assert measured.best.confidence < guessed.best.confidence
    assert "20m of 500m CPU (4%)" in measured.best.against[0]


def test_throttled_periods_count_more_than_usage() -> None:
    web = deployment("web", SIZED)
    scene = _scene(web, "web is slow, why?")
    key = Key("pods", "shop", web[-1]["metadata"]["name"])

    scene.usage = Usage({("cpu", key): [(1.0, 0.05)]}, {key: 0.62}, "Prometheus")

    assert any("waited for CPU in 62% of its periods" in line for line in diagnose(scene).best.evidence)


def test_memory_that_will_be_full_within_the_hour_is_told_before_the_kill() -> None:
    web = deployment("web", SIZED)
    scene = _scene(web)
    key = Key("pods", "shop", web[-1]["metadata"]["name"])
    course = [(60.0 * minute, (70 + minute) * 2.0**20) for minute in range(24)]

    scene.usage = Usage({("memory", key): course}, {}, "own samples")
    found = diagnose(scene)

    assert blamed(found) == ("MemoryGrowth", "Deployment", "web")
    assert "7 minutes" in found.best.diagnosis
    assert "growing by 60Mi an hour" in found.best.diagnosis


def test_memory_that_is_steady_near_its_limit_is_only_to_be_watched() -> None:
    web = deployment("web", SIZED)
    scene = _scene(web)
    key = Key("pods", "shop", web[-1]["metadata"]["name"])

    scene.usage = Usage({("memory", key): [(60.0 * minute, 98 * 2.0**20) for minute in range(24)]}, {}, "own samples")

    assert diagnose(scene).best.category == "Healthy"


def test_a_kill_for_memory_is_told_with_what_was_measured_against_it() -> None:
    web = deployment("web", SIZED, [crashing(137, "OOMKilled")])

    found = verdict([*web, _pod(web[-1], "20m", "12Mi")])

    assert found.best.category == "OOMKilled"
    assert "12Mi of 100Mi" in found.best.against[0]


def test_a_node_that_is_nearly_full_is_told_before_its_kubelet_does() -> None:
    found = verdict([*deployment("web"), _node("worker-1", "500m", "8100Mi")])

    assert blamed(found) == ("NodePressure", "Node", "worker-1")
    assert "the kubelet does not report pressure yet" in found.best.against


def test_who_fills_a_node_under_pressure_is_evidence() -> None:
    eater = deployment("eater", None, None)
    node = lab.node("worker-1", pressures=("MemoryPressure",))

    found = verdict([*eater, _pod(eater[-1], "1m", "6Gi"), _node("worker-1", "1", "7900Mi")], nodes=[node])

    assert found.best.category == "NodePressure"
    assert any("eater" in line and "without a memory limit" in line for line in found.best.evidence)


def _scaler(utilization: int) -> lab.Object:
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 80}}}
    current = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": utilization}}}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"minReplicas": 1, "maxReplicas": 4, "scaleTargetRef": target, "metrics": [metric]}
    status = {"currentReplicas": 4, "desiredReplicas": 4, "currentMetrics": [current]}
    return made("HorizontalPodAutoscaler", "web", "shop", "autoscaling/v2", spec=spec, status=status)


@pytest.mark.parametrize(("utilization", "expected"), [(170, "HPA"), (82, "Healthy")])
def test_an_autoscaler_at_its_maximum_is_blamed_when_it_would_need_more(utilization: int, expected: str) -> None:
    web = deployment("web", {"containers": [container(resources={"requests": {"cpu": "100m"}})]})

    found = verdict([*web, _scaler(utilization)], "web cannot keep up, why?")

    assert found.best.category == expected


class _Hanging:
    """A monitoring system that takes questions and never answers."""

    async def read(self, question: Question) -> Reading:
        await asyncio.Event().wait()
        raise AskAgain("never")

    async def close(self) -> None:
        """Nothing is open."""


class _World:
    def __init__(self, store: Any, monitor: Any) -> None:
        self.store = store
        self.telemetry = Telemetry("lab", store, None, monitor)


@pytest.mark.anyio
async def test_a_monitor_that_hangs_does_not_hang_the_diagnosis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "PATIENCE", 0.02)
    web = deployment("web", SIZED, [crashing(1)])
    scene = _scene(web)
    world: Any = _World(scene.store, _Hanging())

    scene.usage = await measuring.live(world, scene, [], 1772452800.0)
    found = diagnose(scene)

    assert found.best.category == "CrashLoop"
    assert any("no answer within" in line for line in found.unread)
    assert "metrics not read" in found.looked


@pytest.mark.anyio
async def test_one_question_that_fails_leaves_the_others_their_answers() -> None:
    web = deployment("web", SIZED, [crashing(1)])
    scene = _scene(web)
    name = "shop", web[-1]["metadata"]["name"]

    class Partial(_Hanging):
        async def read(self, question: Question) -> Reading:
            if question.query == "cpu_throttling":
                return Reading("Prometheus", 1.0, {name: [(1.0, 0.4)]})
            raise AskAgain(f"no {question.query}")

    world: Any = _World(scene.store, Partial())
    usage = await measuring.live(world, scene, [], 1772452800.0)

    assert usage.throttled == {Key("pods", *name): 0.4}
    assert usage.source == "Prometheus"
    assert usage.unread
