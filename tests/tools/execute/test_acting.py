"""Each proposing tool makes the calls that kubectl would make, the same that are rehearsed, or says why not."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tests.tools.desk import NOW, TestDesk, create, shop

from kubesteward_policies.change import APPLY_PATCH, JSON_PATCH, STRATEGIC_PATCH, Change
from kubesteward_tools.catalog import load_tools
from kubesteward_tools.errors import SteadyError
from kubesteward_tools.proposals.proposal import Proposal, change_for
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.route import Request

pytestmark = pytest.mark.anyio

TOOLS = load_tools()
WEB = {"kind": "deploy", "name": "web", "namespace": "shop"}
PATH = "/apis/apps/v1/namespaces/shop/deployments/web"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: shop}\ndata: {a: b}\n"
DOCUMENTS = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {replicas: 4}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: late}
---
apiVersion: v1
kind: Namespace
metadata: {name: fresh}
"""


async def propose(cluster: SimulatedCluster, tool: str, **arguments: Any) -> Change:
    change = await TOOLS[tool].function(TestDesk(cluster.store), **arguments)
    assert isinstance(change, Change)
    return change


@pytest.fixture
def cluster() -> SimulatedCluster:
    """shop/web in its second revision, and a StatefulSet in its second one, too."""
    made = shop()
    container = {"name": "app", "image": "db:1"}
    template = {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [container]}}
    spec = {"serviceName": "db", "replicas": 1, "selector": {"matchLabels": {"app": "db"}}, "template": template}
    create(made, "/apis/apps/v1/namespaces/shop/statefulsets", {"metadata": {"name": "db"}, "spec": spec})
    for path, image in ((PATH, "nginx:1.28"), (PATH.replace("deployments/web", "statefulsets/db"), "db:2")):
        body = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}}
        assert made.handle(Request("patch", path, {}, STRATEGIC_PATCH, body)).status == 200
        made.engine.settle()
    return made


def a_pod(cluster: SimulatedCluster, app: str = "web") -> dict[str, Any]:
    pods = cluster.store.objects("pods", "shop")
    return next(pod for pod in pods if pod["metadata"]["labels"]["app"] == app)


def with_pod(cluster: SimulatedCluster, node: str, **spec: Any) -> None:
    """A pod of its own on a node."""
    body = {"nodeName": node, "containers": [{"name": "app", "image": "tool:1"}], **spec}
    create(cluster, "/api/v1/namespaces/shop/pods", {"metadata": {"name": "lonely"}, "spec": body})


@pytest.mark.parametrize(
    ("tool", "arguments", "action", "params"),
    [
        ("scale_workload", {**WEB, "replicas": 5}, "scale", {"replicas": 5}),
        ("restart_rollout", WEB, "restart", {}),
        ("rollback_rollout", WEB, "rollback", {}),
        ("rollback_rollout", {**WEB, "revision": 1}, "rollback", {"revision": 1}),
        ("set_rollout_paused", {**WEB, "paused": True}, "pause", {}),
        ("patch_resource", {**WEB, "patch": {"spec": {"replicas": 2}}}, "patch", {"patch": {"spec": {"replicas": 2}}}),
        ("delete_resource", {**WEB, "propagation": "orphan"}, "delete", {"propagation": "orphan"}),
        ("delete_resource", {**WEB, "grace_seconds": 5}, "delete", {"grace_seconds": 5}),
        ("evict_pod", {"name": "POD", "namespace": "shop"}, "evict", {}),
        ("cordon_node", {"name": "NODE"}, "cordon", {}),
        ("drain_node", {"name": "NODE"}, "drain", {}),
        ("apply_manifest", {"yaml": DOCUMENTS}, "apply", {}),
        ("apply_manifest", {"yaml": DOCUMENTS, "force_conflicts": True}, "apply", {"force_conflicts": True}),
    ],
)
async def test_what_is_rehearsed_is_what_is_proposed(
    cluster: SimulatedCluster, tool: str, arguments: dict[str, Any], action: str, params: dict[str, Any]
) -> None:
    names = {"POD": a_pod(cluster)["metadata"]["name"], "NODE": a_pod(cluster)["spec"]["nodeName"]}
    arguments = {key: names.get(str(value), value) for key, value in arguments.items()}
    target = {key: arguments[key] for key in ("kind", "name", "namespace") if key in arguments}
    kind = {"kind": "Pod"} if action == "evict" else {}
    world = await TestDesk(cluster.store).clusters.world(None)
    proposal = Proposal(action, **target | kind, params=params, manifest=arguments.get("yaml", ""))

    assert (await change_for(world, proposal, NOW)).calls == (await propose(cluster, tool, **arguments)).calls


