"""get_metrics: one word for what is asked, whoever measures it, and an answer that says who did."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.tools.desk import TestDesk, shop
from tests.tools.prometheus.server import Server, matrix, serving, vector

from kubesteward.app import App
from kubesteward.embedded.server import EmbeddedCluster
from kubesteward.settings import Settings
from kubesteward_tools.catalog import load_tools
from kubesteward_tools.errors import AskDifferently, InvalidArguments, SteadyError
from kubesteward_tools.tool import Answer
from kubesteward_tools.world.store import Key, Store

pytestmark = pytest.mark.anyio

TOKEN = "hunter2-correct-horse"
GET = load_tools()["get_metrics"].function


class LiveDesk:
    """A server's own clusters, over the embedded one."""

    def __init__(self, app: App, cluster: EmbeddedCluster) -> None:
        self.app = app
        self.clusters = app.clusters
        self.records = None
        self.store: Store = cluster.simulated.store
        self._cluster = cluster

    def now(self) -> float:
        return self._cluster.simulated.clock.now

    def web(self) -> list[str]:
        names = [pod["metadata"]["name"] for pod in self.store.objects("pods", "shop")]
        return [name for name in names if name.startswith("web-")]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def cluster() -> AsyncIterator[EmbeddedCluster]:
    async with EmbeddedCluster(nodes=3, scenario="healthy") as running:
        yield running


async def _desk(cluster: EmbeddedCluster, folder: Path, **settings: Any) -> LiveDesk:
    cluster.write_kubeconfig(folder / "kubeconfig")
    chosen = Settings.load({}, kubeconfig=folder / "kubeconfig", state_dir=folder / "state", **settings)
    return LiveDesk(App(chosen), cluster)


@pytest.fixture
async def prometheus() -> AsyncIterator[Server]:
    async with serving() as running:
        yield running


@pytest.fixture
async def desk(cluster: EmbeddedCluster, prometheus: Server, tmp_path: Path) -> AsyncIterator[LiveDesk]:
    """With a Prometheus."""
    made = await _desk(cluster, tmp_path, prometheus_url=prometheus.url, prometheus_token=TOKEN)
    yield made
    await made.app.close()


@pytest.fixture
async def plain(cluster: EmbeddedCluster, tmp_path: Path) -> AsyncIterator[LiveDesk]:
    """Without one."""
    made = await _desk(cluster, tmp_path)
    yield made
    await made.app.close()


async def ask(desk: Any, query: str, target: str = "", **more: Any) -> Answer:
    answer = await GET(desk, query=query, target=target, **more)
    assert isinstance(answer, Answer)
    assert TOKEN not in answer.text + json.dumps(answer.data)
    return answer


def of(name: str) -> dict[str, str]:
    return {"namespace": "shop", "pod": name}


async def test_prometheus_answers_for_the_pods_of_a_workload(desk: LiveDesk, prometheus: Server) -> None:
    first, second, *_ = desk.web()
    prometheus.values = lambda _: vector((of(first), 0.25), (of(second), 0.5), (of("stranger"), 9.0))
    prometheus.newest = desk.now() - 20
    answer = await ask(desk, "cpu_usage", "deploy/web", namespace="shop")

    assert [(item["object"], item["used"]) for item in answer.data["items"]] == [(second, 0.5), (first, 0.25)]
    assert answer.data["items"][0]["owner"] == "Deployment/web"
    assert answer.data["source"].startswith("Prometheus at 127.0.0.1:")
    assert 15 < answer.data["age_seconds"] < 60
    assert answer.data["unit"] == "cores"
    assert ", newest sample 2" in answer.text
    (expression,) = prometheus.expressions
    assert f'namespace="shop",pod=~"{"|".join(sorted(desk.web()))}"' in expression


async def test_a_window_gives_the_course_in_a_few_numbers(desk: LiveDesk, prometheus: Server) -> None:
    now, (name, *_) = desk.now(), desk.web()
    points: list[tuple[float, float | str]] = [(now - 60 * back, 0.1 * (60 - back) / 60) for back in range(60, -1, -1)]
    prometheus.values, prometheus.newest = lambda _: matrix((of(name), points)), now
    answer = await ask(desk, "cpu_usage", f"pod/{name}", namespace="shop", time_window="1h")
    (item,) = answer.data["items"]

    assert item["window"] == {
        "min": 0.0,
        "mean": pytest.approx(0.05),
        "max": pytest.approx(0.1),
        "p95": pytest.approx(0.095),
        "last": pytest.approx(0.1),
        "slope_per_hour": pytest.approx(0.1),
        "samples": 61,
    }
    head, row = answer.text.splitlines()[-2:]
    assert head.split() == ["OBJECT", "MIN", "MEAN", "P95", "MAX", "LAST", "PER", "HOUR", "LIMIT", "SHARE"]
    assert row.split()[1:7] == ["0m", "50m", "95m", "100m", "100m", "+100m"]


