"""Predictions for recorded cases agree with what a real control plane did, and none of them is called safe wrongly."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from functools import cache
from types import ModuleType
from typing import Any

import pytest
from tests.data import shared_data
from tests.tools.twin.recorded import cases

from kubesteward_tools.twin.cases.case import read
from kubesteward_tools.twin.cases.predict import predict

FLOORS = {
    "delete-cascade": 30,
    "drain": 21,
    "immutable": 32,
    "labels-selectors": 20,
    "limitrange": 16,
    "node": 20,
    "patch-types": 34,
    "pdb-evict": 28,
    "plans": 17,
    "psa": 23,
    "quota": 26,
    "rbac": 21,
    "rollback": 11,
    "rollout": 24,
    "scale": 23,
    "schedule": 40,
    "webhook-vap": 28,
}
"""In how many recorded cases everything agrees, at least."""
OTHERS = ["daemonset", "jobs", "statefulset"]


@cache
def scorer() -> ModuleType:
    """The tool that scores predictions, where it lies beside the recordings."""
    path = shared_data("fidelity").parents[1] / "tools" / "score_fidelity.py"
    if not path.exists():
        pytest.skip("the scorer is not beside the recordings")
    spec = importlib.util.spec_from_file_location("score_fidelity", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def scores(family: str) -> dict[str, dict[str, Any]]:
    """How each case's prediction compares, by id; only what may be read of a case is read."""
    found = {}
    for case in cases(family):
        given = {"id": case["id"], "before": case["before"], "mutation": case["mutation"]}
        summary = predict(read(json.dumps(given)))["summary"]
        found[case["id"]] = scorer().compare(case["summary"], summary, bool(case.get("loose")))
    return found


@pytest.mark.parametrize("family", [*FLOORS, *OTHERS])
def test_nothing_that_turned_out_unsafe_is_predicted_safe(family: str) -> None:
    assert [name for name, score in scores(family).items() if score["flag"] == "false-safe"] == []


@pytest.mark.parametrize(("family", "floor"), FLOORS.items())
def test_predictions_agree_in_admission_numbers_evictions_and_safety(family: str, floor: int) -> None:
    parts = ("admission", "numbers", "evictions")
    agreed = Counter(
        all(score[part] for part in parts) and score["flag"] == "agree" for score in scores(family).values()
    )

    assert floor <= agreed[True]


def test_the_same_case_gives_the_same_prediction() -> None:
    line = json.dumps(next(iter(cases("rollout"))))

    assert predict(read(line)) == predict(read(line))
