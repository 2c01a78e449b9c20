"""A set of manifests is one plan: applied in its order, as kubectl applies it, never safe where it was not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.tools.desk import TestDesk, create, shop
from tests.tools.plans.worlds import plan, read, rehearsed

from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.plans.gaps import filled
from kubesteward_tools.plans.places import place
from kubesteward_tools.plans.plan import of_manifests, prepare
from kubesteward_tools.twin.rehearsal import Concern
from kubesteward_tools.world.store import Key, Store

pytestmark = pytest.mark.anyio

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\ndata: {x: y}\n"
SPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: new}\n"
IN_NEW = MAP.replace("shop", "new")
CUSTOM = "apiVersion: example.com/v1\nkind: Foo\nmetadata: {name: f}\n"
DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: foos.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Foo, plural: foos, singular: foo, listKind: FooList}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: app, image: "nginx:1.28", resources: {requests: {cpu: 10m}}}]
"""


async def test_documents_are_applied_in_their_order() -> None:
    there = await rehearsed(shop(), f"{SPACE}---\n{IN_NEW}")
    before = await rehearsed(shop(), f"{IN_NEW}---\n{SPACE}")

    assert (there.verdict, len(there.admission)) == ("safe", 2)
    assert (before.verdict, [item.code for item in before.admission]) == ("blocked", [404])
    assert "the rehearsal ends with the call that is refused: 1 after it were not rehearsed" in before.assumptions


async def test_what_the_last_apply_set_and_this_one_leaves_out_is_taken_away() -> None:
    cluster = shop()
    key = Key("deployments.apps", "shop", "web")
    obj = cluster.store.get(key)
    assert obj is not None
    applied = read(DEPLOYMENT)[0].body
    note = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(applied)}
    cluster.store.put(key, {**obj, "metadata": {**obj["metadata"], "annotations": note}})
    found = await rehearsed(cluster, DEPLOYMENT.replace("  replicas: 3\n", ""))

    assert "replicas 3 to 1" in {step.what for step in found.timeline}
    assert not [text for text in found.assumptions if "leaves out" in text]


async def test_where_nobody_knows_what_was_applied_the_report_says_so() -> None:
    found = await rehearsed(shop(), DEPLOYMENT.replace("  replicas: 3\n", ""))

    assert "replicas 3 to 1" not in {step.what for step in found.timeline}
    assert "fields that the manifest leaves out stay as they are in deployment shop/web" in found.assumptions


async def test_names_that_are_to_be_generated_are_created() -> None:
    found = await plan(shop(), MAP.replace("name: a", "generateName: a-"))

    assert [(call.verb, call.path) for call in found.change.calls] == [("create", "/api/v1/namespaces/shop/configmaps")]


async def test_a_custom_resource_makes_the_plan_unknown_and_the_rest_is_rehearsed() -> None:
    found = await rehearsed(shop(), f"{DEFINITION}---\n{CUSTOM}---\n{MAP}")

    assert found.verdict == "unknown"
    assert "foos default/f: what its controller makes of the change is not known" in found.assumptions
    assert [item.code for item in found.admission] == [201, 201, 201]


async def test_a_custom_resource_before_its_definition_is_refused() -> None:
    found = await rehearsed(shop(), f"{MAP}---\n{CUSTOM}---\n{DEFINITION}")

    assert found.verdict == "blocked"
    assert [item.code for item in found.admission] == [201, 404]


async def test_another_version_of_a_kind_is_unknown() -> None:
    text = "apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {name: a, namespace: shop}\n"
    found = await rehearsed(shop(), text)

    assert found.verdict == "unknown"
    assert "autoscaling/v1 is not simulated, only autoscaling/v2 is" in found.assumptions[0]


async def test_kinds_that_nobody_knows_are_told_all_at_once() -> None:
    with pytest.raises(InvalidArguments) as error:
        await plan(shop(), f"{CUSTOM}---\n{MAP}---\n{CUSTOM.replace('Foo', 'Deploymet')}")

    assert [line.partition(" ")[0] for line in str(error.value).splitlines()] == ["a.yaml:1:", "a.yaml:10:"]


async def test_objects_without_a_namespace_go_where_the_context_or_the_option_says() -> None:
    bare = MAP.replace(", namespace: shop", "")

    assert [
        (await plan(shop(), bare, namespace=namespace, home=home)).change.calls[0].target.namespace
        for namespace, home in [("", ""), ("", "mine"), ("shop", "mine")]
    ] == ["default", "mine", "shop"]
    with pytest.raises(InvalidArguments, match=r"ConfigMap shop/a is in another namespace than 'other'"):
        await plan(shop(), MAP, namespace="other")


async def test_findings_stand_at_the_line_of_their_document_or_field() -> None:
    found = await plan(shop(), f"{MAP}---\n{DEPLOYMENT}")

    def line(rule: str, name: str, message: str = "") -> Any:
        at = place(found, Concern(rule=rule, severity="warn", object=name, message=message))
        return at and at.line

    assert line("rollout.would_stall", "deployment shop/web") == 6
    assert line("quota.exceeded", "replicaset shop/web-5d8") == 10
    assert line("admission.rejected", "patch /api/v1/namespaces/shop/configmaps/a") == 1
    assert line("admission.rejected", "patch /api/v1/namespaces/shop/configmaps/a", "x: metadata.name: Invalid") == 3
    assert line("rollout.would_stall", "deployment shop/web", "spec.template.spec.containers[0].image: no") == 15
    assert line("admission.webhook", "namespace elsewhere") == 1


async def test_values_of_secrets_are_in_no_text_of_the_rehearsal() -> None:
    text = (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop, labels: {a: kunterbunt}}\n"
        "data: {a: aHVudGVyMmh1bnRlcjI=, b: not-base64!, c: 1234567}\nstringData: {d: kunterbunt}\n"
    )
    world = await TestDesk(shop().store).clusters.world()
    found = (await prepare(world, await of_manifests(world, read(text)), 0.0)).rehearse()
    said = found.model_dump_json()

    assert found.verdict == "blocked"
    for value in ("aHVudGVyMmh1bnRlcjI", "hunter2hunter2", "not-base64!", "1234567", "kunterbunt"):
        assert value not in said


def test_a_bundle_gets_what_every_cluster_has() -> None:
    cluster = shop()
    store = Store()
    for resource in ("nodes", "pods", "deployments.apps", "replicasets.apps"):
        for key, obj in cluster.store.items(resource):
            store.put(key, obj)

    (sentence,) = filled(store)
    assert "no resourcequotas, no limitranges, no poddisruptionbudgets.policy" in sentence
    assert store.get(Key("namespaces", "", "shop")) is not None
    assert store.get(Key("serviceaccounts", "shop", "default")) is not None
    assert filled(store) == [sentence]


def test_a_bundle_without_nodes_is_refused() -> None:
    with pytest.raises(InvalidArguments, match="holds no nodes"):
        filled(Store())


async def test_a_bundle_without_accounts_and_namespaces_is_rehearsed_as_the_cluster_is() -> None:
    cluster = shop()
    create(cluster, "/api/v1/namespaces/shop/configmaps", {"metadata": {"name": "x"}})
    whole = await rehearsed(cluster, DEPLOYMENT)
    for resource in ("serviceaccounts", "namespaces"):
        for key in list(cluster.store.keys(resource)):
            cluster.store.delete(key)

    assert (await rehearsed(cluster, DEPLOYMENT)).verdict == whole.verdict
