"""What is really different between two objects, or two states of one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.tools.desk import NOW, TestDesk, create, shop

from kubesteward_tools.analyse.diff_resources import diff_resources
from kubesteward_tools.cluster.bundle import BundleSource
from kubesteward_tools.cluster.clusters import Clusters
from kubesteward_tools.cluster.discovery import Kinds
from kubesteward_tools.errors import InvalidArguments, ObjectNotFound
from kubesteward_tools.tool import Answer
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.resources import BUILT_IN
from kubesteward_tools.twin.route import Request

SAME = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: app, image: "nginx:1.27", resources: {requests: {cpu: 0.01}}}]
"""
DEPLOYMENT = "/apis/apps/v1/namespaces/shop/deployments/web"


def patch(made: SimulatedCluster, body: dict[str, Any]) -> None:
    made.handle(Request("patch", DEPLOYMENT, content_type="application/merge-patch+json", body=body))
    made.engine.settle()


async def ask(made: SimulatedCluster, a: str, b: str, **more: Any) -> Answer:
    answer = await diff_resources.function(TestDesk(made.store), a=a, b=b, namespace="shop", **more)
    assert isinstance(answer, Answer)
    return answer


def rows(answer: Answer) -> dict[str, tuple[str, str]]:
    return {row["path"]: (row["a"], row["b"]) for row in answer.data["differences"]}


@pytest.mark.anyio
async def test_defaults_quantities_and_what_a_server_writes_are_no_difference() -> None:
    found = await ask(shop(), "deploy/web", SAME)

    assert rows(found) == {}
    assert "No difference that means anything." in found.text


@pytest.mark.anyio
async def test_a_container_is_compared_by_its_name() -> None:
    found = await ask(shop(), "deploy/web", SAME.replace("1.27", "1.28").replace("replicas: 3", "replicas: 5"))

    assert rows(found) == {
        "spec.replicas": ("3", "5"),
        "spec.template.spec.containers[app].image": ("nginx:1.27", "nginx:1.28"),
    }


@pytest.mark.anyio
async def test_a_revision_is_what_an_earlier_rollout_ran() -> None:
    made = shop()
    made.engine.settle()
    patch(made, {"spec": {"replicas": 2, "template": {"metadata": {"labels": {"app": "web", "tier": "front"}}}}})

    found = await ask(made, "deploy/web@revision:1", "deploy/web")

    assert rows(found) == {"spec.template.metadata.labels.tier": ("(not set)", "front")}
    with pytest.raises(ObjectNotFound, match="There are: 1, 2"):
        await ask(made, "deploy/web", "@revision:9")


@pytest.mark.anyio
async def test_status_is_compared_only_where_it_is_asked_for() -> None:
    made = shop()
    made.engine.settle()

    without, whole = await ask(made, "deploy/web", SAME), await ask(made, "deploy/web", SAME, status=True)

    assert "status" not in " ".join(rows(without))
    assert any(path.startswith("status") for path in rows(whole))


@pytest.mark.anyio
async def test_what_was_last_applied_can_be_compared() -> None:
    made = shop()
    note = {
        "kubectl.kubernetes.io/last-applied-configuration": json.dumps(
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": "web", "namespace": "shop"},
                "spec": {"replicas": 9},
            }
        )
    }
    with pytest.raises(ObjectNotFound, match="does not say"):
        await ask(made, "deploy/web", "@applied")
    patch(made, {"metadata": {"annotations": note}})

    assert rows(await ask(made, "deploy/web", "@applied"))["spec.replicas"] == ("3", "9")


@pytest.mark.anyio
async def test_an_object_of_another_cluster_is_compared_without_what_that_one_gave_it() -> None:
    sources, service = {}, {"spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}
    kinds = Kinds(item for item in BUILT_IN if item.group != "metrics.k8s.io")
    for name, pods in (("east", 3), ("west", 4)):
        made = shop(pods=pods)
        create(made, "/api/v1/namespaces/shop/services", {"metadata": {"name": f"x-{name}"}, **service})
        create(made, "/api/v1/namespaces/shop/services", {"metadata": {"name": "web"}, **service})
        sources[name] = BundleSource(made.store, kinds, {})
    desk = TestDesk(made.store)
    desk.clusters = Clusters.of(sources)

    async def between(a: str, b: str) -> dict[str, tuple[str, str]]:
        answer = await diff_resources.function(desk, a=a, b=b)
        assert isinstance(answer, Answer)
        return rows(answer)

    assert await between("shop/deploy/web in east", "in west") == {"spec.replicas": ("3", "4")}
    assert await between("shop/svc/web in east", "shop/svc/web in west") == {}


@pytest.mark.anyio
async def test_a_secret_that_differs_is_told_and_not_shown() -> None:
    made = shop()
    variable = {"name": "DB_PASSWORD", "value": "hunter2hunter"}
    create(
        made,
        "/api/v1/namespaces/shop/pods",
        {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "a", "image": "a:1", "env": [variable]}]}},
    )
    other = json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p"},
            "spec": {"containers": [{"name": "a", "image": "a:1", "env": [{**variable, "value": "hunter3hunter"}]}]},
        }
    )

    found = await ask(made, "pod/p", other)

    assert "hunter" not in found.text + found.untrusted + json.dumps(found.data)
    assert any("another value" in after for _, after in rows(found).values())


@pytest.mark.anyio
async def test_values_of_a_secret_are_compared_by_their_names() -> None:
    made = shop()
    create(made, "/api/v1/namespaces/shop/secrets", {"metadata": {"name": "s"}, "data": {"a": "aGk=", "b": "aGk="}})
    other = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ntype: Opaque\nstringData: {a: other, c: new}\n"

    assert set(rows(await ask(made, "secret/s", other))) == {"data.b", "data.c"}


@pytest.mark.anyio
async def test_a_state_before_the_history_begins_is_refused() -> None:
    made = shop()
    moment = f"deploy/web@{int(NOW)}"

    for when in ("deploy/web@soon", moment, "deploy", "kind: Pod\n"):
        with pytest.raises(InvalidArguments):
            await ask(made, when, "deploy/web")


@pytest.mark.anyio
async def test_a_state_that_is_yet_to_come_is_not_taken_for_the_present_one() -> None:
    with pytest.raises(InvalidArguments, match="yet to come"):
        await ask(shop(), "deploy/web", "@2099-01-01T00:00:00Z")
