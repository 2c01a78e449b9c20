"""Resources, prompts and completions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mcp import Client, MCPError
from mcp.types import PromptReference
from tests.server.mcp.fakes import SECRET, make_app

from kubesteward.mcp.server import build

pytestmark = pytest.mark.anyio


async def test_clusters_are_read_without_secrets(tmp_path: Path) -> None:
    async with Client(build(make_app(tmp_path))) as client:
        listed = [resource.uri for resource in (await client.list_resources()).resources]
        found = (await client.read_resource("kubesteward://clusters")).contents[0]

    assert [str(uri) for uri in listed] == [
        "kubesteward://clusters",
        "kubesteward://investigations",
        "kubesteward://recommendations",
        "kubesteward://usage",
        "kubesteward://world/-/summary",
    ]
    assert json.loads(found.text)["clusters"][0]["name"] == "lab"
    assert SECRET not in found.text


@pytest.mark.parametrize(("mode", "code"), [("auto", -32602), ("legacy", -32002)])
async def test_what_is_not_there_is_said_in_the_words_of_the_era(tmp_path: Path, mode: str, code: int) -> None:
    async with Client(build(make_app(tmp_path)), mode=mode) as client:
        with pytest.raises(MCPError, match="not found") as refused:
            await client.read_resource("kubesteward://nothing/here")

    assert code == refused.value.error.code


@pytest.mark.parametrize(
    "path",
    [
        "world//summary?x=1",
        "world/lab",
        "world/lab/summary?cluster=lab",
        "analysis/Pod/shop",
        "analysis/Pod//web",
        "analysis/Pod/shop/web/more",
        "analysis",
    ],
)
async def test_an_address_that_means_no_overlay_is_not_found(tmp_path: Path, path: str) -> None:
    async with Client(build(make_app(tmp_path))) as client:
        with pytest.raises(MCPError, match="Resource not found"):
            await client.read_resource(f"kubesteward://{path}")


async def test_a_query_that_is_not_understood_is_refused(tmp_path: Path) -> None:
    async with Client(build(make_app(tmp_path))) as client:
        with pytest.raises(MCPError, match=r"may be .cluster=NAME"):
            await client.read_resource("kubesteward://analysis/Pod/shop/web?namespace=shop")


async def test_prompts_take_their_arguments_and_no_others(tmp_path: Path) -> None:
    async with Client(build(make_app(tmp_path))) as client:
        triage = await client.get_prompt("triage", {"namespace": "shop"})
        with pytest.raises(MCPError, match="action_id"):
            await client.get_prompt("review_change", {})
        with pytest.raises(MCPError, match="unknown: \\['node'\\]"):
            await client.get_prompt("triage", {"node": "a"})
        with pytest.raises(MCPError, match="There is no prompt"):
            await client.get_prompt("deploy", {})

    assert "namespace shop" in triage.messages[0].content.text


@pytest.mark.parametrize(
    ("argument", "value", "given", "expected"),
    [
        ("cluster", "", {}, ["lab", "prod"]),
        ("cluster", "p", {}, ["prod"]),
        ("kind", "pod", {}, ["Pod", "PodTemplate"]),
        ("namespace", "sh", {"cluster": "lab"}, ["shipping", "shop"]),
        ("name", "w", {"kind": "Deployment", "namespace": "shop"}, ["web", "worker"]),
        ("name", "w", {}, []),
        ("namespace", "", {"cluster": "prod"}, []),
        ("action_id", "a", {}, []),
    ],
)
async def test_arguments_are_completed(
    tmp_path: Path, argument: str, value: str, given: dict[str, str], expected: list[str]
) -> None:
    async with Client(build(make_app(tmp_path))) as client:
        reference = PromptReference(name="triage")
        found = await client.complete(reference, {"name": argument, "value": value}, context_arguments=given)

    assert expected == found.completion.values
