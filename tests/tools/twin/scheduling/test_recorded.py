"""The scheduler agrees with kube-scheduler 1.36: with its recorded words and with its own tables."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.tools.twin.recorded import Case, cases, store_of, time_of

from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.kubelet.outlook import Declared
from kubesteward_tools.twin.route import Request


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
