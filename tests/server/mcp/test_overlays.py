"""Overlays as resources: how well a cluster or an object is, in both eras, and told when it changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError
from tests.server.mcp.fakes import CATALOGUE, FakeAudit, FakeGate
from tests.tools.desk import shop

from kubesteward.app import App
from kubesteward.mcp.server import build
from kubesteward.settings import Settings
from kubesteward_tools.cluster.bundle import BundleSource
from kubesteward_tools.cluster.clusters import Clusters
from kubesteward_tools.cluster.discovery import Kinds
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.resources import BUILT_IN

pytestmark = pytest.mark.anyio

ARN = "arn:aws:eks:eu-west-1:111122223333:cluster/shop"


def make_app(folder: Path, cluster: SimulatedCluster) -> App:
    """Two names for one simulated cluster."""
    kinds = Kinds(item for item in BUILT_IN if item.group != "metrics.k8s.io")
    clusters = Clusters.of({name: BundleSource(cluster.store, kinds, {}) for name in ("lab", ARN)})
    settings = Settings.load({}, state_dir=folder, principal="local:alice")
    return App(settings, tools=CATALOGUE, gate=FakeGate(), clusters=clusters, audit=FakeAudit())


async def read(client: Client, path: str) -> dict[str, Any]:
    (found,) = (await client.read_resource(f"kubesteward://{path}")).contents

    assert found.mime_type == "application/json"
    assert len(found.text.encode()) < 5000
    return dict(json.loads(found.text))


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_overlays_are_read(tmp_path: Path, mode: str) -> None:
    async with Client(build(make_app(tmp_path, shop())), mode=mode) as client:
        cluster = await read(client, "world/lab/summary")
        web = await read(client, "analysis/Deployment/shop/web")
        node = await read(client, "analysis/node/-/node-1")

    assert (cluster["health_score"], cluster["anomalies"]) == (100, [])
    assert cluster["scope"]["cluster"] == "lab"
    assert (web["object"], web["health_score"]) == ("Deployment/shop/web", 100)
    assert node["object"] == "Node/node-1"


async def test_a_cluster_is_named_in_the_address_or_is_the_current_one(tmp_path: Path) -> None:
    encoded = "arn%3Aaws%3Aeks%3Aeu-west-1%3A111122223333%3Acluster%2Fshop"
    async with Client(build(make_app(tmp_path, shop()))) as client:
        found = [
            (await read(client, path))["scope"]["cluster"]
            for path in (
                "world/-/summary",
                f"world/{encoded}/summary",
                f"world/{ARN}/summary",
                f"analysis/deploy/shop/web?cluster={encoded}",
                "analysis/deployments.apps/shop/web",
            )
        ]

    assert found == ["lab", ARN, ARN, ARN, "lab"]


async def test_templates_say_what_can_be_asked(tmp_path: Path) -> None:
    async with Client(build(make_app(tmp_path, shop()))) as client:
        found = {item.uri_template for item in (await client.list_resource_templates()).resource_templates}

    assert {
        "kubesteward://world/{cluster}/summary",
        "kubesteward://analysis/{kind}/{namespace}/{name}{?cluster}",
    } <= found


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("analysis/Deployment/shop/wep", "Did you mean 'web'"),
        ("analysis/Deploymint/shop/web", "Deployment"),
        ("world/lap/summary", "Did you mean lab"),
        ("analysis/Deployment/shop/web?cluster=lap", "Did you mean lab"),
    ],
)
async def test_what_is_not_there_is_refused_with_what_may_have_been_meant(
    tmp_path: Path, path: str, words: str
) -> None:
    async with Client(build(make_app(tmp_path, shop()))) as client:
        with pytest.raises(MCPError, match=words):
            await client.read_resource(f"kubesteward://{path}")
