"""What runs without a person: by level, within the hourly limits, and no further up the restart ladder than three."""

from __future__ import annotations

import importlib
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.server.gate.lab import ALICE, WEB, Lab, deployment, label, patch, scale

from kubesteward.gate.case import Caller
from kubesteward.gate.stages import walk
from kubesteward.settings import Settings
from kubesteward_policies.change import STRATEGIC_PATCH, Change
from kubesteward_policies.ladder import RESTARTED
from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.proposals.undo import undo
from kubesteward_tools.twin.clock import timestamp

pytestmark = pytest.mark.anyio

ALL = {"auto_pods_per_hour": 100.0}
MACHINE = Caller("token:robot", "robot 1.0", "session-9", "http")


def restart(second: int = 0) -> Change:
    body = {"spec": {"template": {"metadata": {"annotations": {RESTARTED: timestamp(second)}}}}}
    return replace(patch(body, content_type=STRATEGIC_PATCH), tool="restart_rollout")


def kill(lab: Lab, reason: str = "OOMKilled") -> None:
    """As the kubelet tells it: a container of one pod of shop/web was killed just now."""
    store = lab.cluster.store
    key = next(key for key in store.keys("pods", "shop"))
    pod = store.get(key)
    assert pod is not None
    ended = {"terminated": {"reason": reason, "exitCode": 137, "finishedAt": timestamp(time.time())}}
    statuses = [{**item, "lastState": ended} for item in pod["status"]["containerStatuses"]]
    lab.cluster.api.update_status(
        key.resource, key.namespace, key.name, {**pod["status"], "containerStatuses": statuses}
    )


def rule_of(action: Any, stage: str) -> str:
    return next(item.rule_id for item in action.verdicts if item.stage == stage)


async def test_an_agent_runs_alone_within_the_limits_and_it_is_written_down_why(tmp_path: Path) -> None:
    lab = Lab(tmp_path, autonomy=4)
    action = await lab.propose(scale(4))
    (proposed,) = lab.records("proposed")
    done = await lab.gate.execute(action.id)

    assert (action.status, action.required, action.automatic) == ("approved", 0, True)
    assert [item.rule_id for item in action.verdicts][-3:] == ["limits.ok", "ladder.ok", "approval.alone"]
    assert (proposed["status"], proposed["required"]) == ("approved", 0)
    assert "autonomy.agent" in [item["rule_id"] for item in proposed["verdicts"]]
    assert (done.status, done.approvals) == ("executed", ())


SAFE, WARNED, PROTECTED = "safe", "warned", "protected"
TABLE = {
    1: {SAFE: "blocked", WARNED: "blocked", PROTECTED: "blocked"},
    2: {SAFE: "pending_approval 1", WARNED: "pending_approval 1", PROTECTED: "pending_approval 2"},
    3: {SAFE: "pending_approval 1", WARNED: "pending_approval 1", PROTECTED: "pending_approval 2"},
    4: {SAFE: "approved 0", WARNED: "pending_approval 1", PROTECTED: "pending_approval 2"},
}


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("level", TABLE)
@pytest.mark.parametrize("sort", [SAFE, WARNED, PROTECTED])
@pytest.mark.requirement("gate.levels")
async def test_what_happens_to_a_change_is_as_the_table_says(
    tmp_path: Path, level: int, read_only: bool, sort: str
) -> None:
    lab = Lab(tmp_path, autonomy=level, read_only=read_only, **ALL)
    target = replace(WEB, group="", kind="ConfigMap", namespace="kube-system", name="kube-root-ca.crt")
    path = "/api/v1/namespaces/kube-system/configmaps/kube-root-ca.crt"
    labelled = patch({"metadata": {"labels": {"x": "y"}}}, path, target)
    change = {SAFE: label("x"), WARNED: scale(0), PROTECTED: labelled}[sort]
    action, preview = await lab.propose(change), await lab.propose(change, dry_run=True)

    expected = "blocked" if read_only else TABLE[level][sort]
    assert f"{action.status} {action.required}".startswith(expected)
    assert preview.status == "previewed"


async def test_what_another_process_left_is_executed_by_the_next(tmp_path: Path) -> None:
    lab = Lab(tmp_path, autonomy=4)
    action = await lab.propose(scale(4))
    other = lab.another_gate()

    assert (await other.execute(action.id)).status == "executed"
    assert len(lab.writer.writes) == 1


@pytest.mark.parametrize(
    ("scopes", "status"),
    [
        ("lab/shop=1", "blocked"),
        ("lab=2", "pending_approval"),
        ("lab=3", "pending_approval"),
        ("lab/sho?=4", "approved"),
        ("lab=1;lab/shop=4", "approved"),
        ("lab=4;*/shop=1", "blocked"),
        ("other=4", "blocked"),
    ],
)
async def test_levels_are_of_clusters_and_namespaces(tmp_path: Path, scopes: str, status: str) -> None:
    lab = Lab(tmp_path, autonomy=1, autonomy_scopes=scopes)

    assert (await lab.propose(scale(4))).status == status


