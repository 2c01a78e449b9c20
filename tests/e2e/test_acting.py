"""Every tool that acts, from a call to a changed cluster: previewed, agreed to by a person, executed, looked after."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from mcp import Client
from tests.e2e.desk import Desk, opened, text_of

from kubesteward_policies.change import APPLY_PATCH
from kubesteward_tools.twin.route import Request
from kubesteward_tools.world.store import Key

pytestmark = pytest.mark.anyio

WEB = {"kind": "Deployment", "name": "web", "namespace": "shop"}
CHECKOUT = {"kind": "Deployment", "name": "checkout", "namespace": "shop"}
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
TWO = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: site, namespace: fresh, labels: {part: site}}
spec:
  replicas: 1
  selector: {matchLabels: {app: site}}
  template:
    metadata: {labels: {app: site}}
    spec: {containers: [{name: app, image: "site:1"}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: site, namespace: fresh, labels: {part: site}}
data: {colour: blue}
---
apiVersion: v1
kind: Namespace
metadata: {name: fresh, labels: {part: site}}
"""


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path) as made:
        yield made


def live(desk: Desk, resource: str, name: str, namespace: str = "shop") -> dict[str, Any] | None:
    return desk.cluster.simulated.store.get(Key(resource, namespace, name))


def pods(desk: Desk, app: str) -> list[dict[str, Any]]:
    found = desk.cluster.simulated.store.objects("pods", "shop")
    return [pod for pod in found if pod["metadata"]["labels"].get("app") == app]


async def done(desk: Desk, client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """The record of the executed action, after a preview that wrote nothing."""
    before = list(desk.attempts)
    preview = await client.call_tool(tool, {**arguments, "dry_run": True})
    assert text_of(preview).startswith("PREVIEWED"), text_of(preview)
    assert desk.attempts == before
    result = await client.call_tool(tool, {**arguments, "dry_run": False})
    assert text_of(result).startswith("EXECUTED"), text_of(result)
    action = str((result.structured_content or {})["id"])
    record = await client.call_tool("get_action", {"action_id": action, "wait": 25})
    return dict(record.structured_content or {})


async def test_a_rollback_ends_the_incident(desk: Desk) -> None:
    async with desk.client() as client:
        record = await done(desk, client, "rollback_rollout", **CHECKOUT)

    assert desk.attempts == [f"PATCH {DEPLOYMENTS}/checkout"]
    assert desk.memory() == "256Mi"
    assert record["verified"] is True, record["outcome"]


async def test_a_roll_out_is_paused_and_resumed(desk: Desk) -> None:
    async with desk.client() as client:
        await done(desk, client, "set_rollout_paused", name="web", namespace="shop", paused=True)
        paused = live(desk, "deployments.apps", "web")
        await done(desk, client, "set_rollout_paused", name="web", namespace="shop", paused=False)
    resumed = live(desk, "deployments.apps", "web")

    assert desk.attempts == [f"PATCH {DEPLOYMENTS}/web"] * 2
    assert [bool(item and item["spec"].get("paused")) for item in (paused, resumed)] == [True, False]


async def test_a_manifest_is_applied_in_the_order_of_need(desk: Desk) -> None:
    async with desk.client() as client:
        record = await done(desk, client, "apply_manifest", yaml=TWO)
    site = live(desk, "deployments.apps", "site", "fresh")

    assert desk.attempts == [
        "PATCH /api/v1/namespaces/fresh",
        "PATCH /api/v1/namespaces/fresh/configmaps/site",
        "PATCH /apis/apps/v1/namespaces/fresh/deployments/site",
    ]
    assert record["verified"] is True, record["outcome"]
    assert site is not None
    assert {entry["manager"] for entry in site["metadata"]["managedFields"] if entry["operation"] == "Apply"} == {
        "kubesteward"
    }


async def test_fields_of_another_manager_are_taken_over_only_where_that_is_said(desk: Desk) -> None:
    manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: pool, namespace: shop}\ndata: {threads: '8'}\n"
    theirs = {**yaml.safe_load(manifest), "data": {"threads": "4"}}
    path = "/api/v1/namespaces/shop/configmaps/pool"
    made = desk.cluster.simulated.handle(Request("patch", path, {"fieldManager": "helm"}, APPLY_PATCH, theirs))
    assert made.status == 201
    async with desk.client() as client:
        refused = await client.call_tool("apply_manifest", {"yaml": manifest, "dry_run": False})
        forced = await client.call_tool("apply_manifest", {"yaml": manifest, "force_conflicts": True, "dry_run": True})

    assert "Apply failed with 1 conflict" in text_of(refused)
    assert "force_conflicts=true" in text_of(refused)
    assert "Apply failed" not in text_of(forced)
    assert desk.attempts == []


