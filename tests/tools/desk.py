"""A desk over the simulated cluster or over saved objects, for tests of tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubesteward_policies import packs
from kubesteward_policies.documents import read
from kubesteward_policies.rules import RuleSet
from kubesteward_tools.cluster.bundle import BundleSource
from kubesteward_tools.cluster.clusters import Clusters
from kubesteward_tools.cluster.discovery import Kinds
from kubesteward_tools.twin.cel import compiled
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.resources import BUILT_IN
from kubesteward_tools.twin.route import Request
from kubesteward_tools.world.store import Store

NOW = 1795222800.0


class Kept:
    """Remembers what was saved."""

    def __init__(self) -> None:
        self.saved: list[Mapping[str, Any]] = []
        self.plans: dict[str, Mapping[str, Any]] = {}

    async def save_recommendation(self, recommendation: Mapping[str, Any]) -> str:
        self.saved.append(recommendation)
        return "rec-1"

    async def action(self, action_id: str, wait: float) -> Mapping[str, Any]:
        return {"id": action_id, "status": "previewed", "change": {"summary": "Scale Deployment shop/web"}}

    async def save_plan(self, plan: Mapping[str, Any], plan_id: str = "") -> str:
        found = plan_id or f"plan-{len(self.plans) + 1}"
        self.plans[found] = {**plan, "id": found}
        return found

    async def plan(self, plan_id: str) -> Mapping[str, Any]:
        return self.plans[plan_id]


class TestDesk:
    """`kubesteward_tools.tool.Desk` at a fixed time."""

    __test__ = False

    def __init__(self, store: Store, logs: Mapping[str, str] | None = None) -> None:
        kinds = Kinds(item for item in BUILT_IN if item.group != "metrics.k8s.io")
        self.clusters = Clusters.of({"lab": BundleSource(store, kinds, logs or {})})
        self.records = Kept()

    def rules(self) -> RuleSet:
        return read(tuple((name, packs.text(name)) for name in ("default", "strict")), compiled)

    def brain_troubles(self) -> list[str]:
        return []

    async def safe_mode(self, cluster: str = "") -> list[str]:
        return []

    def now(self) -> float:
        return NOW


def shop(pods: int = 3, cpu: str = "10m", nodes: int = 3) -> SimulatedCluster:
    """A cluster with the Deployment shop/web, settled."""
    cluster = SimulatedCluster.new(nodes=nodes, now=NOW - 3600)
    create(cluster, "/api/v1/namespaces", {"metadata": {"name": "shop"}})
    labels = {"app": "web"}
    container = {"name": "app", "image": "nginx:1.27", "resources": {"requests": {"cpu": cpu}}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": pods, "selector": {"matchLabels": labels}, "template": template}
    create(cluster, "/apis/apps/v1/namespaces/shop/deployments", {"metadata": {"name": "web"}, "spec": spec})
    return cluster


def create(cluster: SimulatedCluster, path: str, body: dict[str, Any]) -> None:
    response = cluster.handle(Request("create", path, body=body))
    assert response.status == 201, response.body
    cluster.engine.settle()
