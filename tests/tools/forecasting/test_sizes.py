"""forecast(metric="sizing"): sizes as an agent asks for them, with samples, without, or with a monitor that hangs."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests.tools.desk import NOW, TestDesk

from kubesteward.embedded.scenarios import build
from kubesteward_tools.analyse.simulate_impact import simulate_impact
from kubesteward_tools.catalog import load_tools
from kubesteward_tools.errors import SteadyError
from kubesteward_tools.forecasting import patience
from kubesteward_tools.tool import Answer
from kubesteward_tools.world.metrics.readings import Question, Reading
from kubesteward_tools.world.metrics.samples import Points
from kubesteward_tools.world.store import Key, Store
from kubesteward_tools.world.world import World

pytestmark = pytest.mark.anyio

ASK = load_tools()["forecast"].function
DAY = 86400.0
MI = 2.0**20
WEB = Key("deployments.apps", "shop", "web")


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


def sized(store: Store, key: Key, **resources: dict[str, str]) -> None:
    """Gives the first container of a workload these requests and limits."""
    obj = store.get(key)
    assert obj is not None
    template = obj["spec"]["template"]
    first, *others = template["spec"]["containers"]
    spec = {**template["spec"], "containers": [{**first, "resources": resources}, *others]}
    store.put(key, {**obj, "spec": {**obj["spec"], "template": {**template, "spec": spec}}})


class Level:
    """A monitor by which every container has used the same for a day."""

    def __init__(self, cpu: float, memory: float, samples: int = 120) -> None:
        self.used = {"cpu_usage": cpu, "memory_usage": memory}
        self.samples = samples

    async def read(self, question: Question) -> Reading:
        times = [question.end - DAY + DAY / self.samples * at for at in range(1, self.samples + 1)]
        points: Points = [(at, self.used[question.query]) for at in times]
        names = sorted(question.names or ())
        return Reading("a monitor", question.end, {(question.namespace, f"{name}/web"): points for name in names})

    async def close(self) -> None:
        """Nothing is held."""


class Hanging:
    """A monitor that takes questions and never answers."""

    def __init__(self) -> None:
        self.asked = 0

    async def read(self, _: Question) -> Reading:
        self.asked += 1
        await asyncio.Event().wait()
        raise AssertionError

    async def close(self) -> None:
        """Nothing is held."""


async def over(monitor: Any, **resources: dict[str, str]) -> tuple[TestDesk, World]:
    store = build("healthy", 3, NOW).store
    sized(store, WEB, **resources)
    desk = TestDesk(store)
    world = await desk.clusters.world()
    world.telemetry.monitor = monitor
    return desk, world


async def ask(desk: Any, **arguments: Any) -> Answer:
    answer = await ASK(desk, metric="sizing", **arguments)
    assert isinstance(answer, Answer)
    json.dumps(answer.data)
    return answer


async def test_what_is_asked_for_in_vain_is_told_with_its_saving_and_a_patch_that_can_be_rehearsed() -> None:
    bounds = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}
    desk, _ = await over(Level(0.1, 100 * MI), **bounds)
    answer = await ask(desk, target="deploy/web", namespace="shop")
    (web,) = answer.data["workloads"]
    proposed = web["proposed"]

    assert {size["resource"]: (size["verdict"], size["severity"]) for size in web["sizes"]} == {
        "cpu": ("over", "info"),
        "memory": ("over", "info"),
    }
    assert answer.data["saving"] == {"cpu": pytest.approx(3 * 0.88), "memory": pytest.approx(3 * (1024 - 120) * MI)}
    assert "saves 2640m of cpu, 2712Mi of memory" in answer.text.replace("saves 2712Mi", "2712Mi")
    assert {name: proposed[name] for name in ("action", "kind", "name", "namespace")} == {
        "action": "patch",
        "kind": "Deployment",
        "name": "web",
        "namespace": "shop",
    }
    assert "Deployment shop/web" in web["proposed_summary"]
    rehearsed = await simulate_impact.function(desk, **proposed)
    assert isinstance(rehearsed, Answer)
    assert rehearsed.data["verdict"] in {"safe", "warn", "blocked"}


async def test_what_is_too_small_is_a_warning_and_its_limit_rises() -> None:
    desk, _ = await over(Level(0.1, 100 * MI), requests={"cpu": "100m", "memory": "100Mi"}, limits={"memory": "104Mi"})
    answer = await ask(desk, namespace="shop")
    worst = answer.data["workloads"][0]
    memory = next(size for size in worst["sizes"] if size["resource"] == "memory")

    assert worst["object"]["name"] == "web"
    assert (memory["verdict"], memory["severity"], round(memory["allowed"] / MI)) == ("under", "warning", 150)
    assert "under" in answer.text
    assert "simulate_impact rehearses a patch" in answer.text


async def test_of_too_few_samples_nothing_is_said_but_how_many_are_needed() -> None:
    desk, _ = await over(Level(0.1, 100 * MI, samples=9), requests={"cpu": "1"})
    answer = await ask(desk, target="deploy/web", namespace="shop")
    (web,) = answer.data["workloads"]

    assert answer.text.splitlines()[1] == "0 sizes are wrong, 0 fit, of 2 too little is known."
    assert any("60 over 50 min are needed" in item for item in answer.data["not_known"])
    assert "NOT KNOWN 9 samples over" in answer.text
    assert "proposed" not in web
    assert [size["p95"] for size in web["sizes"]] == [None, None]


async def test_saved_objects_have_no_course_and_it_says_so() -> None:
    answer = await ask(TestDesk(build("healthy", 3, NOW).store))

    assert answer.data["sizes"] == {"unknown": 12}
    assert "NOT KNOWN memory of containers: a bundle holds no metrics." in answer.text


@pytest.mark.parametrize("target", ["namespace/shop", "ns/shop"])
async def test_a_namespace_may_be_the_target(target: str) -> None:
    desk, _ = await over(Level(0.1, 100 * MI))
    answer = await ask(desk, target=target)

    assert {item["object"]["namespace"] for item in answer.data["workloads"]} == {"shop"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"target": "deploy/wep"}, "Did you mean 'web'?"),
        ({"target": "service/web", "namespace": "shop"}, "has no template that can be sized"),
        ({"namespace": "shp"}, "there is no namespace 'shp'"),
    ],
)
async def test_wrong_questions_are_answered_with_what_to_ask(arguments: dict[str, str], words: str) -> None:
    with pytest.raises(SteadyError) as error:
        await ask(TestDesk(build("healthy", 3, NOW).store), **arguments)

    assert words in str(error.value)


@pytest.mark.parametrize("metric", ["sizing", "", "memory"])
async def test_a_monitor_that_hangs_is_waited_for_once_and_not_for_every_question(
    monkeypatch: pytest.MonkeyPatch, metric: str
) -> None:
    monkeypatch.setattr(patience, "EACH", 0.05)
    monkeypatch.setattr(patience, "WHOLE", 0.05)
    monitor = Hanging()
    desk, _ = await over(monitor)
    async with asyncio.timeout(20):
        answer = await ASK(desk, metric=metric)

    assert isinstance(answer, Answer)
    assert "no answer within 0.05 s" in answer.text
    assert monitor.asked >= 1
    assert answer.data["not_known"]
