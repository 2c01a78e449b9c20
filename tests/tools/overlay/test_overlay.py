"""Overlays of a simulated cluster: what is wrong is found, named, bounded, and nothing secret is said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tools.desk import NOW, TestDesk, create, shop

from kubesteward_tools.errors import ObjectNotFound, UnknownKind
from kubesteward_tools.lookup.scope import Scope
from kubesteward_tools.overlay.overlay import Overlay, cluster_overlay, fitted, object_overlay, size
from kubesteward_tools.overlay.score import COSTS, Sign, score
from kubesteward_tools.twin.clock import parse_timestamp, timestamp
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.world.store import Key, Object

pytestmark = pytest.mark.anyio

CANARY = "kX9canaryQ7vLm2Zr8Tt4Wp"


def deploy(cluster: SimulatedCluster, name: str, *, replicas: int = 2, **pod: Any) -> None:
    """A Deployment in "shop"; `pod` is what its pod spec says besides."""
    labels = {"app": name}
    container = {"name": "app", "image": "app:1", **pod.pop("container", {})}
    annotations = pod.pop("annotations", {})
    template = {"metadata": {"labels": labels, "annotations": annotations}, "spec": {"containers": [container], **pod}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    create(cluster, "/apis/apps/v1/namespaces/shop/deployments", {"metadata": {"name": name}, "spec": spec})


def crashing(cluster: SimulatedCluster, name: str = "cart") -> None:
    deploy(cluster, name, annotations={"sim.kubesteward.dev/mode": "crash"})


def change(cluster: SimulatedCluster, key: Key, **parts: Any) -> None:
    obj = cluster.store.get(key)
    assert obj is not None
    cluster.store.put(key, {**obj, **parts})


def pods(cluster: SimulatedCluster, app: str) -> list[tuple[Key, Object]]:
    found = cluster.store.items("pods", "shop")
    return [(key, pod) for key, pod in found if pod["metadata"]["labels"].get("app") == app]


async def analysis(cluster: SimulatedCluster, kind: str, name: str, namespace: str = "shop") -> dict[str, Any]:
    return (await object_overlay(TestDesk(cluster.store), kind, namespace, name)).data


async def summary(cluster: SimulatedCluster) -> dict[str, Any]:
    return (await cluster_overlay(TestDesk(cluster.store))).data


def codes(data: dict[str, Any]) -> list[str]:
    return [item["code"] for item in data["anomalies"]]


def the(data: dict[str, Any], code: str) -> dict[str, Any]:
    (found,) = (item for item in data["anomalies"] if item["code"] == code)
    return dict(found)


async def test_a_cluster_that_is_well_has_a_hundred() -> None:
    data = await summary(shop())

    assert (data["health_score"], data["anomalies"]) == (100, [])
    assert data["summary"] == "lab: 3/3 nodes ready, 1/1 workloads ready, 3/3 pods ready; nothing is wrong"
    assert data["scope"]["cluster"] == "lab"
    assert {"as_of", "staleness_seconds", "not_seen"} <= set(data["scope"])


async def test_a_deployment_that_crashes_says_so_and_what_it_costs() -> None:
    cluster = shop()
    crashing(cluster)
    data = await analysis(cluster, "Deployment", "cart")

    assert data["object"] == "Deployment/shop/cart"
    assert codes(data)[:2] == ["unavailable", "crashing"]
    assert the(data, "crashing") | {"detail": ""} == {
        "code": "crashing", "severity": "critical", "points": 25, "object": "Deployment/shop/cart", "detail": "",
    }  # fmt: skip
    assert "2 pods " in the(data, "crashing")["detail"]
    assert "exit 1" in the(data, "crashing")["detail"]
    assert 100 - data["health_score"] == sum(item["points"] for item in data["anomalies"])


async def test_what_is_wrong_elsewhere_is_not_held_against_an_object() -> None:
    cluster = shop()
    crashing(cluster)

    assert (await analysis(cluster, "Deployment", "web"))["health_score"] == 100
    assert (await summary(cluster))["health_score"] < 100
    assert codes(await analysis(cluster, "Namespace", "shop", "-"))[0] == "unavailable"


async def test_what_an_object_needs_and_is_not_there_is_named_unless_it_is_optional() -> None:
    cluster = shop()
    sources = [{"configMapRef": {"name": "prices"}}, {"configMapRef": {"name": "extra", "optional": True}}]
    create(cluster, "/api/v1/namespaces/shop/configmaps", {"metadata": {"name": "other"}})
    deploy(cluster, "cart", container={"envFrom": sources})
    missing = the(await analysis(cluster, "Deployment", "cart"), "missing")

    assert missing["object"] == "ConfigMap/shop/prices"
    assert "needed by Deployment/shop/cart" in missing["detail"]
    assert "count" not in missing


async def test_the_trouble_of_a_node_is_that_of_the_pods_on_it() -> None:
    cluster = shop()
    ((_, pod), *_) = pods(cluster, "web")
    node = Key("nodes", "", pod["spec"]["nodeName"])
    conditions = [{"type": "Ready", "status": "False", "message": "kubelet stopped posting"}]
    conditions.append({"type": "DiskPressure", "status": "True"})
    change(cluster, node, status={"conditions": conditions}, spec={"unschedulable": True})

    assert codes(await analysis(cluster, "Deployment", "web")) == ["node_not_ready", "node_pressure", "cordoned"]
    data = await analysis(cluster, "node", node.name, "_")
    assert the(data, "node_not_ready")["detail"] == "kubelet stopped posting"
    assert data["object"] == f"Node/{node.name}"


async def test_pressure_on_quotas_and_budgets_is_seen_by_those_who_feel_it() -> None:
    cluster = shop()
    quota = {"metadata": {"name": "most"}, "spec": {"hard": {"pods": "3"}}}
    create(cluster, "/api/v1/namespaces/shop/resourcequotas", quota)
    spec = {"minAvailable": 3, "selector": {"matchLabels": {"app": "web"}}}
    create(cluster, "/apis/policy/v1/namespaces/shop/poddisruptionbudgets", {"metadata": {"name": "web"}, "spec": spec})
    data = await analysis(cluster, "Deployment", "web")

    assert the(data, "quota")["detail"] == "pods 3/3"
    assert "no eviction allowed" in the(data, "tight_budget")["detail"]
    assert data["health_score"] == 100 - COSTS["quota"].of_object - COSTS["tight_budget"].of_object


async def test_containers_that_came_back_are_told_for_an_hour() -> None:
    cluster = shop()
    ((key, pod), *_) = pods(cluster, "web")

    def ended(ago: float) -> None:
        end = {"exitCode": 137, "reason": "OOMKilled", "finishedAt": timestamp(cluster.clock.now - ago)}
        statuses = [{**item, "restartCount": 2, "lastState": {"terminated": end}} for item in statuses_before]
        change(cluster, key, status={**pod["status"], "containerStatuses": statuses})

    statuses_before = pod["status"]["containerStatuses"]
    ended(60)
    assert "2 restarts: last exit 137 OOMKilled" in the(await analysis(cluster, "deploy", "web"), "restarts")["detail"]
    ended(7200)
    assert codes(await analysis(cluster, "deploy", "web")) == []


async def test_a_rollout_of_just_now_is_told() -> None:
    cluster = shop()
    found = cluster.store.get(Key("deployments.apps", "shop", "web"))
    assert found is not None
    template = json.loads(json.dumps(found["spec"]["template"]))
    template["spec"]["containers"][0]["image"] = "nginx:1.28"
    cluster.api.update("deployments.apps", "shop", "web", {**found, "spec": {**found["spec"], "template": template}})
    cluster.engine.settle()

    changed = the(await analysis(cluster, "Deployment", "web"), "changed")
    assert "rollout at " in changed["detail"]
    assert "nginx:1.28" in changed["detail"]


async def test_what_was_seen_to_change_is_told_of_those_who_need_it() -> None:
    cluster = shop()
    create(cluster, "/api/v1/namespaces/shop/configmaps", {"metadata": {"name": "prices"}, "data": {"vat": "19"}})
    deploy(cluster, "cart", container={"envFrom": [{"configMapRef": {"name": "prices"}}]})
    desk = TestDesk(cluster.store)
    world = await desk.clusters.world()
    born = parse_timestamp(pods(cluster, "cart")[0][1]["metadata"]["creationTimestamp"])
    world.history._now = lambda: born
    key = Key("configmaps", "shop", "prices")
    change(cluster, key, data={"vat": f"password={CANARY}"})
    cart, web = [(await object_overlay(desk, "Deployment", "shop", name)).data for name in ("cart", "web")]

    assert the(cart, "changed")["object"] == "ConfigMap/shop/prices"
    assert the(cart, "changed")["detail"].endswith("new content: vat")
    assert "changed" not in codes(web)


async def test_warnings_count_once_for_an_object_and_a_reason() -> None:
    cluster = shop()
    ((_, pod), *_) = pods(cluster, "web")
    about = {"kind": "Pod", "namespace": "shop", "name": pod["metadata"]["name"]}
    for number in range(5):
        event = {
            "apiVersion": "v1", "kind": "Event", "type": "Warning", "reason": "Unhealthy", "message": "probe failed",
            "metadata": {"name": f"e{number}", "namespace": "shop"}, "involvedObject": about,
            "lastTimestamp": timestamp(NOW - 60 - number),
        }  # fmt: skip
        cluster.store.put(Key("events", "shop", f"e{number}"), event)
    found = the(await analysis(cluster, "Deployment", "web"), "warnings")

    assert "Unhealthy, last at" in found["detail"]
    assert (found["points"], "count" in found) == (3, False)


async def test_a_service_without_ready_pods_is_unavailable() -> None:
    cluster = shop()
    spec = {"selector": {"app": "nobody"}, "ports": [{"port": 80}]}
    create(cluster, "/api/v1/namespaces/shop/services", {"metadata": {"name": "lost"}, "spec": spec})

    assert codes(await analysis(cluster, "Service", "lost")) == ["unavailable"]


async def test_secrets_and_unseen_characters_in_what_pods_say_are_gone() -> None:
    cluster = shop()
    ((key, pod), *_) = pods(cluster, "web")
    waiting = {"reason": "CrashLoopBackOff", "message": f"password={CANARY} \x1b[31m\u202eIgnore"}
    statuses = [{**item, "ready": False, "state": {"waiting": waiting}} for item in pod["status"]["containerStatuses"]]
    conditions = [{"type": "Ready", "status": "False"}]
    change(cluster, key, status={**pod["status"], "containerStatuses": statuses, "conditions": conditions})
    for data in (await analysis(cluster, "Deployment", "web"), await summary(cluster)):
        text = json.dumps(data, ensure_ascii=False)

        assert "crashing" in codes(data)
        assert CANARY not in text
        assert not {"\x1b", "\u202e"} & set(text)


async def test_the_same_state_gives_the_same_overlay_whatever_time_it_is() -> None:
    cluster = shop()
    crashing(cluster)

    async def at(now: float) -> Overlay:
        desk = TestDesk(cluster.store)
        desk.now = lambda: now  # type: ignore[method-assign] # the only thing that differs
        return await object_overlay(desk, "Deployment", "shop", "cart")

    first, second = await at(NOW), await at(NOW + 30)
    assert first.mark == second.mark
    assert first.data == second.data


async def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(ObjectNotFound, match="Did you mean 'web'"):
        await analysis(shop(), "Deployment", "wep")
    with pytest.raises(UnknownKind):
        await analysis(shop(), "Deploymentt", "web")


class StillWorld:
    """A world of no age."""

    cluster, writable = "c" * 253, True

    def as_of(self) -> float:
        return NOW

    def staleness(self) -> float:
        return 0.0


words = st.text(st.characters(exclude_categories=("Cs",)), max_size=400)


@given(
    st.lists(st.builds(Sign, st.sampled_from(sorted(COSTS)), words, words), max_size=80), st.dictionaries(words, words)
)
def test_an_overlay_is_never_larger_than_five_kilobytes(found: list[Sign], not_seen: dict[str, str]) -> None:
    health, anomalies = score(found, many=True)
    scope = Scope([StillWorld()], "n" * 63, not_seen)  # type: ignore[list-item] # its age is all that is asked for
    data = fitted({"object": "o" * 160, "health_score": health, "summary": "é" * 400}, anomalies, scope)

    assert size(data) < 5000
    assert 100 - data["health_score"] == sum(item["points"] for item in data["anomalies"])


def test_not_even_the_worst_of_clusters_makes_it_larger() -> None:
    name, detail = "\N{PILE OF POO}" * 300, "\N{PILE OF POO}" * 3000
    found = [Sign(code, f"{name}{number}", detail) for code in COSTS for number in range(9)]
    health, anomalies = score(found, many=True)
    scope = Scope([StillWorld()], name, {f"{number}{name}": detail for number in range(90)})  # type: ignore[list-item] # as above
    data = fitted({"object": name, "health_score": health, "summary": detail}, anomalies, scope)

    assert size(data) < 5000
    assert len(data["anomalies"]) == sum(cost.of_many > 0 for cost in COSTS.values())
