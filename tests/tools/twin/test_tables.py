"""Every case of Kubernetes' own arithmetic tables, through the code that the twin itself runs."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.data import shared_data

from kubesteward_tools.twin.admission import limits
from kubesteward_tools.twin.admission.attempt import Attempt
from kubesteward_tools.twin.amounts import amounts, difference, exceeding, greatest, total, without_zeros
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.identity import ADMIN
from kubesteward_tools.twin.names import Names
from kubesteward_tools.twin.podsize import of_pod
from kubesteward_tools.twin.resources import of
from kubesteward_tools.twin.route import Request
from kubesteward_tools.twin.scheduling.affinity import matches_node, matches_terms
from kubesteward_tools.twin.scheduling.taints import tolerated, tolerates
from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.twin.worlds import store_of

Case = dict[str, Any]
NOW = 1_800_000_000.0


def table(name: str) -> Any:
    return json.loads(shared_data(f"sim/{name}.json").read_text())


def scheduling(name: str) -> list[Case]:
    found: list[Case] = table("scheduling")["tables"][name]["cases"]
    return found


@pytest.mark.parametrize("number", range(40))
def test_a_limit_range_admits_and_refuses_pods_as_upstream_says(number: int) -> None:
    cases = table("limitrange")["cases"]
    assert len(cases) == 40
    case = cases[number]
    kind = of("v1", "Pod")
    assert kind is not None
    attempt = Attempt(store_of([case["limitrange"]]), "CREATE", kind, case["pod"], None, ADMIN, Names(1), [])

    assert case["allowed"] == _passes(limits.bounds, attempt), case["name"]


def _passes(check: Callable[[Attempt], None], attempt: Attempt) -> bool:
    try:
        check(attempt)
    except ApiError:
        return False
    return True


def _listed(values: Any) -> dict[str, Any]:
    return amounts(dict.fromkeys(values, 1))


FUNCTIONS: dict[str, Callable[[Case], tuple[Any, Any]]] = {
    "Equals": lambda c: (c["expected"], amounts(c["a"]) == amounts(c["b"])),
    "LessThanOrEqual": lambda c: (list(c["out"]), exceeding(amounts(c["a"]), amounts(c["b"]))),
    "Max": lambda c: (amounts(c["expected"]), greatest(amounts(c["a"]), amounts(c["b"]))),
    "Add": lambda c: (amounts(c["expected"]), total((amounts(c["a"]), amounts(c["b"])))),
    "Subtract": lambda c: (amounts(c["expected"]), difference(amounts(c["a"]), amounts(c["b"]))),
    "ResourceNames": lambda c: (sorted(c["expected"]), sorted(amounts(c["a"]))),
    "IsZero": lambda c: (c["expected"], not without_zeros(amounts(c["a"]))),
    "RemoveZeros": lambda c: (amounts(c["expected"]), without_zeros(amounts(c["a"]))),
    "IsNegative": lambda c: (c["expected"], exceeding(amounts(dict.fromkeys(c["a"], 0)), amounts(c["a"]))),
    "Contains": lambda c: (c["expected"], c["b"] in _listed(c["a"])),
    "ContainsPrefix": lambda c: (c["expected"], c["b"].startswith(tuple(c["a"]))),
    "Intersection": lambda c: (c["expected"], sorted(_listed(c["a"]).keys() & _listed(c["b"]).keys())),
    "Difference": lambda c: (c["expected"], sorted(_listed(c["a"]).keys() - _listed(c["b"]).keys())),
}


def test_amounts_are_reckoned_as_the_quota_controller_does() -> None:
    functions = table("quota-math")["functions"]
    wrong = {
        (name, title): answers
        for name, cases in functions.items()
        for title, case in cases.items()
        if (answers := FUNCTIONS[name](case))[0] != answers[1]
    }

    assert wrong == {}
    assert functions.keys() == FUNCTIONS.keys()
    assert sum(map(len, functions.values())) == 48


def _status(case: Case) -> Case:
    return {
        "containerStatuses": case.get("containerStatus") or case.get("containerStatuses") or [],
        "initContainerStatuses": case.get("initContainerStatuses") or [],
        "conditions": case.get("podResizeStatus") or [],
    }


def _sized(case: Case) -> Case:
    """The table writes an empty container as an empty list; without `useStatusResources` statuses do not count."""
    spec = {part: [item or {} for item in case.get(part) or ()] for part in ("containers", "initContainers")}
    options = case.get("options") or {}
    status = _status(case) if options.get("useStatusResources") else {}
    return {"spec": {**spec, "overhead": case.get("overhead") or {}}, "status": status}


@pytest.mark.parametrize(("part", "size"), [("requests", 17), ("limits", 18)])
def test_a_pod_is_as_large_as_upstream_says(part: Any, size: int) -> None:
    cases, wrong = scheduling(f"pod_{part}"), {}
    for case in cases:
        overhead = not (case.get("options") or {}).get("excludeOverhead")
        expected = amounts(case[f"expected{part.capitalize()}"] or {})
        if (found := of_pod(_sized(case), part, overhead=overhead)) != expected:
            wrong[case["description"]] = (expected, found)

    assert wrong == {}
    assert len(cases) == size


def test_a_toleration_tolerates_as_upstream_says() -> None:
    """With the operators Gt and Lt (KEP-5471), which servers without that feature refuse."""
    cases = scheduling("toleration_tolerates_taint")
    wrong = [item for item in cases if tolerates(item["toleration"], item["taint"]) != item["expectTolerated"]]

    assert wrong == []
    assert len(cases) == 14


FILTERS: dict[str, Callable[[Case], bool]] = {
    "func(t *v1.Taint) bool { return true }": lambda _: True,
    "func(t *v1.Taint) bool { return false }": lambda _: False,
    "func(t *v1.Taint) bool { return t.Effect == v1.TaintEffectNoExecute }": lambda t: bool(t["effect"] == "NoExecute"),
}


def test_taints_are_tolerated_by_any_of_the_tolerations() -> None:
    cases, wrong = scheduling("find_untolerated_taint"), []
    for case in cases:
        counts = FILTERS[case["filter"]] if "filter" in case else bool
        pod = {"spec": {"tolerations": case["tolerations"]}}
        if all(tolerated(pod, taint) for taint in case["taints"] if counts(taint)) != case["expectTolerated"]:
            wrong.append(case["description"])

    assert wrong == []
    assert len(cases) == 10


def _labels(case: Case) -> dict[str, str]:
    """The conversion of the table wrote the label key GPU of some cases as gPU."""
    labels = dict(case.get("labels") or {})
    return labels | ({"GPU": labels.pop("gPU")} if "gPU" in labels else {})


def test_node_selectors_and_affinity_match_as_upstream_says() -> None:
    cases, wrong = scheduling("pod_matches_node_selector_and_affinity"), []
    for case in cases:
        pod = {"spec": (case["pod"] or {}).get("spec") or {}}
        node = {"metadata": {"name": case.get("nodeName", ""), "labels": _labels(case)}}
        if matches_node(pod, node) != case["want"]:
            wrong.append(case["name"])

    assert wrong == []
    assert len(cases) == 27


def test_node_selector_terms_are_alternatives() -> None:
    cases = scheduling("node_selector_match")
    with_node = [case for case in cases if "node" in case]
    wrong = [
        case["name"]
        for case in with_node
        if matches_terms(case["nodeSelector"], case["node"]) != case.get("wantMatch", False)
    ]

    assert wrong == []
    assert [case["name"] for case in cases if case not in with_node] == ["nil node"]  # there is always a node here


def _cluster(objects: list[Case]) -> SimulatedCluster:
    cluster = SimulatedCluster.new(nodes=1, now=NOW)
    for obj in objects:
        assert _created(cluster, obj).status == 201
    assert cluster.engine.settle()
    return cluster


def _created(cluster: SimulatedCluster, obj: Case) -> Any:
    kind = of(obj["apiVersion"], obj["kind"])
    assert kind is not None
    answer = cluster.handle(Request("create", kind.path("default"), {}, "", copy.deepcopy(obj)))
    cluster.engine.settle()
    return answer


@pytest.mark.parametrize("number", range(7))
def test_the_documentations_examples_end_as_its_pages_say(number: int) -> None:
    cases = table("docs-admission")["cases"]
    assert len(cases) == 7
    case = cases[number]
    cluster = _cluster(case["existing"])
    answer = _created(cluster, case["apply"])
    said = json.dumps([answer.body, cluster.store.objects("replicasets.apps"), cluster.store.objects("events")])

    assert case["admitted"] == (answer.status == 201), case["id"]
    assert case.get("message_contains", "") in said
    for quota in cluster.store.objects("resourcequotas"):
        used = quota["status"]["used"]
        assert case.get("used_after", used) == used
        if "exceeded" in case:
            asked = answer.body["message"].partition("requested: ")[2].partition(", used")[0]
            assert [item.partition("=")[0] for item in asked.split(",")] == case["exceeded"]
    if "pods_created" in case:
        wanted = case["apply"]["spec"]["replicas"]
        assert cluster.store.count("pods", "default") == case["pods_created"] == wanted - case["pods_rejected"]
