"""The summary made of a recorded run is the one that was recorded with it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.data import shared_data
from tests.tools.twin.recorded import Case, cases

from kubesteward_tools.twin.cases.outcome import Outcome
from kubesteward_tools.twin.cases.snapshot import Snapshot
from kubesteward_tools.twin.cases.summary import summarise
from kubesteward_tools.twin.cases.workloads import Happening


def recorded(case: Case) -> Outcome:
    during = case["during"]
    return Outcome(
        before=Snapshot(case["before"]["objects"]),
        after=Snapshot(case["after"]["objects"]),
        responses=tuple(case["responses"]),
        drains=tuple(case.get("drains") or ()),
        happenings=tuple(happening(event) for event in during["events"]),
        fewest_endpoints={name: item["min_ready"] for name, item in during["services"].items()},
        fewest_healthy={name: item["min_healthy"] for name, item in during["pdbs"].items() if "min_healthy" in item},
    )


def happening(event: dict[str, Any]) -> Happening:
    kind, _, name = event["object"].partition("/")
    return Happening(event["reason"], kind, event.get("namespace") or "", name, event["message"])


def comparable(summary: dict[str, Any]) -> dict[str, Any]:
    """Harms by their name: the words that follow it are free."""
    return {**summary, "why": sorted({text.partition(":")[0] for text in summary["why"]})}


def families() -> list[str]:
    return sorted(path.name.partition(".")[0] for path in shared_data("fidelity/dev").glob("*.jsonl.gz"))


@pytest.mark.slow
def test_the_summary_of_a_recorded_run_is_the_recorded_one() -> None:
    wrong = {
        case["id"]
        for family in families()
        for case in cases(family)
        if comparable(summarise(recorded(case))) != comparable(case["summary"])
    }

    assert wrong == set()


@pytest.mark.parametrize("family", ["drain", "quota", "rollout"])
def test_the_summary_of_some_recorded_runs_is_the_recorded_one(family: str) -> None:
    for case in cases(family):
        assert comparable(summarise(recorded(case))) == comparable(case["summary"])


def test_what_was_not_simulated_is_not_called_safe() -> None:
    nothing = Outcome(Snapshot([]), Snapshot([]))

    assert summarise(nothing)["unsafe"] is False
    assert summarise(nothing, ["who knows"])["unsafe"] is None
