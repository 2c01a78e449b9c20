"""Weak spots of the topology among the anomalies: what presses is a warning, the rest waits until it is asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.tools.correlation.worlds import NOW, Lab, calling
from tests.tools.desk import NOW as PLAYED
from tests.tools.desk import TestDesk

from kubesteward.embedded.scenarios import build
from kubesteward_tools.analyse.find_anomalies import find_anomalies
from kubesteward_tools.anomalies.anomaly import Anomaly
from kubesteward_tools.anomalies.find import Report, find, ordered
from kubesteward_tools.anomalies.view import View
from kubesteward_tools.overlay.subject import Subject
from kubesteward_tools.tool import Answer
from kubesteward_tools.twin.resources import by_kind
from kubesteward_tools.world.graph import Graph
from kubesteward_tools.world.metrics.samples import Samples, Series
from kubesteward_tools.world.store import Key, Store

pytestmark = pytest.mark.anyio


def look(lab: Lab, **more: Any) -> Report:
    store = lab.store()
    graph = Graph(store, by_kind, lambda _resource, _namespace: True)
    return find(View(store, graph, NOW, **more))


def brief(found: tuple[Anomaly, ...]) -> list[tuple[str, str, str]]:
    return [(item.code, item.severity, item.key.name) for item in found]


async def ask(store: Store, **arguments: Any) -> Answer:
    answer = await find_anomalies.function(TestDesk(store), **arguments)
    assert isinstance(answer, Answer)
    return answer


def crowded(pool: str) -> Lab:
    """A database that takes 100 connections, and six clients."""
    lab = Lab()
    db = {"name": "db", "image": "db:1", "args": ["--max-connections=100"]}
    lab.deployment("db", 2, spec={"containers": [db]})
    for number in range(2):
        lab.deployment(f"client-{number}", 3, spec=calling("db", ("DB_POOL_SIZE", pool)))
    return lab


@pytest.mark.parametrize(("pool", "expected"), [("5", []), ("14", ["warning"]), ("20", ["warning"])])
def test_connections_near_their_limit_are_a_warning(pool: str, expected: list[str]) -> None:
    found = look(crowded(pool))

    assert [item.severity for item in found.anomalies] == expected
    assert [item.code for item in found.anomalies] == ["topology.connections"] * len(expected)
    assert found.weak == ()


def test_the_sentence_begins_where_the_name_ends_and_has_its_numbers() -> None:
    (one,) = look(crowded("20")).anomalies

    assert one.sentence.startswith("takes 100 connections, and the pools of 2 clients of Service shop/db add up to 120")
    assert one.numbers["pools"] == 120


def test_a_service_that_hangs_on_one_pod_is_a_warning() -> None:
    lab = Lab()
    lab.fail(lab.deployment("web", 4)[1:])

    assert ("topology.lone_endpoint", "warning", "web") in brief(look(lab).anomalies)


def test_what_nothing_fails_of_is_kept_apart() -> None:
    lab = Lab()
    lab.deployment("db", 1)
    for number in range(3):
        lab.deployment(f"client-{number}", spec=calling("db"))
    found = look(lab)

    assert found.anomalies == ()
    assert brief(found.weak) == [("topology.single_replica", "info", "db")]


def test_a_namespace_has_its_own_weak_spots_only() -> None:
    lab = Lab()
    lab.put("v1", "Namespace", "namespaces", "", "other", spec={})
    for space in ("shop", "other"):
        pods = lab.deployment("web", 2, space)
        for pod in pods:
            lab.objects[pod] = {**lab.objects[pod], "spec": {**lab.objects[pod]["spec"], "nodeName": "n0"}}

    assert [item.key.namespace for item in look(lab).weak] == ["other", "shop"]
    assert [item.key.namespace for item in look(lab, subject=Subject(namespace="shop")).weak] == ["shop"]


def heated(metric: str, hot: float, nodes: int = 4) -> tuple[Lab, Samples]:
    lab, samples = Lab(nodes, 1), Samples()
    room = {"cpu": 4.0, "memory": 16 * 2.0**30}
    for number in range(nodes):
        key = Key("nodes", "", f"n{number}")
        obj = lab.objects[key]
        allocatable = {"cpu": "4", "memory": "16Gi", "pods": "110"}
        lab.objects[key] = {**obj, "status": {**obj["status"], "allocatable": allocatable}}
        for name, most in room.items():
            share = hot if number == 1 and name == metric else 0.4
            for at in range(10):
                samples.add(Series(name, key), NOW - 295 + 30 * at, share * most)
    return lab, samples


@pytest.mark.parametrize("metric", ["cpu", "memory"])
@pytest.mark.parametrize(("share", "said"), [(0.95, True), (0.6, False)])
def test_a_node_is_hot_by_what_it_uses_of_what_is_allocatable(metric: str, share: float, said: bool) -> None:
    lab, samples = heated(metric, share)

    expected = [(f"topology.hot_{metric}", "warning", "n1")] if said else []
    assert brief(look(lab, samples=samples).anomalies) == expected


def test_a_node_that_its_pool_tells_of_is_not_told_twice() -> None:
    lab, samples = heated("cpu", 0.95, nodes=8)

    assert brief(look(lab, samples=samples).anomalies) == [("pools.cpu", "warning", "n1")]


def test_what_may_not_be_seen_is_told() -> None:
    store = crowded("5").store()
    blind = Graph(store, by_kind, lambda resource, _: resource != "services")
    (said,) = (item for item in find(View(store, blind, NOW)).unjudged if "weak spots" in item)

    assert said == "weak spots of the topology, in full: Service objects are not seen"
    assert not any("weak spots" in item for item in look(crowded("5")).unjudged)


def test_weak_spots_stand_after_all_that_is_wrong_whoever_has_them() -> None:
    def one(code: str, severity: Any, name: str, score: float) -> Anomaly:
        return Anomaly(code, severity, Key("deployments.apps", "shop", name), code, score)

    worst = one("restarts.often", "critical", "web", 90.0)
    mild = one("logs.new", "info", "api", 50.0)
    weak = [one("topology.connections", "warning", "web", 48.0), one("topology.one_node", "info", "web", 44.0)]

    assert list(ordered([*weak, mild, worst])) == [worst, mild, *weak]


async def test_of_the_whole_cluster_they_are_one_line_and_a_scope_lists_them() -> None:
    store = build("healthy", 3, PLAYED).store
    whole, space = await ask(store), await ask(store, scope="shop")
    own, other = await ask(store, scope="deploy/payments"), await ask(store, scope="deploy/web")
    line = "weak spots (info; nothing fails of them): 1 topology.closed_budget; a namespace or kind/name lists its own"

    assert line in whole.text.splitlines()
    assert "closed_budget" not in whole.untrusted
    assert whole.data["weak_spots"] == {"total": 1, "codes": {"topology.closed_budget": 1}, "listed": []}
    for answer in (space, own):
        (listed,) = answer.data["weak_spots"]["listed"]
        assert answer.data["anomalies"] == []
        assert (listed["severity"], listed["kind"], listed["name"]) == ("info", "PodDisruptionBudget", "payments")
        assert "allows no eviction of its 2 pods" in answer.untrusted
    assert other.data["weak_spots"]["total"] == 0
    assert "weak spots" not in other.text + other.untrusted


@pytest.mark.parametrize("scope", ["service/web", "deploy/web"])
async def test_a_service_and_what_is_behind_it_share_their_weak_spots(scope: str) -> None:
    lab = Lab()
    pods = lab.deployment("web", 4)
    lab.fail(pods[1:])
    lab.warn(pods[1], "Pod", "v1", "BackOff", "Back-off restarting failed container")
    answer = await ask(lab.store(), scope=scope, namespace="shop")

    assert "topology.lone_endpoint" in [item["code"] for item in answer.data["anomalies"]]


async def test_however_many_there_are_the_anomalies_come_first_and_the_answer_stays_short() -> None:
    lab = Lab()
    for number in range(40):
        for pod in lab.deployment(f"app-{number:02}", 2):
            lab.objects[pod] = {**lab.objects[pod], "spec": {**lab.objects[pod]["spec"], "nodeName": "n0"}}
    lab.fail([Key("pods", "shop", "app-07-1-0")])
    answer = await ask(lab.store(), namespace="shop")
    said = answer.untrusted.splitlines()

    assert answer.data["weak_spots"]["total"] == 39
    assert len(answer.data["weak_spots"]["listed"]) <= 15
    assert said[0].startswith(answer.data["anomalies"][0]["severity"])
    assert "39 topology.one_node" in answer.untrusted
    assert len(json.dumps(answer.data)) < 16_000
