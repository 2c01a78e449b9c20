"""What runs alone is counted, and what may run alone is told by what the cluster looks like."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesteward_policies.change import STRATEGIC_PATCH, ApiCall, Change
from kubesteward_policies.fixes import FIXES, Scene, expects, fitting, unknown
from kubesteward_policies.ladder import RESTARTED, climbed, is_restart, restarts
from kubesteward_policies.limits import allowance, excess
from kubesteward_policies.ref import Ref

NOW = datetime.fromisoformat("2026-03-02T12:00:00Z").timestamp()
WEB = Ref("lab", "apps", "Deployment", "shop", "web")
POD = Ref("lab", "", "Pod", "shop", "web-1")
JOB = Ref("lab", "batch", "Job", "shop", "backup")
RESTART = {"spec": {"template": {"metadata": {"annotations": {RESTARTED: "2026-03-02T12:00:00Z"}}}}}


def moment(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def change(body: Any, verb: Any = "patch", target: Ref = WEB, path: str = "") -> Change:
    call = ApiCall(verb, path or f"/x/{target.name}", target, body, STRATEGIC_PATCH)
    return Change("any", target, (call,), "")


def pod(**container: Any) -> dict[str, Any]:
    return {"status": {"containerStatuses": [{"name": "main", **container}]}}


def ended(at: str, reason: str = "OOMKilled") -> dict[str, Any]:
    return {"terminated": {"reason": reason, "finishedAt": at}}


def scene(*pods: dict[str, Any], **status: Any) -> Scene:
    objects = {target: {"status": status} for target in (POD, JOB)}
    return Scene(NOW, moment, objects, {WEB: pods})


def test_a_share_is_rounded_down_and_leaves_one_pod_but_of_nothing_none() -> None:
    assert [allowance(pods, 5.0) for pods in (0, 3, 39, 40, 100)] == [1, 1, 1, 2, 5]
    assert allowance(1000, 0) == 0


def test_what_goes_over_is_told_with_its_figures() -> None:
    over = excess({"shop": 2}, {"shop": 1, "other": 1}, {"shop": 40}, 400, 5.0)

    assert over == (
        "it changes 2 pods, 1 pod of namespace shop were changed without a person in the last hour, "
        "and 2 of its 40 may be (5 %)"
    )
    assert "the cluster" in excess({"shop": 2}, {"other": 4}, {"shop": 40}, 100, 5.0)
    assert excess({"shop": 2}, {}, {"shop": 40}, 40, 5.0) == ""
    assert excess({}, {"shop": 900}, {}, 40, 5.0) == ""


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(1, 300), st.floats(0.5, 50))
def test_however_many_come_one_after_the_other_no_more_than_the_share_is_changed(
    wanted: list[int], there: int, percent: float
) -> None:
    used = 0
    for pods in wanted:
        if not excess({"shop": pods}, {"shop": used}, {"shop": there}, there, percent):
            used += pods

    assert used <= max(1, there * percent / 100)


def test_the_fourth_restart_is_one_too_many() -> None:
    assert climbed({"a": 2, "b": 0}) == ""
    assert climbed({"a": 2, "b": 3}) == "b"


def test_a_restart_is_a_patch_of_nothing_but_the_moment() -> None:
    more = {"spec": {**RESTART["spec"], "replicas": 9}}
    image = {"spec": {"template": {**RESTART["spec"]["template"], "spec": {"containers": []}}}}
    operations = [{"op": "add", "path": f"/spec/template/metadata/annotations/{RESTARTED.replace('/', '~1')}"}]

    assert is_restart(change(RESTART).calls[0])
    assert not any(is_restart(change(body).calls[0]) for body in (more, image, operations, None, {}))
    assert all(restarts(change(body).calls[0]) for body in (RESTART, more, image, operations))
    assert not restarts(change({"spec": {"replicas": 1}}).calls[0])


@pytest.mark.parametrize(
    ("pods", "fits"),
    [
        ([pod(lastState=ended("2026-03-02T11:30:00Z"))], True),
        ([pod(), pod(state=ended("2026-03-02T11:59:00Z"))], True),
        ([pod(lastState=ended("2026-03-02T10:30:00Z"))], False),
        ([pod(lastState=ended("2026-03-02T11:30:00Z", "Error"))], False),
        ([pod(lastState=ended("soon"))], False),
        ([pod()], False),
        ([], False),
    ],
)
def test_a_restart_on_oom_is_one_of_a_workload_that_was_killed_within_the_hour(
    pods: list[dict[str, Any]], fits: bool
) -> None:
    assert bool(FIXES["restart_on_oom"](change(RESTART), scene(*pods))) == fits
    assert not FIXES["restart_on_oom"](change({"spec": {"replicas": 0}}), scene(*pods))


def test_a_restart_on_crash_loop_is_one_of_a_workload_that_is_in_it() -> None:
    looping, well = pod(state={"waiting": {"reason": "CrashLoopBackOff"}}), pod(state={"running": {}})

    assert "main is in CrashLoopBackOff" in FIXES["restart_on_crash_loop"](change(RESTART), scene(well, looping))
    assert not FIXES["restart_on_crash_loop"](change(RESTART), scene(well))


@pytest.mark.parametrize(
    ("status", "fits"),
    [
        ({"phase": "Failed", "reason": "Evicted"}, True),
        ({"phase": "Failed"}, False),
        ({"phase": "Running"}, False),
        ({}, False),
    ],
)
def test_only_pods_that_were_evicted_are_deleted_as_such(status: dict[str, Any], fits: bool) -> None:
    gone = change(None, "delete", POD)
    mixed = Change("any", POD, (*gone.calls, *change(RESTART).calls), "")

    assert bool(FIXES["delete_evicted_pods"](gone, scene(**status))) == fits
    assert not FIXES["delete_evicted_pods"](mixed, scene(**status))
    assert not FIXES["delete_evicted_pods"](change(None, "delete", POD, "/x/web-1/eviction"), scene(**status))


@pytest.mark.parametrize(
    ("body", "done", "fits"),
    [
        ({"propagationPolicy": "Background"}, "2026-03-02T10:00:00Z", True),
        ({"propagationPolicy": "Background"}, "2026-03-02T11:30:00Z", False),
        ({"propagationPolicy": "Orphan"}, "2026-03-02T10:00:00Z", False),
        (None, "2026-03-02T10:00:00Z", False),
        ({"propagationPolicy": "Background"}, "", False),
    ],
)
def test_only_jobs_that_are_long_done_are_deleted_with_their_pods(body: Any, done: str, fits: bool) -> None:
    seen = scene(conditions=[{"type": "Complete", "status": "True"}], completionTime=done)

    assert bool(FIXES["delete_finished_jobs"](change(body, "delete", JOB), seen)) == fits


def test_only_what_is_allowed_fits_and_names_that_are_none_are_told() -> None:
    killed = scene(pod(lastState=ended("2026-03-02T11:30:00Z")))

    assert fitting(change(RESTART), killed, ["delete_evicted_pods", "restart_on_oom"])[0] == "restart_on_oom"
    assert fitting(change(RESTART), killed, ["delete_evicted_pods"]) == ("", "")
    assert unknown(FIXES) == ""
    assert unknown(["restart_on_om"]).startswith("'restart_on_om': there is no such fix. There are: delete_evicted")


def test_a_restart_always_gets_the_warning_that_it_would_stall_and_no_other_change_is_excused_by_it() -> None:
    stalls = ("rollout.would_stall", "deployment shop/web")

    assert expects(change(RESTART), *stalls)
    assert not expects(change({"spec": {"replicas": 1}}), *stalls)
    assert not expects(change(RESTART), "rollout.would_stall", "deployment shop/other")
    assert not expects(change(RESTART), "availability.reduced", "deployment shop/web")


def test_every_fix_says_what_it_is() -> None:
    assert all(fix.__doc__ for fix in FIXES.values())