async def test_a_rollback_is_the_patch_that_kubectl_sends(cluster: SimulatedCluster) -> None:
    change = await propose(cluster, "rollback_rollout", **WEB)
    [call] = change.calls
    template, annotations = call.body

    assert (call.content_type, change.summary) == (JSON_PATCH, "Roll Deployment shop/web back to revision 1")
    assert (template["op"], template["path"]) == ("replace", "/spec/template")
    assert template["value"]["spec"]["containers"][0]["image"] == "nginx:1.27"
    assert template["value"]["metadata"]["labels"] == {"app": "web"}
    assert annotations["value"] == {"deployment.kubernetes.io/revision": "2"}


async def test_a_stateful_set_goes_back_by_its_controller_revision(cluster: SimulatedCluster) -> None:
    [call] = (await propose(cluster, "rollback_rollout", kind="sts", name="db")).calls

    assert call.content_type == STRATEGIC_PATCH
    assert call.body["spec"]["template"]["$patch"] == "replace"
    assert call.body["spec"]["template"]["spec"]["containers"][0]["image"] == "db:1"


async def test_deletions_and_evictions_mean_this_very_object(cluster: SimulatedCluster) -> None:
    pod = a_pod(cluster)["metadata"]
    [deletion] = (await propose(cluster, "delete_resource", kind="pod", name=pod["name"], grace_seconds=5)).calls
    [eviction] = (await propose(cluster, "evict_pod", name=pod["name"])).calls

    assert deletion.body["preconditions"] == {"uid": pod["uid"]}
    assert (deletion.body["propagationPolicy"], deletion.body["gracePeriodSeconds"]) == ("Background", 5)
    assert eviction.path.endswith(f"/pods/{pod['name']}/eviction")
    assert eviction.body["deleteOptions"] == {"preconditions": {"uid": pod["uid"]}}


async def test_a_manifest_is_applied_in_the_order_of_need(cluster: SimulatedCluster) -> None:
    change = await propose(cluster, "apply_manifest", yaml=DOCUMENTS, namespace="fresh")

    assert [str(call.target) for call in change.calls] == [
        "Namespace fresh",
        "ConfigMap fresh/late",
        "Deployment shop/web",
    ]
    assert {call.content_type for call in change.calls} == {APPLY_PATCH}
    assert all(("fieldManager", "kubesteward") in call.query for call in change.calls)
    assert change.calls[1].body["metadata"]["namespace"] == "fresh"


def labelled(name: str, **labels: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop", "labels": labels}}


async def test_pruning_takes_what_the_label_claims_and_the_manifest_left_out(cluster: SimulatedCluster) -> None:
    for name, label in (("old", "shop"), ("others", "else")):
        create(cluster, "/api/v1/namespaces/shop/configmaps", labelled(name, part=label))
    create(cluster, "/api/v1/namespaces/default/configmaps", {"metadata": {"name": "far", "labels": {"part": "shop"}}})
    change = await propose(
        cluster, "apply_manifest", yaml=yaml.safe_dump(labelled("new", part="shop")), prune="part=shop"
    )

    assert [(call.verb, str(call.target)) for call in change.calls] == [
        ("patch", "ConfigMap shop/new"),
        ("delete", "ConfigMap shop/old"),
    ]
    assert change.summary == "Apply ConfigMap shop/new; prune 1: ConfigMap shop/old"
    assert change.calls[1].body["preconditions"]["uid"]


async def test_a_prune_that_takes_more_than_it_keeps_has_to_be_meant(cluster: SimulatedCluster) -> None:
    for name in ("one", "two"):
        create(cluster, "/api/v1/namespaces/shop/configmaps", labelled(name, part="shop"))
    arguments = {"yaml": yaml.safe_dump(labelled("new", part="shop")), "prune": "part=shop"}
    with pytest.raises(SteadyError, match=r"2 objects would be pruned and only 1 kept.*say prune_count=2"):
        await propose(cluster, "apply_manifest", **arguments)
    with pytest.raises(SteadyError, match="2 objects would be pruned, not 1"):
        await propose(cluster, "apply_manifest", **arguments, prune_count=1)

    assert len((await propose(cluster, "apply_manifest", **arguments, prune_count=2)).calls) == 3


async def test_what_holds_data_is_never_pruned(cluster: SimulatedCluster) -> None:
    claim = {"metadata": {"name": "data", "namespace": "shop", "labels": {"part": "shop"}}}
    claim["spec"] = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    full = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **claim}
    create(cluster, "/api/v1/namespaces/shop/persistentvolumeclaims", full)
    kept = yaml.safe_dump({**full, "metadata": {**claim["metadata"], "name": "other"}})
    change = await propose(cluster, "apply_manifest", yaml=kept, prune="part=shop")

    assert [call.verb for call in change.calls] == ["patch"]
    assert change.summary.endswith("; nothing to prune; left, as they hold data: PersistentVolumeClaim shop/data")


