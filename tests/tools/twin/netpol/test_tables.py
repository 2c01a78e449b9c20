"""Reachability agrees with the tables of others, row by row."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from tests.data import shared_data
from tests.tools.twin.netpol.applications import INGRESS_CONTROLLER, cases, expected, outside, store_of, workloads

from kubesteward_tools.cluster.bundle import of_objects
from kubesteward_tools.twin.netpol import Connections, Outside, Pod, connections, reachable
from kubesteward_tools.twin.netpol.ends import addresses
from kubesteward_tools.world.store import Store


def test_every_check_of_the_recipes_comes_out_as_in_their_transcripts() -> None:
    wrong = [
        f"{case['id']}: {check}"
        for case in cases("recipes")
        for store in [store_of(case)]
        for check in case["checks"]
        if check["allowed"] != reachable(store, check["src"], check["dst"], check["port"], check["protocol"])
    ]

    assert wrong == []


@pytest.mark.requirement("twin.networkpolicy")
def test_workloads_of_whole_applications_may_say_to_each_other_what_the_tables_list_and_no_more() -> None:
    wrong, rows = [], 0
    for case in cases("np-guard"):
        store = store_of(case)
        ends = {**workloads(case, store), **outside(case)}
        for one, two, wanted in expected(case, ends):
            rows += 1
            found = {str(connections(store, a, b)) for a in ends[one] for b in ends[two]}
            if found != {wanted}:
                wrong.append(f"{case['id']}: {one} to {two}: {found} instead of {wanted}")

    assert wrong == []
    assert rows > 7000


def test_ingress_controllers_reach_the_ports_of_routes_that_policies_leave_open_to_any_namespace() -> None:
    """The tables put the controller into a namespace and under labels that nobody has named."""
    wrong = []
    controller = Pod("ingress-controller-ns", "ingress-controller", {})
    for case in cases("np-guard"):
        store = store_of(case)
        listed = {row["dst"]: row["conn"] for row in case["allowed"] if row["src"] == INGRESS_CONTROLLER}
        routed = _routed(store) if case["uses_ingress_or_route"] else {}
        for name, pods in workloads(case, store).items():
            for pod in pods:
                ports = routed.get((pod.namespace, tuple(sorted(pod.labels.items()))), Connections())
                found = str(connections(store, controller, pod) & ports)
                if found != listed.get(name, "No Connections"):
                    wrong.append(f"{case['id']}: {name}: {found} instead of {listed.get(name)}")

    assert wrong == []


def _routed(store: Store) -> dict[Any, Connections]:
    """By namespace and labels of pods, the target ports of the Services that Ingresses and OpenShift's Routes name."""
    found: dict[Any, Connections] = {}
    for key, service in store.items("services"):
        wanted = _ports_named(store, key.namespace, key.name)
        for port in service["spec"].get("ports") or ():
            target = port.get("targetPort", port["port"])
            if wanted & {"*", port["port"], target, port.get("name")}:
                for labels in _selected(store, key.namespace, service["spec"].get("selector") or {}):
                    opened = found.get((key.namespace, labels), Connections())
                    found[key.namespace, labels] = opened | Connections.of("TCP", target, target)
    return found


def _ports_named(store: Store, namespace: str, service: str) -> set[Any]:
    found: set[Any] = set()
    for _, ingress in store.items("ingresses.networking.k8s.io", namespace):
        backends = re.findall(r'"service": (\{.*?\}\})', json.dumps(ingress["spec"]))
        found |= {
            value for item in map(json.loads, backends) if item["name"] == service for value in item["port"].values()
        }
    for _, route in store.items("routes.route.openshift.io", namespace):
        if route["spec"]["to"]["name"] == service:
            found.add((route["spec"].get("port") or {}).get("targetPort", "*"))
    return found


def _selected(store: Store, namespace: str, selector: dict[str, str]) -> set[tuple[tuple[str, str], ...]]:
    objects = [obj for resource in ("pods", "deployments.apps") for obj in store.objects(resource, namespace)]
    described = [
        obj["spec"]["template"]["metadata"] if "template" in obj["spec"] else obj["metadata"] for obj in objects
    ]
    labels = [item.get("labels") or {} for item in described]
    return {tuple(sorted(item.items())) for item in labels if selector and selector.items() <= item.items()}


def test_questions_about_traffic_are_answered_as_in_the_other_tools_listing() -> None:
    folder = shared_data("netpol") / "cyclonus"
    questions = json.loads((folder / "examples/traffic.json").read_text())
    listing = (folder / "examples/cyclonus-output/analyze-query-traffic.txt").read_text()
    answers = [word == "TRUE" for word in re.findall(r"IS ALLOWED\? \|\s*(TRUE|FALSE)", listing)]
    store = _simple_example([])

    found = [
        reachable(store, _end(item["Source"]), _end(item["Destination"]), item["ResolvedPort"], item["Protocol"])
        for item in questions
    ]

    assert len(answers) == len(questions) == 4
    assert found == answers


def test_the_other_tools_matrix_is_the_same_but_for_pods_that_talk_to_themselves() -> None:
    """It says that a policy cuts a pod off from itself, which no policy can."""
    folder = shared_data("netpol") / "cyclonus/examples"
    resources = json.loads((folder / "probe-example.json").read_text())["Resources"]
    listing = (folder / "cyclonus-output/analyze-probe.txt").read_text()
    matrix = re.findall(r"^\| (\w)/(\w) ((?:\| \S\s+)+)\|$", listing.split("Combined:")[1].split("Ingress:")[0], re.M)
    pods = [_pod(item) for item in resources["Pods"]]
    store = _simple_example(_namespaces(resources["Namespaces"]))

    wrong = [
        (f"{space}/{name}", str(two))
        for (space, name, marks), one in zip(matrix, pods, strict=True)
        for mark, two in zip(marks.replace("|", " ").split(), pods, strict=True)
        if (mark == ".") != reachable(store, one, two, 80)
    ]

    assert wrong == [("y/a", "y/a"), ("y/c", "y/c")]


def _simple_example(more: list[dict[str, Any]]) -> Store:
    from kubesteward_tools.cluster.bundle import load

    store = load(shared_data("netpol") / "cyclonus/networkpolicies/simple-example").store
    for key, obj in of_objects(more).store.items("namespaces") if more else ():
        store.put(key, obj)
    return store


def _namespaces(labels: dict[str, dict[str, str]]) -> list[dict[str, Any]]:
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": own}}
        for name, own in labels.items()
    ]


def _pod(item: dict[str, Any]) -> Pod:
    address = addresses(item["IP"])
    assert address is not None
    return Pod(item["Namespace"], item["Name"], item["Labels"], (address.low,))


def _end(item: dict[str, Any]) -> Pod | Outside:
    address, inside = addresses(item["IP"]), item.get("Internal")
    assert address is not None
    return Pod(inside["Namespace"], item["IP"], inside["PodLabels"], (address.low,)) if inside else address
