"""`correlate_failures` as a model meets it: embedded clusters, one and three at once, users, wrong input."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import TextContent

from kubesteward.app import App
from kubesteward.embedded.scenarios import build as scenario
from kubesteward.mcp.server import build
from kubesteward.settings import Settings
from kubesteward_tools.cluster.bundle import BundleSource
from kubesteward_tools.cluster.clusters import Clusters
from kubesteward_tools.cluster.discovery import Kinds
from kubesteward_tools.twin.resources import BUILT_IN

pytestmark = pytest.mark.anyio
NOW = 1795222800.0


@contextlib.asynccontextmanager
async def over(folder: Path, **scenarios: str) -> AsyncIterator[Client]:
    """One cluster for each, named as the argument."""
    kinds = Kinds(item for item in BUILT_IN if item.group != "metrics.k8s.io")
    sources: dict[str, Any] = {
        name: BundleSource(scenario(word, 3, NOW).store, kinds, {}) for name, word in scenarios.items()
    }
    app = App(Settings(state_dir=folder / "state"), clusters=Clusters.of(sources))
    async with Client(build(app)) as client:
        yield client


async def ask(client: Client, **arguments: Any) -> tuple[str, dict[str, Any]]:
    result = await client.call_tool("correlate_failures", arguments)
    [block] = result.content
    assert isinstance(block, TextContent)
    return block.text, result.structured_content or {}


async def test_a_healthy_cluster_is_said_to_be_well_with_what_was_looked_at(tmp_path: Path) -> None:
    async with over(tmp_path, one="healthy") as client:
        text, data = await ask(client)

    assert (data["incidents"], data["alone"], data["across_clusters"]) == ([], [], [])
    assert data["looked_at"]["one"]["pods"] > 0
    assert "nothing failed in the last 30m" in text


async def test_an_empty_cluster_is_not_called_well(tmp_path: Path) -> None:
    async with over(tmp_path, one="empty") as client:
        text, _ = await ask(client)

    assert "there are no pods to judge by" in text


async def test_a_node_that_is_down_is_told_with_its_numbers(tmp_path: Path) -> None:
    async with over(tmp_path, one="node-down") as client:
        text, data = await ask(client)

    [found] = data["incidents"]
    assert found["culprit"] == {"kind": "Node", "name": "node-2", "namespace": ""}
    assert (found["coverage"], found["specificity"]) == (1.0, 1.0)
    assert data["alone"] == []
    assert "1. Node node-2" in text


@pytest.mark.parametrize(
    ("word", "owner"), [("incident", "checkout"), ("image-pull", "catalog"), ("missing-config", "cart")]
)
async def test_a_single_failure_is_a_single_one(tmp_path: Path, word: str, owner: str) -> None:
    async with over(tmp_path, one=word) as client:
        text, data = await ask(client)

    assert data["incidents"] == []
    assert [item["object"] for item in data["alone"]] == [f"Deployment shop/{owner}"]
    assert "Alone, nothing in common found (1)" in text


async def test_three_clusters_with_one_failure_are_one_incident(tmp_path: Path) -> None:
    async with over(tmp_path, a="image-pull", b="image-pull", c="image-pull", d="healthy") as client:
        text, data = await ask(client, clusters=["*"])

    [found] = data["across_clusters"]
    assert set(found["clusters"]) == {"a", "b", "c"}
    assert {"what": "workload", "value": "Deployment shop/catalog", "clusters": 3} in found["shared"]
    assert "Across 3 clusters" in text


async def test_three_healthy_clusters_have_nothing_to_say(tmp_path: Path) -> None:
    async with over(tmp_path, a="healthy", b="healthy", c="healthy") as client:
        _, data = await ask(client, clusters=["*"])

    assert (data["across_clusters"], data["incidents"], data["alone"]) == ([], [], [])


async def test_three_clusters_with_failures_of_their_own_are_not(tmp_path: Path) -> None:
    async with over(tmp_path, a="image-pull", b="missing-config", c="incident") as client:
        text, data = await ask(client, clusters=["*"])

    assert data["across_clusters"] == []
    assert "Across clusters: nothing in common" in text


@pytest.mark.parametrize("arguments", [{"window": "3y"}, {"window": "9d"}, {"namespace": "nope"}, {"cluster": "nope"}])
async def test_wrong_input_is_answered_with_what_to_do(tmp_path: Path, arguments: dict[str, str]) -> None:
    async with over(tmp_path, one="incident") as client:
        result = await client.call_tool("correlate_failures", arguments)

    assert result.is_error


async def test_the_definition_costs_at_most_150_tokens(tmp_path: Path) -> None:
    async with over(tmp_path, one="empty") as client:
        [tool] = [item for item in (await client.list_tools()).tools if item.name == "correlate_failures"]

    shown = tool.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert len(json.dumps(shown, separators=(",", ":"))) <= 600
