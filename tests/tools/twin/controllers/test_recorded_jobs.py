"""Jobs and autoscalers come to the numbers, conditions and words that a real control plane was recorded with."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.tools.twin.recorded import Case, cases, store_of, time_of

from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.route import Request

_NUMBERS = ("active", "ready", "succeeded", "failed")


def replayed(case: Case) -> SimulatedCluster:
    where = SimulatedCluster.over(store_of(case), now=time_of(case))
    for step, recorded in zip(case["mutation"], case["responses"], strict=True):
        content_type = step.get("content_type") or "application/json"
        request = Request(step["verb"], step["path"], step.get("query") or {}, content_type, step.get("body"))
        assert recorded["status"] == where.handle(request).status
        assert where.engine.settle()
    return where


def without_minutes(name: str) -> str:
    return re.sub(r"-\d{8}$", "", name)


def test_jobs_end_as_recorded() -> None:
    wrong = {}
    for case in cases("jobs"):
        actual: dict[str, Any] = {}
        for key, job in replayed(case).store.items("jobs.batch"):
            status = job.get("status") or {}
            found: dict[str, Any] = {name: status.get(name, 0) for name in _NUMBERS}
            found["conditions"] = {
                item["type"]: f"{item['status']}/{item['reason']}" for item in status.get("conditions") or ()
            }
            found["completedIndexes"] = status.get("completedIndexes")
            actual[without_minutes(f"{key.namespace}/Job/{key.name}")] = found
        expected = {
            without_minutes(name): {field: item.get(field) for field in (*_NUMBERS, "conditions", "completedIndexes")}
            for name, item in case["summary"]["workloads"].items()
            if "/Job/" in name
        }
        if expected != actual:
            wrong[case["id"]] = (expected, actual)

    assert wrong == {}


def autoscaled(status: dict[str, Any]) -> Any:
    words = [[item[part] for part in ("type", "status", "reason", "message")] for item in status["conditions"]]
    return status.get("currentReplicas"), status["desiredReplicas"], status.get("currentMetrics"), words


@pytest.mark.parametrize("number", ["019", "020", "021", "022"])
def test_autoscalers_do_and_say_what_was_recorded(number: str) -> None:
    case = next(case for case in cases("scale") if case["id"].endswith(number))
    scaler = replayed(case).store.objects("horizontalpodautoscalers.autoscaling")[0]
    recorded = next(obj for obj in case["after"]["objects"] if obj["kind"] == "HorizontalPodAutoscaler")

    assert autoscaled(recorded["status"]) == autoscaled(scaler["status"])
