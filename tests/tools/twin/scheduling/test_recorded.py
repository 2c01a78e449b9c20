"""The scheduler agrees with kube-scheduler 1.36: with its recorded words and with its own tables."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from tests.data import shared_data
from tests.tools.twin.recorded import Case, cases, store_of, time_of

from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.kubelet.outlook import Declared
from kubesteward_tools.twin.route import Request
from kubesteward_tools.twin.scheduling.affinity import matches_node, matches_terms
from kubesteward_tools.twin.scheduling.taints import tolerated, tolerates


def pending(case: Case) -> Counter[str]:
    """The message of each pod that is Pending after the case's change."""
    cluster = SimulatedCluster.over(store_of(case), now=time_of(case), outlook=Declared())
    for step in case["mutation"]:
        cluster.handle(Request(step["verb"], step["path"], step["query"], step["content_type"], step["body"]))
        assert cluster.engine.settle()
    found = Counter[str]()
    for pod in cluster.store.objects("pods"):
        for condition in pod["status"].get("conditions") or ():
            if condition["type"] == "PodScheduled" and condition["status"] == "False":
                found[condition["message"]] += 1
    return found


@pytest.mark.requirement("twin.scheduler-words")
def test_pending_pods_carry_the_recorded_words() -> None:
    wrong = {}
    for case in cases("schedule"):
        expected = Counter({item["message"]: item["count"] for item in case["summary"]["pods"].get("pending") or ()})
        if expected != (actual := pending(case)):
            wrong[case["id"]] = (expected, actual)

    assert wrong == {}


def table(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(shared_data("sim/scheduling.json").read_text())["tables"][name]["cases"]
    return found


def test_tolerations_tolerate_as_upstream_says() -> None:
    wrong = [
        case["description"]
        for case in table("toleration_tolerates_taint")
        if tolerates(case["toleration"], case["taint"]) != case["expectTolerated"]
    ]

    assert wrong == []


def test_taints_are_tolerated_by_any_of_the_tolerations() -> None:
    wrong = []
    for case in table("find_untolerated_taint"):
        if "return true" not in case.get("filter", "return true"):
            continue
        pod = {"spec": {"tolerations": case["tolerations"]}}
        if all(tolerated(pod, taint) for taint in case["taints"]) != case["expectTolerated"]:
            wrong.append(case["description"])

    assert wrong == []


def lowered(case: dict[str, Any]) -> bool:
    """The conversion of the table wrote the label key GPU of these cases as gPU."""
    return "gPU" in (case.get("labels") or {})


def test_node_selectors_and_affinity_match_as_upstream_says() -> None:
    wrong = []
    for case in table("pod_matches_node_selector_and_affinity"):
        pod = {"spec": (case["pod"] or {}).get("spec") or {}}
        labels = {"GPU": case["labels"]["gPU"]} if lowered(case) else case.get("labels")
        node = {"metadata": {"name": case.get("nodeName", ""), "labels": labels}}
        if matches_node(pod, node) != case["want"]:
            wrong.append(case["name"])

    assert wrong == []


def test_node_selector_terms_are_alternatives() -> None:
    with_node = [case for case in table("node_selector_match") if "node" in case]
    wrong = [
        case["name"]
        for case in with_node
        if matches_terms(case["nodeSelector"], case["node"]) != case.get("wantMatch", False)
    ]

    assert wrong == []
