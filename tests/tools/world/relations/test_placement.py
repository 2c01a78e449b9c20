"""Where pods run, and where they want to."""

from __future__ import annotations

from typing import Any

from tests.tools.world.relations.objects import links, pod, selected, targets

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
ZONE = "topology.kubernetes.io/zone"
WEB = {"matchLabels": {"app": "web"}}


def node_affinity(*terms: Any) -> dict[str, Any]:
    return pod(affinity={"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": list(terms)}}})


def pod_affinity(**term: Any) -> dict[str, Any]:
    return pod(affinity={"podAffinity": {REQUIRED: [{"topologyKey": ZONE, **term}]}})


def test_a_scheduled_pod_points_to_its_node_and_a_pending_one_to_none() -> None:
    assert targets("scheduled_on", "pods", pod(nodeName="n1")) == [("nodes", "", "n1", "")]
    assert links("scheduled_on", "pods", pod(nodeName=None)) == []
    assert links("scheduled_on", "pods", {"spec": []}) == []


def test_a_node_selector_selects_nodes() -> None:
    found = selected("affinity", "pods", pod(nodeSelector={"disk": "ssd"}))

    assert found == [("nodes", None, {"matchLabels": {"disk": "ssd"}}, "node selector")]


def test_the_terms_of_a_node_affinity_are_alternatives() -> None:
    first = {"key": ZONE, "operator": "In", "values": ["a"]}
    second = {"key": "gpu", "operator": "Exists"}

    found = selected("affinity", "pods", node_affinity({"matchExpressions": [first]}, {"matchExpressions": [second]}))

    assert found == [
        ("nodes", None, {"matchExpressions": [first]}, "required node affinity"),
        ("nodes", None, {"matchExpressions": [second]}, "required node affinity"),
    ]


def test_a_preferred_node_affinity_is_told_as_such() -> None:
    term = {"matchExpressions": [{"key": "gpu", "operator": "DoesNotExist"}]}
    obj = pod(affinity={"nodeAffinity": {PREFERRED: [{"weight": 1, "preference": term}]}})

    assert selected("affinity", "pods", obj) == [("nodes", None, term, "preferred node affinity")]


def test_a_pod_of_a_daemon_set_points_to_the_node_that_its_field_names() -> None:
    fields = [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]
    term = {"matchFields": fields, "matchExpressions": [{"key": "gpu", "operator": "Exists"}]}

    assert selected("affinity", "pods", node_affinity(term)) == []
    assert targets("affinity", "pods", node_affinity(term)) == [("nodes", "", "n1", "required node affinity")]


def test_terms_that_no_label_selector_can_say_are_left_out() -> None:
    greater = {"matchExpressions": [{"key": "cores", "operator": "Gt", "values": ["4"]}]}

    assert links("affinity", "pods", node_affinity(greater, {}, None, {"matchFields": [{"key": "x"}]})) == []


def test_pod_affinity_stays_in_its_own_namespace_and_tells_its_topology() -> None:
    found = selected("affinity", "pods", pod_affinity(labelSelector=WEB))

    assert found == [("pods", "shop", WEB, f"required pod affinity by {ZONE}")]


def test_pod_affinity_reaches_into_the_namespaces_that_it_names() -> None:
    named = selected("affinity", "pods", pod_affinity(labelSelector=WEB, namespaces=["a", "b"]))
    every = selected("affinity", "pods", pod_affinity(labelSelector=WEB, namespaceSelector={}))
    both = selected("affinity", "pods", pod_affinity(labelSelector=WEB, namespaces=["a"], namespaceSelector={}))

    assert [item[:2] for item in named] == [("pods", "a"), ("pods", "b")]
    assert [item[:2] for item in every] == [("pods", None)]
    assert [item[:2] for item in both] == [("pods", None)]


def test_a_namespace_selector_selects_the_namespaces_themselves() -> None:
    team = {"matchLabels": {"team": "a"}}

    found = selected("affinity", "pods", pod_affinity(labelSelector=WEB, namespaceSelector=team))

    assert found == [("namespaces", None, team, f"required pod affinity by {ZONE}")]


def test_preferred_anti_affinity_is_weighted_and_told_as_such() -> None:
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": WEB}
    obj = pod(affinity={"podAntiAffinity": {PREFERRED: [{"weight": 100, "podAffinityTerm": term}]}})

    assert selected("affinity", "pods", obj) == [
        ("pods", "shop", WEB, "preferred pod anti-affinity by kubernetes.io/hostname")
    ]


def test_spread_constraints_select_the_pods_they_count() -> None:
    obj = pod(topologySpreadConstraints=[{"topologyKey": ZONE, "labelSelector": WEB}, {"topologyKey": ZONE}])

    assert selected("affinity", "pods", obj) == [("pods", "shop", WEB, f"spread by {ZONE}")]


def test_null_gaps_and_wrong_types_are_passed_over() -> None:
    broken: dict[str, Any] = {
        "nodeAffinity": None,
        "podAffinity": [],
        "podAntiAffinity": {REQUIRED: [None, {"labelSelector": 1}]},
    }

    assert links("affinity", "pods", pod(affinity=broken, nodeSelector=[], topologySpreadConstraints=None)) == []
    assert links("affinity", "pods", pod(affinity=None, nodeSelector={"a": None})) == []
