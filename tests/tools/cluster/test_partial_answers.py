"""Every tool that observes says what it covers, how fresh that is, and what its user may not see."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from tests.tools.cluster.apiserver import ApiServer
from tests.tools.desk import TestDesk

from kubesteward_tools.catalog import load_tools
from kubesteward_tools.cluster.clusters import Clusters
from kubesteward_tools.overlay.overlay import cluster_overlay, object_overlay
from kubesteward_tools.tool import Answer
from kubesteward_tools.world.store import Store

pytestmark = pytest.mark.anyio

TOOLS = load_tools()
RUNNING = {
    "spec": {"containers": [{"name": "app", "image": "app:1"}], "nodeName": "n1"},
    "status": {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [{"name": "app", "ready": True, "restartCount": 0, "state": {"running": {}}}],
    },
}
EVERYWHERE = [
    ("list_resources", {"kind": "pods"}),
    ("get_resource_yaml", {"kind": "pod", "name": "web"}),
    ("get_logs", {"target": "web"}),
    ("get_metrics", {"query": "restarts"}),
    ("get_topology", {"resource": "pod/web"}),
    ("what_changed", {}),
    ("cluster_overview", {}),
]


class LiveDesk(TestDesk):
    """Over the API server, at this time."""

    def __init__(self, clusters: Clusters) -> None:
        super().__init__(Store())
        self.clusters = clusters

    def now(self) -> float:
        return time.time()


@pytest.fixture
def desk(server: ApiServer, clusters: Clusters) -> LiveDesk:
    """Its user may list pods in the namespace "default" only, and no nodes or namespaces."""
    for namespace in ("default", "vault"):
        server.put("pods", "web" if namespace == "default" else "secretive", namespace, **RUNNING)
    server.forbidden = {"pods", "vault/pods", "nodes", "namespaces"}
    server.answers["/api/v1/namespaces/default/pods/web/log"] = said("2026-11-21T09:00:00Z all is well\n")
    return LiveDesk(clusters)


def said(text: str) -> Callable[[], web.StreamResponse]:
    return lambda: web.Response(text=text)


async def ask(desk: LiveDesk, tool: str, arguments: dict[str, Any]) -> Answer:
    answer = await TOOLS[tool].function(desk, **arguments)
    assert isinstance(answer, Answer)
    return answer


@pytest.mark.parametrize(("tool", "arguments"), EVERYWHERE)
async def test_what_may_not_be_seen_is_named(desk: LiveDesk, tool: str, arguments: dict[str, Any]) -> None:
    answer = await ask(desk, tool, arguments)
    (cluster,) = answer.data["scope"]["clusters"]

    assert cluster["cluster"] == "lab"
    assert {"as_of", "staleness_seconds"} <= set(cluster)
    assert answer.text.startswith("lab, ")
    assert answer.data["scope"]["not_seen"]["lab pods"].startswith("seen in namespace default only, the rest is not")
    assert "NOT SEEN lab pods: seen in namespace default only" in answer.text
    assert "secretive" not in answer.text + answer.untrusted + str(answer.data)


@pytest.mark.parametrize(("tool", "arguments"), [item for item in EVERYWHERE if item[0] != "cluster_overview"])
async def test_about_the_namespace_that_is_seen_nothing_of_it_is_missing(
    desk: LiveDesk, tool: str, arguments: dict[str, Any]
) -> None:
    answer = await ask(desk, tool, {**arguments, "namespace": "default"})

    assert "lab pods" not in answer.data["scope"]["not_seen"]
    assert answer.data["scope"]["namespace"] == "default"


@pytest.mark.parametrize("where", [{}, {"namespace": "default"}])
async def test_what_may_be_seen_in_one_namespace_is_listed(desk: LiveDesk, where: dict[str, str]) -> None:
    answer = await ask(desk, "list_resources", {"kind": "pods", **where})

    assert [item["name"] for item in answer.data["items"]] == ["web"]


async def test_the_list_of_clusters_says_it_for_each_of_them(desk: LiveDesk) -> None:
    await ask(desk, "list_resources", {"kind": "pods"})
    answer = await ask(desk, "list_clusters", {})
    (lab,) = answer.data["clusters"]

    assert {"as_of", "staleness_seconds", "version"} <= set(lab)
    assert lab["not_seen"]["lab pods"].startswith("seen in namespace default only")
    assert "pods (in part)" in answer.text


async def test_overlays_speak_of_what_is_seen_and_say_so(desk: LiveDesk) -> None:
    cluster = (await cluster_overlay(desk)).data
    pod = (await object_overlay(desk, "Pod", "default", "web")).data

    assert cluster["scope"]["not_seen"]["lab pods"].startswith("seen in namespace default only")
    assert {"lab nodes", "lab namespaces"} <= set(cluster["scope"]["not_seen"])
    assert "1/1 pods ready" in cluster["summary"]
    assert (pod["health_score"], pod["anomalies"]) == (100, [])
    assert "lab pods" not in pod["scope"]["not_seen"]