@pytest.mark.requirement("gate.levels")
async def test_a_change_of_several_namespaces_takes_the_lowest_level(tmp_path: Path) -> None:
    lab = Lab(tmp_path, autonomy=4, autonomy_scopes="*/pay=2", **ALL)
    lab.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "pay"}})
    other = deployment("pay")
    lab.create("/apis/apps/v1/namespaces/pay/deployments", {**other, "metadata": {"name": "pay", "namespace": "pay"}})
    lab.cluster.engine.settle(600)
    there = patch(
        {"metadata": {"labels": {"a": "b"}}},
        "/apis/apps/v1/namespaces/pay/deployments/pay",
        replace(WEB, namespace="pay", name="pay"),
    )
    both = replace(label("x"), calls=(*label("x").calls, *there.calls))

    assert (await lab.propose(label("x"))).status == "approved"
    assert (await lab.propose(both)).status == "pending_approval"


async def test_a_guardian_runs_an_allowed_fix_alone_and_nothing_else(tmp_path: Path) -> None:
    lab = Lab(tmp_path, autonomy=3, allow_auto_fix="restart_on_oom", **ALL)
    before = await lab.propose(restart(1))
    kill(lab)
    fix, other = await lab.propose(restart(2)), await lab.propose(scale(4))

    assert (before.status, rule_of(before, "autonomy")) == ("pending_approval", "autonomy.guardian")
    assert (fix.status, rule_of(fix, "autonomy")) == ("approved", "autonomy.restart_on_oom")
    assert other.status == "pending_approval"


async def test_a_fix_that_is_not_allowed_needs_a_person(tmp_path: Path) -> None:
    lab = Lab(tmp_path, autonomy=3, **ALL)
    kill(lab)

    assert (await lab.propose(restart())).status == "pending_approval"


async def test_what_the_rehearsal_warns_of_needs_a_person_at_any_level(tmp_path: Path) -> None:
    lab = Lab(tmp_path, autonomy=4, **ALL)
    action = await lab.propose(scale(0))

    assert action.rehearsal.verdict in {"warn", "unknown"}
    assert (action.status, action.required) == ("pending_approval", 1)


async def test_what_is_protected_needs_two_at_any_level(tmp_path: Path) -> None:
    lab = Lab(tmp_path, autonomy=4, **ALL)
    target = replace(WEB, group="", kind="ConfigMap", namespace="kube-system", name="kube-root-ca.crt")
    path = "/api/v1/namespaces/kube-system/configmaps/kube-root-ca.crt"

    assert (await lab.propose(patch({"metadata": {"labels": {"x": "y"}}}, path, target))).required == 2


async def test_a_client_that_cannot_be_asked_runs_nothing_alone_without_a_justification(tmp_path: Path) -> None:
    lab = Lab(tmp_path, autonomy=4)
    silent = await lab.propose(label("x"), caller=MACHINE)
    said = await lab.propose(label("x"), caller=MACHINE, justification="the team label is missing")

    assert (silent.status, silent.verdicts[-1].rule_id) == ("pending_approval", "approval.unjustified")
    assert said.status == "approved"


async def test_what_goes_over_the_hourly_limit_needs_a_person_and_says_the_figures(tmp_path: Path) -> None:
    lab = Lab(tmp_path, autonomy=4)
    one = await lab.propose(scale(4))
    await lab.gate.execute(one.id)
    more = await lab.propose(scale(5))

    assert more.status == "pending_approval"
    (verdict,) = [item for item in more.verdicts if item.stage == "limits"]
    assert (verdict.decision.value, verdict.rule_id) == ("needs_approval", "limits.pods")
    assert "it changes 1 pod, 1 pod of namespace shop were changed without a person" in verdict.reason


async def test_after_an_hour_there_is_room_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Lab(tmp_path, autonomy=4)
    await lab.gate.execute((await lab.propose(scale(4))).id)
    later = time.time() + 3601
    monkeypatch.setattr(
        importlib.import_module("kubesteward.gate.stages.limits"), "time", SimpleNamespace(time=lambda: later)
    )

    assert (await lab.propose(scale(5))).status == "approved"


async def test_what_a_person_approved_is_not_counted(tmp_path: Path) -> None:
    lab = Lab(tmp_path, autonomy=2)
    await lab.gate.execute((await lab.approved(scale(5))).id)
    alone = lab.another_gate(autonomy=4)

    assert (await alone.propose(scale(6), ALICE, dry_run=False)).status == "approved"


async def test_what_never_ran_is_not_counted(tmp_path: Path) -> None:
    lab = Lab(tmp_path, autonomy=4)
    action = await lab.propose(scale(4))
    lab.gate.actions.expire(action)

    assert (await lab.propose(scale(4))).status == "approved"


