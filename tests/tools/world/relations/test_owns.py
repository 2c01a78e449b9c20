"""Owners and what they own."""

from __future__ import annotations

from typing import Any

from tests.tools.world.relations.objects import links

from kubesteward_tools.world.relations import Edge
from kubesteward_tools.world.store import Key, Object


def owned(**owner: Any) -> Object:
    return {"metadata": {"name": "web", "ownerReferences": [owner]}}


def test_the_owner_is_the_source_and_the_object_that_names_it_the_target() -> None:
    obj = owned(apiVersion="apps/v1", kind="ReplicaSet", name="web-5d4", uid="u", controller=True)

    found = links("owns", "pods", obj)

    assert found == [Edge("owns", Key("replicasets.apps", "shop", "web-5d4"), Key("pods", "shop", "web"), "controller")]


def test_a_node_owns_its_static_pods_without_a_namespace() -> None:
    found = links("owns", "pods", owned(apiVersion="v1", kind="Node", name="n1", uid="u"))

    assert [edge.source for edge in found] == [Key("nodes", "", "n1")]


def test_a_custom_owner_without_namespaces_is_looked_for_in_none() -> None:
    found = links("owns", "daemonsets.apps", owned(apiVersion="shop.example.com/v1", kind="Mall", name="m"))

    assert [edge.source for edge in found] == [Key("malls.shop.example.com", "", "m")]


def test_a_custom_owner_is_found_by_the_cluster_and_otherwise_by_a_guess() -> None:
    known = links("owns", "pods", owned(apiVersion="shop.example.com/v1", kind="Shelf", name="a"))
    guessed = links("owns", "pods", owned(apiVersion="example.com/v1", kind="Policy", name="a"))
    classes = links("owns", "pods", owned(apiVersion="example.com/v1", kind="Class", name="a"))

    assert [edge.source.resource for edge in (*known, *guessed, *classes)] == [
        "shelves.shop.example.com",
        "policies.example.com",
        "classes.example.com",
    ]


def test_references_without_a_kind_or_a_name_are_passed_over() -> None:
    broken = {"metadata": {"ownerReferences": [None, "x", {"kind": "Job"}, {"name": "a"}, {"kind": 1, "name": 2}]}}

    assert links("owns", "pods", broken) == []
    assert links("owns", "pods", {"metadata": {"ownerReferences": None}}) == []
    assert links("owns", "pods", {"metadata": None}) == []
