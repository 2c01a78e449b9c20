"""Rehearsals of recorded changes: what a real control plane shows unsafe is never called safe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from tests.tools.twin.recorded import Case, calls_of, cases, store_of, time_of

from kubesteward_tools.twin.findings.evidence import IF_NOT_READY
from kubesteward_tools.twin.identity import ADMIN, User
from kubesteward_tools.twin.rehearsal import Rehearsal
from kubesteward_tools.twin.rehearse import rehearse

Said = Literal["safe", "unsafe", "unknown"]

FLOORS = {
    "daemonset": 21,
    "delete-cascade": 32,
    "immutable": 35,
    "jobs": 24,
    "labels-selectors": 19,
    "limitrange": 18,
    "node": 16,
    "patch-types": 31,
    "pdb-evict": 20,
    "plans": 13,
    "psa": 23,
    "quota": 30,
    "rbac": 18,
    "rollback": 13,
    "rollout": 25,
    "scale": 26,
    "schedule": 41,
    "statefulset": 23,
    "webhook-vap": 28,
}
"""In how many recorded cases verdict and admission agree, at least."""
FALSE_ALARMS = {
    "delete-cascade-dev-018",  # a definition is deleted and its objects with it: data is lost, if nothing breaks
    "labels-selectors-dev-011",  # two pods equal but for a second of age: which of them goes is a matter of the moment
    "plans-dev-011",  # blue/green: were green never ready, the switch would leave nobody to answer
}
SIMULATED = [
    "daemonset",
    "delete-cascade",
    "labels-selectors",
    "limitrange",
    "node",
    "plans",
    "psa",
    "quota",
    "rollback",
    "schedule",
    "statefulset",
]
_BAD_IMAGE = {"ErrImagePull", "ImagePullBackOff", "CrashLoopBackOff"}
_KINDS = {
    "daemonset": "DaemonSet",
    "statefulset": "StatefulSet",
    "deployment": "Deployment",
    "replicaset": "ReplicaSet",
    "service": "Service",
}


def rehearsed(family: str) -> Iterator[tuple[Case, Rehearsal]]:
    """Each case but the drains, which are no API call, and the plans of several users, which no one proposes."""
    for case in cases(family):
        users = [step.get("as") for step in case["mutation"]]
        if any(user != users[0] for user in users) or any(step["verb"] == "drain" for step in case["mutation"]):
            continue
        user = User(users[0]["user"], tuple(users[0]["groups"])) if users[0] else ADMIN
        yield case, rehearse(store_of(case), calls_of(case), now=time_of(case), user=user)


def is_worst_case(case: Case) -> bool:
    """More pods than before did not become ready, or Jobs' pods failed, which no control plane knows beforehand."""
    if any("job_failed" in why for why in case["summary"]["why"]):
        return True
    before, after = (
        sum(does_not_work(obj) for obj in case[when]["objects"] if obj["kind"] == "Pod") for when in ("before", "after")
    )
    return after > before


def does_not_work(pod: dict[str, Any]) -> bool:
    """Its image cannot be pulled, or its containers run and do not become ready, or do not keep running."""
    states = [item["state"] for item in pod["status"].get("containerStatuses") or () if not item["ready"]]
    return any("running" in state or (state.get("waiting") or {}).get("reason") in _BAD_IMAGE for state in states)


def said(case: Case, found: Rehearsal) -> Said:
    """A refused call changes nothing; a case in which new pods fail is judged by the worst case."""
    findings = [item for item in found.findings if item.rule != "admission.rejected"]
    if any(item.severity == "block" for item in findings):
        return "unsafe"
    if is_worst_case(case) and any(IF_NOT_READY in item.message for item in findings):
        return "unsafe"
    if found.verdict == "unknown" or any(item.rule == "admission.webhook" for item in findings):
        return "unknown"
    return "safe"


def is_admitted_alike(case: Case, found: Rehearsal) -> bool:
    """Up to the first refusal, where a rehearsal ends."""
    expected = [
        (item["verdict"] == "allowed", item["code"], item["reason"] or "") for item in case["summary"]["admission"]
    ]
    actual = [(item.allowed, item.code, item.reason) for item in found.admission]
    return expected[: len(actual)] == actual and (len(actual) == len(expected) or not actual[-1][0])


@pytest.mark.parametrize("family", FLOORS)
def test_no_change_that_turned_out_unsafe_is_called_safe(family: str) -> None:
    wrong = {
        case["id"]: (case["summary"]["why"], found.verdict)
        for case, found in rehearsed(family)
        if case["summary"]["unsafe"] and (found.verdict == "safe" or said(case, found) == "safe")
    }

    assert wrong == {}


@pytest.mark.parametrize("family", FLOORS)
def test_no_change_that_turned_out_well_is_called_unsafe_but_for_known_ones(family: str) -> None:
    alarms = {
        case["id"]
        for case, found in rehearsed(family)
        if said(case, found) == "unsafe" and not case["summary"]["unsafe"] and not case["summary"]["latent"]
    }

    assert alarms <= FALSE_ALARMS


@pytest.mark.parametrize(("family", "floor"), FLOORS.items())
def test_verdict_and_admission_agree_with_the_recordings(family: str, floor: int) -> None:
    agreed = Counter[bool]()
    for case, found in rehearsed(family):
        verdict = "unsafe" if case["summary"]["unsafe"] else "safe"
        alike = said(case, found) == verdict or (said(case, found) == "unsafe" and bool(case["summary"]["latent"]))
        agreed[alike and is_admitted_alike(case, found)] += 1

    assert floor <= agreed[True]


@pytest.mark.parametrize("family", SIMULATED)
def test_the_ready_pods_and_endpoints_at_the_end_are_the_recorded_ones(family: str) -> None:
    wrong = {}
    for case, found in rehearsed(family):
        if case.get("loose") or not found.admission[-1].allowed:
            continue
        recorded = {
            key: item.get("ready") for part in ("workloads", "endpoints") for key, item in case["summary"][part].items()
        }
        for item in found.availability:
            kind, _, path = item.object.partition(" ")
            expected = recorded.get(path.replace("/", f"/{_KINDS.get(kind)}/"))
            actual = item.worst_after if is_worst_case(case) else item.best_after
            if expected not in {None, actual}:
                wrong[f"{case['id']} {item.object}"] = (expected, actual)

    assert wrong == {}