async def test_a_drain_names_every_pod_that_kubectl_would_evict(cluster: SimulatedCluster) -> None:
    node = a_pod(cluster)["spec"]["nodeName"]
    template = {"metadata": {"labels": {"app": "agent"}}, "spec": {"containers": [{"name": "app", "image": "agent:1"}]}}
    spec = {"selector": {"matchLabels": {"app": "agent"}}, "template": template}
    create(cluster, "/apis/apps/v1/namespaces/shop/daemonsets", {"metadata": {"name": "agent"}, "spec": spec})
    change = await propose(cluster, "drain_node", name=node)
    pods = cluster.store.objects("pods", "shop")
    wanted = sorted(
        f"Pod shop/{pod['metadata']['name']}"
        for pod in pods
        if pod["spec"]["nodeName"] == node and pod["metadata"]["labels"]["app"] != "agent"
    )

    assert [str(call.target) for call in change.calls] == [f"Node {node}", *wanted]
    assert {call.path.rpartition("/")[2] for call in change.calls[1:]} == {"eviction"}


async def test_a_drain_of_what_would_be_lost_says_what_to_say(cluster: SimulatedCluster) -> None:
    node = a_pod(cluster)["spec"]["nodeName"]
    with_pod(cluster, node, volumes=[{"name": "tmp", "emptyDir": {}}])
    with pytest.raises(SteadyError, match=r"nothing would bring back shop/lonely.*force=true"):
        await propose(cluster, "drain_node", name=node)
    with pytest.raises(SteadyError, match=r"shop/lonely keeps in emptyDir .*delete_emptydir_data=true"):
        await propose(cluster, "drain_node", name=node, force=True)
    change = await propose(cluster, "drain_node", name=node, force=True, delete_emptydir_data=True)

    assert "Pod shop/lonely" in [str(call.target) for call in change.calls]
    assert change.summary.endswith("; for good shop/lonely; with emptyDir data shop/lonely")


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("rollback_rollout", {**WEB, "revision": 7}, r"has no revision 7 in its history. There are: 1, 2."),
        ("rollback_rollout", {**WEB, "revision": 2}, r"is as in revision 2 already"),
        ("rollback_rollout", {**WEB, "name": "wbe"}, r"Did you mean 'web'\?"),
        ("rollback_rollout", {"kind": "ns", "name": "shop"}, r"has no roll-out to take back"),
        ("set_rollout_paused", {**WEB, "paused": False}, r"is not paused"),
        ("set_rollout_paused", {"kind": "sts", "name": "db", "paused": True}, r"Only the roll-out of a Deployment"),
        ("delete_resource", {**WEB, "kind": "deploymnt"}, r"deploy"),
        ("evict_pod", {"name": "web"}, r"'web' is a Deployment"),
        ("cordon_node", {"name": "NODE", "on": False}, r"is schedulable already"),
        ("cordon_node", {"name": "nod-1"}, r"Did you mean"),
        ("apply_manifest", {"yaml": "kind: ["}, r"manifest:2: this is no YAML"),
        ("apply_manifest", {"yaml": CONFIG + "---\nkind: Pod\n"}, r"manifest:6: an object lacks apiVersion"),
        ("apply_manifest", {"yaml": CONFIG.replace("ConfigMap", "ConfigMapp")}, r"manifest:1: ConfigMapp shop/web: .*"),
        ("apply_manifest", {"yaml": CONFIG.replace("shop", "shp")}, r"no namespace 'shp'.*Did you mean 'shop'"),
        (
            "apply_manifest",
            {"yaml": f"{CONFIG}---\n{CONFIG}"},
            r"manifest:6: ConfigMap shop/web is already at manifest:1",
        ),
        ("apply_manifest", {"yaml": CONFIG, "prune": "part=shop"}, r"manifest:1: .* does not carry part=shop"),
        ("apply_manifest", {"yaml": CONFIG, "prune": "part"}, r"names no label. Write key=value"),
        ("apply_manifest", {"yaml": "# nothing\n"}, r"holds 0 objects"),
    ],
)
async def test_what_cannot_be_meant_is_answered_with_what_to_say(
    cluster: SimulatedCluster, tool: str, arguments: dict[str, Any], words: str
) -> None:
    arguments = {
        key: a_pod(cluster)["spec"]["nodeName"] if value == "NODE" else value for key, value in arguments.items()
    }
    with pytest.raises(SteadyError, match=words):
        await propose(cluster, tool, **arguments)
