"""All relations together: found by folder, each once, and not to be upset by any object."""

from __future__ import annotations

import gzip
import json
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.data import shared_data
from tests.tools.world.relations.everything import EVERYTHING, places, replaced
from tests.tools.world.relations.objects import kinds

from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.world import relations
from kubesteward_tools.world.relations import Edge, Link, Selection, depends, derive, load
from kubesteward_tools.world.relations.references import group_of, resource_of
from kubesteward_tools.world.store import Key, Object

RESOURCES = sorted({name for item in relations._RELATIONS.values() for name in item.resources} | {"a.example.com"})
PLACES = list(places(EVERYTHING))


def test_the_relations_are_these() -> None:
    assert relations.names() == (
        "admits",
        "affinity",
        "binds",
        "calls",
        "constrained_by",
        "defined_by",
        "endpoints",
        "env_from",
        "grants",
        "mounts",
        "owns",
        "routes",
        "runs_as",
        "scales",
        "scheduled_on",
        "selects",
        "serves",
    )


def test_a_second_relation_of_one_name_is_an_error() -> None:
    first, second = ModuleType("first"), ModuleType("second")
    for module in (first, second):
        vars(module).update(RELATION="owns", RESOURCES="*", DEPENDS="target", derive=lambda *_: [])

    with pytest.raises(ValueError, match=r"two relations are called 'owns'; the second one is in second"):
        load([first, second])


@pytest.mark.parametrize(
    ("relation", "source", "target", "end"),
    [
        ("owns", "deployments.apps", "replicasets.apps", "target"),
        ("mounts", "pods", "secrets", "source"),
        ("selects", "services", "pods", "source"),
        ("selects", "poddisruptionbudgets.policy", "pods", "neither"),
        ("selects", "networkpolicies.networking.k8s.io", "pods", "target"),
        ("binds", "persistentvolumeclaims", "persistentvolumes", "source"),
        ("binds", "persistentvolumes", "persistentvolumeclaims", "neither"),
        ("endpoints", "endpointslices.discovery.k8s.io", "pods", "source"),
        ("endpoints", "endpointslices.discovery.k8s.io", "services", "target"),
        ("grants", "rolebindings.rbac.authorization.k8s.io", "roles.rbac.authorization.k8s.io", "source"),
        ("grants", "rolebindings.rbac.authorization.k8s.io", "serviceaccounts", "target"),
        ("scales", "horizontalpodautoscalers.autoscaling", "deployments.apps", "target"),
        ("scales", "scaledobjects.keda.sh", "triggerauthentications.keda.sh", "source"),
        ("affinity", "pods", "nodes", "neither"),
    ],
)
def test_each_relation_says_which_end_breaks_with_the_other(relation: str, source: str, target: str, end: str) -> None:
    assert depends(relation, source, target) == end


def test_a_relation_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(KeyError):
        depends("likes", "pods")


def test_details_are_one_string_for_all_objects() -> None:
    def detail(name: str) -> str:
        volume = {"name": "".join(["con", "fig"]), "configMap": {"name": "a"}}
        return derive(Key("pods", "shop", name), {"spec": {"volumes": [volume]}}, kinds)[0].detail

    assert detail("a") is detail("b")


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=6,
)


@given(resource=st.sampled_from(RESOURCES), place=st.sampled_from(PLACES), value=JSON)
def test_whatever_stands_at_any_place_of_an_object_its_links_are_well_formed(
    resource: str, place: tuple[str | int, ...], value: Any
) -> None:
    check(derive(Key(resource, "shop", "web"), replaced(EVERYTHING, place, value), kinds))


@pytest.mark.parametrize("value", [None, True, 1, "x:80", [], {}, [None], [{}], {"x": None}])
def test_a_value_of_another_type_upsets_nothing(value: Any) -> None:
    for place in PLACES:
        obj = replaced(EVERYTHING, place, value)
        for resource in RESOURCES:
            check(derive(Key(resource, "shop", "web"), obj, kinds))


def check(links: list[Link]) -> None:
    for link in links:
        assert all(isinstance(part, str) for part in (*link.source, link.detail))
        if isinstance(link, Selection):
            assert matches(link.selector, {"app": "web"}) in {True, False}
        else:
            assert all(isinstance(part, str) for part in link.target)
            assert link.target.name


def read(objects: list[Object]) -> list[Link]:
    """All links of the objects of one cluster."""
    found: list[Link] = []
    for obj in objects:
        resource = resource_of(group_of(obj["apiVersion"]), obj["kind"], kinds)
        metadata = obj["metadata"]
        found += derive(Key(resource, metadata.get("namespace", ""), metadata["name"]), obj, kinds)
    check(found)
    return found


def dangling(objects: list[Object], links: list[Link]) -> set[str]:
    """The relations of the edges at least one end of which is missing."""
    keys = {
        Key(
            resource_of(group_of(obj["apiVersion"]), obj["kind"], kinds),
            obj["metadata"].get("namespace", ""),
            obj["metadata"]["name"],
        )
        for obj in objects
    }
    return {link.relation for link in links if isinstance(link, Edge) and not {link.source, link.target} <= keys}


def test_the_pods_of_broken_clusters_hang_together() -> None:
    for path in sorted(shared_data("rca/dev").glob("*/cluster.json")):
        objects = json.loads(path.read_text())["items"]

        assert not dangling(objects, read(objects)) & {"owns", "scheduled_on", "endpoints"}, path


@pytest.mark.parametrize("family", ["drain", "quota", "rbac"])
def test_what_was_recorded_from_a_real_control_plane_hangs_together(family: str) -> None:
    with gzip.open(shared_data(f"fidelity/dev/{family}.jsonl.gz"), "rt") as lines:
        for line in lines:
            objects = json.loads(line)["before"]["objects"]

            assert not dangling(objects, read(objects)) & {"owns", "scheduled_on", "endpoints", "runs_as"}
