"""Failures correlated over three live API servers at once, through MCP."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from kubesteward.app import App
from kubesteward.embedded.server import EmbeddedCluster
from kubesteward.mcp.server import build
from kubesteward.settings import Settings

pytestmark = pytest.mark.anyio


@contextlib.asynccontextmanager
async def fleet(folder: Path, *scenarios: str) -> AsyncIterator[Client]:
    """One API server for each scenario, called c0, c1 and so on in one kubeconfig."""
    async with contextlib.AsyncExitStack() as stack:
        config: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "clusters": [], "users": [], "contexts": []}
        for number, scenario in enumerate(scenarios):
            cluster = await stack.enter_async_context(EmbeddedCluster(scenario=scenario))
            own, name = cluster.kubeconfig(), f"c{number}"
            config["clusters"].append({**own["clusters"][0], "name": name})
            config["users"].append({**own["users"][0], "name": name})
            config["contexts"].append({"name": name, "context": {"cluster": name, "user": name}})
        path = folder / "kubeconfig"
        path.write_text(json.dumps(config | {"current-context": "c0"}))
        app = App(Settings.load({}, kubeconfig=path, state_dir=folder / "state"))
        stack.push_async_callback(app.close)
        yield await stack.enter_async_context(Client(build(app)))


async def test_one_failure_in_three_clusters_is_told_once_with_what_they_share(tmp_path: Path) -> None:
    async with fleet(tmp_path, "image-pull", "image-pull", "image-pull") as client:
        result = await client.call_tool("correlate_failures", {"clusters": ["*"], "namespace": "shop"})

    data = result.structured_content or {}
    assert not result.is_error
    assert [sorted(item["clusters"]) for item in data["across_clusters"]] == [["c0", "c1", "c2"]]
    assert {"what": "workload", "value": "Deployment shop/catalog", "clusters": 3} in data["across_clusters"][0][
        "shared"
    ]
    assert data["incidents"] == []
    assert {item["object"] for item in data["alone"]} == {"Deployment shop/catalog"}


async def test_clusters_that_fail_each_in_their_own_way_have_nothing_in_common(tmp_path: Path) -> None:
    async with fleet(tmp_path, "node-down", "healthy", "missing-config") as client:
        result = await client.call_tool("correlate_failures", {"clusters": ["*"]})

    data = result.structured_content or {}
    assert data["across_clusters"] == []
    assert [(item["cluster"], item["common"]) for item in data["incidents"]] == [("c0", "Node node-2")]
    assert {item["cluster"] for item in data["alone"]} == {"c2"}
    assert data["failing"]["c1"] == 0
