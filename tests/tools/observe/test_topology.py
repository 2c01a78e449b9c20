"""The graph is shown from one object outwards, and what is missing in it is said, guesses aside."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.tools.desk import TestDesk, create, shop

from kubesteward_tools.catalog import load_tools
from kubesteward_tools.errors import InvalidArguments, ObjectNotFound
from kubesteward_tools.tool import Answer

pytestmark = pytest.mark.anyio

TOPOLOGY = load_tools()["get_topology"]


@pytest.fixture(scope="module")
def desk() -> TestDesk:
    """shop/web with eight pods and a Service; shop/cart, which names what is not there."""
    cluster = shop(8)
    service = {"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}
    create(cluster, "/api/v1/namespaces/shop/services", service)
    labels = {"app": "cart"}
    container = {
        "name": "app",
        "image": "cart:1",
        "env": [{"name": "ORDERS_URL", "value": "http://orders.shop.svc:8080"}],
        "envFrom": [{"configMapRef": {"name": "cart"}}, {"configMapRef": {"name": "extra", "optional": True}}],
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    create(cluster, "/apis/apps/v1/namespaces/shop/deployments", {"metadata": {"name": "cart"}, "spec": spec})
    return TestDesk(cluster.store)


async def ask(desk: TestDesk, resource: str, **arguments: Any) -> Answer:
    answer = await TOPOLOGY.function(desk, resource=resource, **arguments)
    assert isinstance(answer, Answer)
    return answer


def ids(answer: Answer) -> set[str]:
    return {node["id"].rpartition("-")[0] if "Pod/" in node["id"] else node["id"] for node in answer.data["nodes"]}


async def test_dependents_of_a_node_are_its_pods_and_what_stands_on_them(desk: TestDesk) -> None:
    text = (await ask(desk, "node/node-1", direction="dependents")).text

    assert "\n  <- scheduled_on Pod/shop/web-" in text
    assert "\n    <- selects Service/shop/web" in text


async def test_missing_dependencies_are_marked_and_guesses_are_not(desk: TestDesk) -> None:
    answer = await ask(desk, "deploy/cart", direction="dependencies")

    assert "Missing: ConfigMap/cart." in answer.text
    assert "env_from ConfigMap/extra (envFrom of container app) missing (optional)" in answer.text
    assert "calls Service/orders (env ORDERS_URL of container app) guessed, 90%\n" in answer.text + "\n"
    assert {"source": "Deployment/shop/cart", "relation": "calls", "target": "Service/shop/orders"}.items() <= next(
        edge.items() for edge in answer.data["edges"] if edge["relation"] == "calls"
    )
    assert [node["id"] for node in answer.data["nodes"] if node.get("missing")] == [
        "ConfigMap/shop/cart",
        "ConfigMap/shop/extra",
    ]


async def test_what_is_missing_can_be_asked_about(desk: TestDesk) -> None:
    answer = await ask(desk, "configmap/cart", namespace="shop", direction="dependents")

    assert "\nConfigMap/cart missing\n" in answer.text
    assert "Deployment/shop/cart" in ids(answer)
    with pytest.raises(ObjectNotFound):
        await ask(desk, "configmap/nobody-names-it", namespace="shop")


async def test_alike_objects_are_counted_from_the_seventh_on(desk: TestDesk) -> None:
    answer = await ask(desk, "deploy/web", direction="dependents")

    assert "    owns 2 more Pod" in answer.text
    assert "objects are only counted: narrow with relations or depth." in answer.text
    assert answer.data["total"] > answer.data["shown"]


async def test_depth_and_relations_narrow_the_walk(desk: TestDesk) -> None:
    near = await ask(desk, "deploy/web", direction="dependents", depth=1)
    owned = await ask(desk, "deploy/web", direction="dependents", relations=["owns"])

    assert {node["id"].split("/")[0] for node in near.data["nodes"]} == {"Deployment", "ReplicaSet"}
    assert {edge["relation"] for edge in owned.data["edges"]} == {"owns"}
    with pytest.raises(InvalidArguments, match="There are: admits, "):
        await ask(desk, "deploy/web", relations=["likes"])


async def test_neighbours_are_of_both_directions(desk: TestDesk) -> None:
    answer = await ask(desk, "deploy/cart", direction="neighbours", depth=1)

    assert {edge["relation"] for edge in answer.data["edges"]} >= {"owns", "env_from", "selects"}


async def test_a_namespace_contains_what_is_in_it(desk: TestDesk) -> None:
    assert "  contains Deployment/cart" in (await ask(desk, "ns/shop", direction="dependents", depth=1)).text


async def test_mermaid_draws_each_node_and_arrow_once(desk: TestDesk) -> None:
    lines = (await ask(desk, "deploy/cart", format="mermaid")).text.splitlines()

    assert "flowchart LR" in lines
    assert '  n0["Deployment/cart"]' in lines
    assert '  n1["ConfigMap/cart"]:::missing' in lines
    assert lines.count("  n0 -->|env_from| n1") == 1


async def test_what_may_not_be_listed_is_said(desk: TestDesk) -> None:
    world = await desk.clusters.world()
    world.forbidden["secrets"] = "secrets is forbidden"
    try:
        assert "NOT SEEN lab secrets: secrets is forbidden" in (await ask(desk, "deploy/web")).text
    finally:
        del world.forbidden["secrets"]


def test_the_definition_is_short() -> None:
    from kubesteward.mcp.arguments import Arguments

    definition = TOPOLOGY.description + json.dumps(Arguments(TOPOLOGY).schema, separators=(",", ":"))

    assert len(definition) <= 1000