async def test_what_a_manifest_leaves_out_is_pruned_where_that_is_asked_for(desk: Desk) -> None:
    old = {"apiVersion": "v1", "kind": "ConfigMap", "data": {}}
    old["metadata"] = {"name": "old", "namespace": "shop", "labels": {"part": "site"}}
    desk.cluster.simulated.api.create("configmaps", "shop", old)
    config = TWO.split("---")[1].replace("fresh", "shop")
    async with desk.client() as client:
        record = await done(desk, client, "apply_manifest", yaml=config, prune="part=site")

    assert desk.attempts == [
        "PATCH /api/v1/namespaces/shop/configmaps/site",
        "DELETE /api/v1/namespaces/shop/configmaps/old",
    ]
    assert live(desk, "configmaps", "old") is None
    assert record["change"]["summary"] == "Apply ConfigMap shop/site; prune 1: ConfigMap shop/old"
    assert record["verified"] is True, record["outcome"]


async def test_deleting_takes_this_very_object_and_what_it_owns(desk: Desk) -> None:
    async with desk.client() as client:
        record = await done(desk, client, "delete_resource", kind="configmap", name="checkout", namespace="shop")

    assert desk.attempts == ["DELETE /api/v1/namespaces/shop/configmaps/checkout"]
    assert live(desk, "configmaps", "checkout") is None
    assert record["verified"] is True, record["outcome"]


async def test_an_evicted_pod_goes_by_the_eviction_api(desk: Desk) -> None:
    pod = pods(desk, "web")[0]["metadata"]
    async with desk.client() as client:
        await done(desk, client, "evict_pod", name=pod["name"], namespace="shop")
    left = live(desk, "pods", pod["name"])

    assert desk.attempts == [f"POST /api/v1/namespaces/shop/pods/{pod['name']}/eviction"]
    assert left is None or "deletionTimestamp" in left["metadata"]


async def test_a_node_is_closed_and_opened(desk: Desk) -> None:
    async with desk.client() as client:
        await done(desk, client, "cordon_node", name="node-1")
        closed = live(desk, "nodes", "node-1", "")
        await done(desk, client, "cordon_node", name="node-1", on=False)
    opened_ = live(desk, "nodes", "node-1", "")

    assert desk.attempts == ["PATCH /api/v1/nodes/node-1"] * 2
    assert [bool(item and item["spec"].get("unschedulable")) for item in (closed, opened_)] == [True, False]


async def test_a_drained_node_has_no_pod_left(desk: Desk) -> None:
    names = {
        pod["metadata"]["name"]
        for pod in desk.cluster.simulated.store.objects("pods", "shop")
        if pod["spec"]["nodeName"] == "node-1"
    }
    async with desk.client() as client:
        record = await done(desk, client, "drain_node", name="node-1")

    evictions = {item.split("/")[-2] for item in desk.attempts if item.endswith("/eviction")}
    assert desk.attempts[0] == "PATCH /api/v1/nodes/node-1"
    assert evictions == names
    assert record["status"] == "executed", record["outcome"]


WRONG: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("rollback_rollout", {**WEB, "revision": 9}, "Deployment shop/web has no revision 9 in its history."),
    ("set_rollout_paused", {"name": "wbe", "namespace": "shop", "paused": True}, "Did you mean 'web'?"),
    ("apply_manifest", {"yaml": "kind: Pod"}, "manifest:1: an object lacks apiVersion."),
    ("delete_resource", {**WEB, "propagation": "later"}, "propagation"),
    ("evict_pod", {"name": "web", "namespace": "shop"}, "'web' is a "),
    ("cordon_node", {"name": "node-9"}, "there is no Node 'node-9'. Did you mean"),
    ("drain_node", {"name": "node-9"}, "there is no Node 'node-9'. Did you mean"),
    ("exec_in_pod", {"pod": "web", "command": "ls"}, "'command'"),
)


async def test_what_cannot_be_meant_is_answered_in_a_sentence(desk: Desk) -> None:
    async with desk.client() as client:
        for tool, arguments, words in WRONG:
            result = await client.call_tool(tool, {**arguments, "dry_run": False})

            assert result.is_error
            assert words in text_of(result)
            assert text_of(result).count("\n") == 0
    assert desk.attempts == []
