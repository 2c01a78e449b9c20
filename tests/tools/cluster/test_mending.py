"""Objects that people wrote, cut or edited: each is taken for what it says, and none keeps out the others."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kubesteward_policies.ref import Ref
from kubesteward_tools.world import load

GPU = Ref("", "nvidia.com", "ClusterPolicy", "", "gpu")
NET = Ref("", "k8s.cni.cncf.io", "NetworkAttachmentDefinition", "shop", "lan")


def made(api_version: str, kind: str, name: str, namespace: str = "", **more: Any) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **more.pop("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **more}


def definition(group: str, kind: str, plural: str, scope: str) -> dict[str, Any]:
    spec = {"group": group, "scope": scope, "names": {"kind": kind, "plural": plural}, "versions": [{"name": "v1"}]}
    return made("apiextensions.k8s.io/v1", "CustomResourceDefinition", f"{plural}.{group}", spec=spec)


def test_a_saved_definition_says_what_its_objects_are_called() -> None:
    found = definition(NET.group, NET.kind, "network-attachment-definitions", "Namespaced")
    world = load([made("k8s.cni.cncf.io/v1", NET.kind, NET.name, NET.namespace), found])

    assert world.dependencies(NET) == [
        Ref(
            "", "apiextensions.k8s.io", "CustomResourceDefinition", "", "network-attachment-definitions.k8s.cni.cncf.io"
        )
    ]
    assert world.store.count("network-attachment-definitions.k8s.cni.cncf.io") == 1


def test_what_a_custom_object_without_a_namespace_owns_is_in_its_blast_radius() -> None:
    owner = {"apiVersion": "nvidia.com/v1", "kind": "ClusterPolicy", "name": "gpu", "uid": "u"}
    policy = made("nvidia.com/v1", "ClusterPolicy", "gpu", metadata={"uid": "u"})
    driver = made("apps/v1", "DaemonSet", "driver", "gpu", metadata={"ownerReferences": [owner]})

    assert load([policy, driver]).blast_radius(GPU) == [Ref("", "apps", "DaemonSet", "gpu", "driver")]


def test_an_owner_is_found_without_its_uid() -> None:
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web"}
    pod = made("v1", "Pod", "web-1", "shop", metadata={"ownerReferences": [owner]})
    store = load([pod, made("apps/v1", "ReplicaSet", "web", "shop")]).store

    assert [key.name for key in store.owned_by("replicasets.apps/shop/web")] == ["web-1"]


def test_values_that_yaml_reads_as_more_than_text_are_text_again() -> None:
    metadata = {
        "labels": {"tier": 1, "on": True, "x": ["y"]},
        "creationTimestamp": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    }
    world = load([made("v1", "Pod", "web", "shop", metadata=metadata)])
    ((_, pod),) = world.store.items("pods")

    assert pod["metadata"]["labels"] == {"tier": "1", "on": "true"}
    assert pod["metadata"]["creationTimestamp"] == "2026-01-02T03:04:05Z"


@pytest.mark.parametrize("kind", ["Pod", "Secret", "Deployment", "Shelf"])
@pytest.mark.parametrize(
    "broken",
    [
        *({"metadata": {"ownerReferences": item}} for item in ("x", 5, {"a": 1}, [None], [{"uid": {}}], [{"kind": 1}])),
        *({"metadata": {name: item}} for name in ("labels", "annotations") for item in ("x", ["a"], {"a": ["b"]}, 5)),
        *({"metadata": {name: item}} for name in ("namespace", "uid", "resourceVersion") for item in (5, ["a"], None)),
        *({name: item} for name in ("spec", "status", "data", "stringData") for item in (5, "x", [None], None)),
        *({"spec": {"affinity": item, "nodeName": item, "containers": item}} for item in (5, "x", [None], ["x"])),
    ],
)
def test_a_malformed_object_is_read_as_far_as_it_goes(kind: str, broken: dict[str, Any]) -> None:
    world = load([made("v1", kind, "odd", **broken), made("v1", "Node", "n1")])

    assert world.store.count("nodes") == 1
    assert sum(map(world.store.count, world.store.resources())) == 2


@pytest.mark.parametrize("spec", [None, 5, {"names": 5}, {"names": {"kind": "A"}}, {"names": {"kind": 1, "plural": 2}}])
def test_a_definition_that_defines_nothing_is_an_object_like_others(spec: Any) -> None:
    world = load([made("apiextensions.k8s.io/v1", "CustomResourceDefinition", "a.b", spec=spec)])

    assert world.store.count("customresourcedefinitions.apiextensions.k8s.io") == 1