async def test_saturation_is_the_share_of_the_objects_own_limit(desk: LiveDesk, prometheus: Server) -> None:
    (name, *_), now = desk.web(), desk.now()
    prometheus.values = lambda _: matrix((of(name), [(now - 60, 1e6), (now, 3e6)]))
    item = (await ask(desk, "memory_saturation", "deploy/web", namespace="shop", time_window="1h")).data["items"][0]

    assert item["value"] == pytest.approx(3e6 / item["limit"])
    assert item["window"]["max"] == pytest.approx(3e6 / item["limit"], rel=1e-5)
    assert item["window"]["slope_per_hour"] is None


@pytest.mark.parametrize(
    ("query", "value", "shown"),
    [
        ("error_rate", 0.0312, "3.1%"),
        ("gpu_usage", 0.93, "93%"),
        ("latency_p99", 0.2504, "250ms"),
        ("request_rate", 12.5, "12.5/s"),
        ("network_receive", 2048.0, "2.0Ki/s"),
        ("disk_usage", 2.0**30, "1024Mi"),
    ],
)
async def test_each_word_is_shown_in_its_unit(
    desk: LiveDesk, prometheus: Server, query: str, value: float, shown: str
) -> None:
    (name, *_) = desk.web()
    prometheus.values = lambda _: vector((of(name), value))
    answer = await ask(desk, query, "deploy/web", namespace="shop")

    assert answer.text.splitlines()[-1].split()[:2] == [name, shown]


async def test_nodes_and_namespaces_are_asked_for_by_name_or_all(desk: LiveDesk, prometheus: Server) -> None:
    prometheus.values = lambda asked: vector(
        *(({"namespace": name}, 1.0) for name in ("shop", "kube-system") if "by (namespace)" in asked),
        *(({"node": f"node-{number}"}, 0.5) for number in (1, 2) if "by (node" in asked),
    )
    found = {
        target: [item["object"] for item in (await ask(desk, "cpu_usage", target)).data["items"]]
        for target in ("nodes", "node/node-2", "namespaces", "ns/shop")
    }

    assert found == {
        "nodes": ["node-1", "node-2"],
        "node/node-2": ["node-2"],
        "namespaces": ["kube-system", "shop"],
        "ns/shop": ["shop"],
    }


async def test_where_prometheus_fails_metrics_server_answers_and_both_are_told(
    desk: LiveDesk, prometheus: Server
) -> None:
    answer = await ask(desk, "cpu_usage", "deploy/web", namespace="shop")

    assert answer.data["source"] == "metrics-server (its latest sample)"
    assert "holds none of container_cpu_usage_seconds_total" in answer.data["notes"][0]
    assert answer.data["notes"][0] in answer.text


async def test_without_prometheus_the_present_is_metrics_servers_and_the_rest_says_what_to_configure(
    plain: LiveDesk,
) -> None:
    found = await ask(plain, "cpu_usage", "ns/shop", time_window="1h")
    with pytest.raises(AskDifferently, match="KUBESTEWARD_PROMETHEUS_URL"):
        await ask(plain, "error_rate", "deploy/web", namespace="shop")

    assert [item["object"] for item in found.data["items"]] == ["shop"]
    assert found.data["items"][0]["used"] > 0
    assert "No history of these is known yet" in found.text