@pytest.mark.requirement("gate.hourly-limit")
async def test_two_processes_do_not_both_take_the_last_of_the_limit(tmp_path: Path) -> None:
    lab = Lab(tmp_path, autonomy=4)
    other = lab.another_gate()
    case = other._case(await lab.world(), scale(4), ALICE, "", dry_run=False)
    await walk(case)
    first = await lab.propose(scale(4))
    second = other._entered(case, "")

    assert first.status == "approved"
    assert rule_of(second, "limits") == "limits.ok"
    assert (second.status, second.required, second.verdicts[-1].rule_id) == ("pending_approval", 1, "limits.pods")


async def test_a_level_that_was_lowered_since_stops_what_was_to_run_alone(tmp_path: Path) -> None:
    lab = Lab(tmp_path, autonomy=4)
    asked = await lab.another_gate(autonomy=2).execute((await lab.propose(label("x"))).id)
    stopped = await lab.another_gate(autonomy=1).execute((await lab.propose(label("y"))).id)

    assert (asked.status, asked.required, asked.verdicts[-1].rule_id) == ("pending_approval", 1, "autonomy.copilot")
    assert (stopped.status, stopped.verdicts[-1].rule_id) == ("blocked", "autonomy.advisor")
    assert lab.writer.writes == []


async def test_a_limit_that_was_lowered_since_asks_a_person(tmp_path: Path) -> None:
    lab = Lab(tmp_path, autonomy=4, **ALL)
    action = await lab.propose(scale(5))
    back = await lab.another_gate(auto_pods_per_hour=1.0).execute(action.id)

    assert (back.status, back.required) == ("pending_approval", 1)
    assert "without a person in the last hour" in back.outcome


@pytest.mark.requirement("gate.restart-ladder")
async def test_the_fourth_restart_in_a_day_needs_a_person_and_begins_the_count_anew(tmp_path: Path) -> None:
    lab = Lab(tmp_path, autonomy=4)
    lab.gate = lab.another_gate(lab.store, auto_pods_per_hour=1000.0)
    for second in (1, 2, 3):
        action = await lab.propose(restart(second))
        assert action.status == "approved", action.verdicts
        await lab.gate.execute(action.id)
    fourth = await lab.propose(restart(4))
    agreed = await lab.gate.decide(
        fourth.id, approve=True, approver=ALICE.principal, channel="elicitation", digest=fourth.digest
    )
    await lab.gate.execute(agreed.id)

    assert (fourth.status, rule_of(fourth, "ladder")) == ("pending_approval", "ladder.restarts")
    assert "deployments.apps shop/web was restarted without a person 3 times in 24 h" in "".join(
        item.reason for item in fourth.verdicts
    )
    assert (await lab.propose(restart(5))).status == "approved"


async def test_pods_that_are_deleted_count_as_restarts_of_their_workload(tmp_path: Path) -> None:
    lab = Lab(tmp_path, autonomy=4)
    key = next(key for key in lab.cluster.store.keys("pods", "shop"))
    target = replace(WEB, group="", kind="Pod", name=key.name)
    change = patch(None, f"/api/v1/namespaces/shop/pods/{key.name}", target)
    gone = replace(change, calls=tuple(replace(call, verb="delete") for call in change.calls))

    assert (await lab.propose(gone)).restarts == ("deployments.apps shop/web",)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("KUBESTEWARD_AUTONOMY_SCOPES", "prod=9", "'prod=9' is no scope"),
        ("KUBESTEWARD_ALLOW_AUTO_FIX", "restart_on_om", "There are: delete_evicted_pods"),
        ("KUBESTEWARD_AUTO_PODS_PER_HOUR", "-1", "AUTO_PODS_PER_HOUR"),
    ],
)
def test_a_broken_setting_is_told_at_the_start(name: str, value: str, told: str) -> None:
    with pytest.raises(InvalidArguments, match="KUBESTEWARD_") as refused:
        Settings.load({name: value})

    assert told in str(refused.value)


async def test_a_fix_that_ran_alone_and_did_not_help_is_taken_back_alone(tmp_path: Path) -> None:
    lab = Lab(tmp_path, autonomy=3, allow_auto_fix="restart_on_oom", **ALL)
    kill(lab)
    lab.writer.frozen = True
    fix = await lab.gate.execute((await lab.propose(restart())).id)
    back = lab.gate.actions.get(fix.reverted_by)

    assert (fix.verified, back.required, rule_of(back, "autonomy")) == (False, 0, "autonomy.rollback")


async def test_a_rollback_that_somebody_proposes_is_none_of_the_fixes(tmp_path: Path) -> None:
    lab = Lab(tmp_path, autonomy=3, allow_auto_fix="restart_on_oom", **ALL)
    kill(lab)
    fix = await lab.gate.execute((await lab.propose(restart())).id)
    back = await undo(await lab.world(), lab.gate.done(fix))

    assert (await lab.propose(back)).status == "pending_approval"
