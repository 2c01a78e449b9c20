"""Every tool against a cluster that lives: what a person sees, and the data beside it."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import CallToolResult, PromptReference
from tests.e2e.desk import Desk, opened, text_of

from kubesteward_tools.world.metrics.samples import Series
from kubesteward_tools.world.store import Key

pytestmark = pytest.mark.anyio

WEB = {"kind": "Deployment", "name": "web", "namespace": "shop"}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with opened(tmp_path_factory.mktemp("desk")) as made:
        yield made


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[Client]:
    async with desk.client(forms=False) as made:
        yield made


async def ask(client: Client, tool: str, **arguments: Any) -> CallToolResult:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    return result


def data(result: CallToolResult) -> dict[str, Any]:
    return dict(result.structured_content or {})


async def test_the_overview_leads_to_the_incident(client: Client) -> None:
    said = text_of(await ask(client, "cluster_overview"))

    assert "workloads 5/6 ready" in said
    assert "Deployment/shop/checkout: CrashLoopBackOff" in said
    assert "OOMKilled" in said


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"label_selector": "app=web"}, {"web"}),
        ({"label_selector": "app in (web, cart)"}, {"web", "cart"}),
        ({"status": "CrashLoopBackOff"}, {"checkout"}),
        ({"status": "not_ready"}, {"checkout"}),
        ({"field_selector": "status.phase=Pending"}, set()),
        ({"label_selector": "app=web", "clusters": ["*"]}, {"web"}),
    ],
)
async def test_pods_are_picked_by_what_they_are(client: Client, arguments: dict[str, Any], names: set[str]) -> None:
    found = data(await ask(client, "list_resources", kind="po", namespace="shop", **arguments))

    assert {item["name"].split("-")[0] for item in found["items"]} == names


async def test_the_most_restarted_comes_first(client: Client) -> None:
    found = data(await ask(client, "list_resources", kind="pods", sort="restarts", limit=1))

    assert found["items"][0]["name"].startswith("checkout-")
    assert found["next_cursor"]


async def test_parts_of_an_object_are_shown_alone(client: Client) -> None:
    said = text_of(await ask(client, "get_resource_yaml", **WEB, sections=["spec.strategy"]))

    assert "maxSurge: 25%" in said
    assert "containers" not in said


async def test_the_way_from_a_deployment_to_its_service_and_budget_is_shown(client: Client) -> None:
    result = await ask(client, "get_topology", resource="deploy/web", namespace="shop", direction="dependents")

    assert {"owns", "selects", "endpoints"} <= {edge["relation"] for edge in data(result)["edges"]}
    assert "<- selects Service/web" in text_of(result)
    assert "missing" not in text_of(result)


async def test_events_of_a_workload_name_the_crash_of_its_pod(client: Client) -> None:
    said = text_of(await ask(client, "get_events", related_resource="Deployment/checkout", namespace="shop"))

    assert "Back-off restarting failed container checkout" in said


async def test_the_previous_run_tells_why_it_ended(client: Client) -> None:
    said = text_of(
        await ask(client, "get_logs", target="Deployment/checkout", namespace="shop", previous=True, hint="memory")
    )

    assert "WARN heap at 94 of 96Mi" in said


@pytest.mark.parametrize("query", ["cpu_usage", "memory_usage", "cpu_saturation", "memory_saturation", "restarts"])
async def test_each_metric_says_its_source(client: Client, query: str) -> None:
    found = data(await ask(client, "get_metrics", query=query, target="Deployment/web", namespace="shop"))

    assert found["total"] == 3
    assert found["source"] == ("pod status" if query == "restarts" else "metrics-server (its latest sample)")


async def test_nodes_have_metrics_too(client: Client) -> None:
    found = data(await ask(client, "get_metrics", query="memory_saturation", target="nodes"))

    assert {item["object"] for item in found["items"]} == {"node-1", "node-2", "node-3"}
    assert all(0 < item["value"] < 1 for item in found["items"])


@pytest.mark.parametrize(
    ("arguments", "verdict", "words"),
    [
        ({"action": "scale", **WEB, "params": {"replicas": 0}}, "blocked", "lose all of its 3 ready endpoints"),
        ({"action": "scale", **WEB, "params": {"replicas": 2}}, "safe", "stopped 1"),
        ({"action": "restart", **WEB}, "warn", "would stall if new pods do not become ready"),
        ({"action": "restart", **WEB, "name": "payments"}, "blocked", "exceeded quota: shop"),
        ({"action": "set_image", **WEB, "params": {"image": "nginx:2"}}, "warn", "Pods started 3"),
        ({"action": "delete", **WEB}, "blocked", "would be gone with 3 ready pods"),
        ({"action": "delete", "kind": "ConfigMap", "name": "checkout", "namespace": "shop"}, "warn", "could not start"),
        ({"action": "delete", "kind": "Namespace", "name": "shop"}, "blocked", "deployment shop/web would be gone"),
        ({"action": "cordon", "name": "node-1"}, "safe", "blast radius 0 pods"),
        ({"action": "drain", "name": "node-2"}, "blocked", "disruption budget"),
        (
            {
                "action": "patch",
                **WEB,
                "params": {"patch": [{"op": "remove", "path": "/spec/nothing"}], "patch_type": "json"},
            },
            "blocked",
            "422",
        ),
        (
            {"action": "apply", "manifest": "{apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: shop}}"},
            "safe",
            "Apply ConfigMap shop/x",
        ),
    ],
)
async def test_a_rehearsal_says_what_would_come_of_it(
    client: Client, arguments: dict[str, Any], verdict: str, words: str
) -> None:
    result = await ask(client, "simulate_impact", **arguments)

    assert data(result)["verdict"] == verdict, text_of(result)
    assert words in text_of(result)


async def test_what_is_rehearsed_is_not_done(client: Client, desk: Desk) -> None:
    before = desk.cluster.simulated.store.objects("deployments.apps", "shop")
    await ask(client, "simulate_impact", action="scale", **WEB, params={"replicas": 0})

    assert desk.cluster.simulated.store.objects("deployments.apps", "shop") == before
    assert desk.attempts == []


async def test_a_recommendation_carries_its_rehearsal_and_can_be_read_again(client: Client) -> None:
    action = {"action": "restart", **WEB, "name": "payments"}
    result = await ask(
        client,
        "draft_recommendation",
        title="Restart payments",
        severity="low",
        reasoning="It was asked for.",
        proposed_actions=[action],
    )
    (kept,) = json.loads((await client.read_resource("kubesteward://recommendations")).contents[0].text)[
        "recommendations"
    ]

    assert "blocked: Restart Deployment shop/payments" in text_of(result)
    assert kept["title"] == "Restart payments"
    assert kept["actions"][0]["proposed"] == action


async def test_every_resource_that_is_listed_can_be_read(client: Client) -> None:
    listed = [str(item.uri) for item in (await client.list_resources()).resources]
    templates = {item.uri_template for item in (await client.list_resource_templates()).resource_templates}
    texts = [(await client.read_resource(uri)).contents[0].text for uri in listed]

    paths = ["clusters", "investigations", "recommendations", "usage", "world/-/summary"]
    assert [uri.removeprefix("kubesteward://") for uri in listed] == paths
    assert {template.removeprefix("kubesteward://") for template in templates} == {
        "actions/{id}",
        "investigations/{id}",
        "investigations/{id}/results/{n}",
        "world/{cluster}/summary",
        "analysis/{kind}/{namespace}/{name}{?cluster}",
    }
    assert all(json.loads(text) for text in texts)


@pytest.mark.requirement("overlay.explained")
@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("world/-/summary", "crashing"),
        ("world/kubesteward-embedded/summary", "crashing"),
        ("analysis/Deployment/shop/checkout", "crashing"),
        ("analysis/Service/shop/checkout?cluster=kubesteward-embedded", "degraded"),
        ("analysis/ns/-/shop", "crashing"),
    ],
)
async def test_an_overlay_leads_to_the_incident_and_explains_its_score(client: Client, path: str, code: str) -> None:
    text = (await client.read_resource(f"kubesteward://{path}")).contents[0].text
    found = json.loads(text)

    assert code in [item["code"] for item in found["anomalies"]]
    assert 100 - found["health_score"] == sum(item["points"] for item in found["anomalies"])
    assert len(text.encode()) < 5000
    assert {"cluster", "as_of", "staleness_seconds", "not_seen"} <= set(found["scope"])


async def test_names_are_completed_from_the_cluster(client: Client) -> None:
    reference = PromptReference(name="triage")
    found = await client.complete(
        reference, {"name": "name", "value": "che"}, context_arguments={"kind": "Deployment", "namespace": "shop"}
    )

    assert found.completion.values == ["checkout"]


@pytest.mark.parametrize(
    ("argument", "given", "values"),
    [
        ({"name": "cluster", "value": ""}, {}, ["kubesteward-embedded"]),
        ({"name": "namespace", "value": "SH"}, {}, ["shop"]),
        ({"name": "kind", "value": "deploy"}, {}, ["Deployment"]),
        ({"name": "name", "value": "node-"}, {"kind": "Node"}, ["node-1", "node-2", "node-3"]),
        ({"name": "name", "value": ""}, {"kind": "Nonsense"}, []),
        ({"name": "name", "value": ""}, {}, []),
    ],
)
async def test_every_name_of_a_target_is_completed(
    client: Client, argument: dict[str, str], given: dict[str, str], values: list[str]
) -> None:
    found = await client.complete(PromptReference(name="triage"), argument, context_arguments=given)

    assert found.completion.values == values


async def test_no_more_than_a_hundred_completions_are_sent(client: Client, desk: Desk) -> None:
    world = await desk.app.clusters.world(None)
    names = [Key("configmaps", "crowd", f"map-{number:03}") for number in range(150)]
    await world.ensure("configmaps")
    for key in names:
        world.store.put(key, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": key.name}})
    found = await client.complete(
        PromptReference(name="triage"), {"name": "name", "value": "map-"}, context_arguments={"kind": "ConfigMap"}
    )

    assert found.completion.values == [key.name for key in names[:100]]
    assert (found.completion.total, found.completion.has_more) == (150, True)


@pytest.mark.requirement("tools.budget")
async def test_a_concise_answer_costs_a_model_little(client: Client) -> None:
    """Text and data, as bytes / 4; the bar is 2,000 tokens at the median."""
    asked: list[tuple[str, dict[str, Any]]] = [
        ("cluster_overview", {}),
        ("list_resources", {"kind": "pods"}),
        ("get_resource_yaml", WEB),
        ("get_events", {"related_resource": "Deployment/checkout", "namespace": "shop"}),
        ("get_logs", {"target": "Deployment/checkout", "namespace": "shop"}),
        ("get_metrics", {"query": "cpu_usage"}),
        ("simulate_impact", {"action": "drain", "name": "node-1"}),
        ("check_policy", {}),
        ("correlate_failures", {}),
        ("explain_permissions", {"verb": "get", "resource": "secrets"}),
        ("diff_resources", {"a": "shop/deploy/checkout", "b": "shop/deploy/web"}),
        ("find_anomalies", {}),
    ]
    sizes = []
    for tool, arguments in asked:
        result = await ask(client, tool, **arguments)
        sizes.append((len(text_of(result)) + len(json.dumps(result.structured_content))) // 4)

    assert sorted(sizes)[len(sizes) // 2] <= 2000
    assert max(sizes) <= 20_000


async def test_anomalies_of_a_living_cluster_name_the_object_the_numbers_and_what_was_not_judged(
    client: Client,
) -> None:
    result = await ask(client, "find_anomalies", scope="shop")
    data = result.structured_content or {}
    first = data["anomalies"][0]

    assert (first["code"], first["kind"], first["name"]) == ("restarts.often", "Deployment", "checkout")
    assert first["numbers"]["restarts"] >= first["numbers"]["threshold"]
    assert any("no samples yet" in item or "no baseline yet" in item for item in data["not_judged"])
    assert {"pods", "logs"} <= data["looked_at"].keys()
    assert "limits.memory" in first["changed"]
    assert "critical restarts.often | Deployment shop/checkout" in text_of(result)


async def test_weak_spots_of_a_living_cluster_are_counted_and_a_scope_lists_them(client: Client) -> None:
    whole, space = await ask(client, "find_anomalies"), await ask(client, "find_anomalies", namespace="shop")

    assert data(whole)["weak_spots"] == {"total": 1, "codes": {"topology.closed_budget": 1}, "listed": []}
    assert "1 topology.closed_budget; a namespace or kind/name lists its own" in text_of(whole)
    assert [item["name"] for item in data(space)["weak_spots"]["listed"]] == ["payments"]
    assert "info topology.closed_budget | PodDisruptionBudget shop/payments" in text_of(space)


async def test_sizes_are_asked_for_and_their_patch_is_rehearsed(tmp_path: Path) -> None:
    async with opened(tmp_path) as fresh, fresh.client(forms=False) as client:
        world, now = await fresh.app.clusters.world(), time.time()
        await world.ensure("pods")
        for pod in world.store.keys("pods", "shop"):
            for number in range(100 if pod.name.startswith("web-") else 0):
                world.telemetry.samples.add(Series("memory", pod, "web"), now - 35 * (100 - number), 250 * 2.0**20)
        young = await ask(client, "forecast", metric="sizing", target="deploy/payments", namespace="shop")
        known = await ask(client, "forecast", metric="sizing", target="deploy/web", namespace="shop")
        (web,) = data(known)["workloads"]
        rehearsed = await ask(client, "simulate_impact", **web["proposed"])

    assert "NOT KNOWN" in text_of(young)
    assert "proposed" not in data(young)["workloads"][0]
    assert data(young)["sizes"] == {"unknown": 2}
    assert (web["sizes"][1]["verdict"], web["sizes"][1]["severity"]) == ("under", "warning")
    assert data(known)["saving"]["memory"] < 0
    assert data(rehearsed)["verdict"] in {"safe", "warn", "blocked"}


async def test_a_drain_as_the_very_first_question_sees_the_pods_of_the_node(tmp_path: Path) -> None:
    async with opened(tmp_path) as fresh, fresh.client(forms=False) as client:
        result = await ask(client, "simulate_impact", action="drain", name="node-2")

    assert "evict 0 pods" not in text_of(result)