async def test_restarts_come_from_the_objects_and_their_course_from_prometheus(
    plain: LiveDesk, desk: LiveDesk, prometheus: Server
) -> None:
    (name, *_), now = desk.web(), desk.now()
    prometheus.values = lambda _: matrix((of(name), [(now - 3600, 0), (now - 1800, 2), (now, 4)]))
    totals = await ask(plain, "restarts", namespace="shop", time_window="1h")
    course = await ask(desk, "restarts", "deploy/web", namespace="shop", time_window="1h")
    spaces = await ask(plain, "restarts", "namespaces")

    assert totals.data["source"] == "pod status"
    assert "Only totals since the pods' start" in totals.text
    assert course.data["items"][0]["window"]["slope_per_hour"] == 4.0
    assert "shop" in {item["object"] for item in spaces.data["items"]}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"query": "restarts", "target": "nodes"}, "nodes have no restarts. Ask for pods"),
        ({"query": "cpu_usage", "target": "pvc/data"}, "persistentvolumeclaims have no cpu_usage."),
        ({"query": "cpu_usage", "time_window": "60d"}, "time_window '60d' is too long."),
        ({"query": "cpu_usage", "target": "deploy/wep"}, "Did you mean 'web'?"),
        ({"query": "cpu_usage", "target": "node/node-9"}, "there is no Node 'node-9'"),
        ({"query": "cpu_usage", "target": "ns/shp"}, "there is no Namespace 'shp'. Did you mean 'shop'?"),
        ({"query": "gpu_usage"}, "a bundle holds no metrics."),
    ],
)
async def test_a_question_without_an_answer_gets_one_sentence(arguments: dict[str, str], words: str) -> None:
    with pytest.raises(SteadyError) as caught:
        await ask(TestDesk(shop().store), **arguments)

    assert words in str(caught.value)


async def test_a_workload_without_pods_uses_nothing() -> None:
    cluster = shop(0)
    with pytest.raises(AskDifferently, match="Deployment shop/web has no pods"):
        await ask(TestDesk(cluster.store), "cpu_usage", "deploy/web", namespace="shop")


async def test_claims_are_compared_with_their_capacity(desk: LiveDesk, prometheus: Server) -> None:
    claim = {
        "kind": "PersistentVolumeClaim",
        "apiVersion": "v1",
        "metadata": {"name": "data", "namespace": "shop"},
        "status": {"capacity": {"storage": "1Gi"}},
    }
    world = await desk.clusters.world()
    await world.ensure("persistentvolumeclaims")
    world.store.put(Key("persistentvolumeclaims", "shop", "data"), claim)
    labels = {"namespace": "shop", "persistentvolumeclaim": "data"}
    prometheus.values = lambda _: vector((labels, 0.9 * 2**30))
    answer = await ask(desk, "disk_usage", "pvc/data", namespace="shop")

    assert (answer.data["items"][0]["share"], answer.data["items"][0]["of"]) == (0.9, "capacity")
    assert "1024Mi (capacity)  90%" in answer.text


@pytest.mark.parametrize("url", ["elsewhere=http://p", "lab=http://a,lab=http://b", "p:9090"])
async def test_a_wrong_setting_is_named(cluster: EmbeddedCluster, tmp_path: Path, url: str) -> None:
    with pytest.raises(InvalidArguments, match="KUBESTEWARD_PROMETHEUS_URL"):
        await _desk(cluster, tmp_path, prometheus_url=url)


async def test_what_a_node_uses_is_beside_what_is_usual_at_this_hour(plain: LiveDesk) -> None:
    world = await plain.clusters.world()
    for _ in range(20):
        world.telemetry.baselines.learn("cpu", [("Node/node-1", 0.5)], plain.now())
    answer = await ask(plain, "cpu_usage", "nodes")
    usual = {item["object"]: item.get("usual") for item in answer.data["items"]}

    assert usual["node-1"]["mean"] == pytest.approx(0.5, abs=0.1)
    assert usual["node-2"] is None
    assert "USUAL NOW" in answer.text


async def test_a_store_that_fails_costs_only_what_is_usual(plain: LiveDesk, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder")
    answer = await ask(plain, "cpu_usage", "nodes")

    assert len(answer.data["items"]) == 3
    assert "USUAL NOW" not in answer.text


async def test_what_was_learnt_survives_a_restart_of_the_server(cluster: EmbeddedCluster, tmp_path: Path) -> None:
    for times in (12, 0):
        desk = await _desk(cluster, tmp_path)
        world = await desk.clusters.world()
        await ask(desk, "cpu_usage", "nodes")  # which starts the sampling, and so the saving at the end
        for _ in range(times):
            world.telemetry.baselines.learn("memory", [("Node/node-9", 7.0)], desk.now())
        found = world.telemetry.baselines.usual("memory", "Node/node-9", desk.now())
        await desk.app.close()

        assert (found.count, found.mean) == (12, 7.0)
