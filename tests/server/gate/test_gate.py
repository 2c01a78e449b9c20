"""The way of a change: judged, approved, executed once, written down."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.server.gate.lab import ALICE, PATH, WEB, Lab, deployment, label, patch, scale

from kubesteward.audit.verify import verify
from kubesteward.gate.actions import ApprovalRefused
from kubesteward.gate.case import Caller
from kubesteward.gate.digests import digest_of
from kubesteward.gate.stages.rehearsal import played
from kubesteward.store.store import StoreUnusable
from kubesteward_policies.change import JSON_PATCH, MERGE_PATCH, Change
from kubesteward_tools.errors import InvalidArguments, ObjectNotFound, Refused
from kubesteward_tools.twin.rehearse import rehearse

pytestmark = pytest.mark.anyio

MALLORY = Caller("local:mallory", "test 1.0", "session-2", "stdio", can_be_asked=True)
PDB = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"minAvailable": 3, "selector": {"matchLabels": {"app": "web"}}},
}


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


async def test_an_approved_change_is_executed_and_verified(lab: Lab) -> None:
    approved = await lab.approved(scale(4))
    action = await lab.gate.execute(approved.id)

    assert (action.status, action.verified, action.misses) == ("executed", True, ())
    assert action.outcome == "applied; the cluster has reached the rehearsed state"
    assert lab.live()["spec"]["replicas"] == 4
    assert len(lab.writer.writes) == 1


@pytest.mark.requirement("gate.intent-first")
async def test_every_step_is_in_the_audit_log_the_intent_before_the_effect(lab: Lab) -> None:
    seen: list[list[str]] = []
    lab.writer.before = lambda _: seen.append(lab.trail())
    approved = await lab.approved(scale(4))
    await lab.gate.execute(approved.id)

    assert seen == [["proposed", "decided", "taken", "intent"]]
    assert lab.trail() == ["proposed", "decided", "taken", "intent", "applied", "outcome", "verified"]
    assert verify(lab.settings.state_dir).ok


async def test_the_audit_log_says_who_approved_what_and_how(lab: Lab) -> None:
    approved = await lab.approved(scale(4))
    (decided,) = lab.records("decided")

    assert decided["approver"] == "local:alice"
    assert decided["channel"] == "elicitation"
    assert decided["digest"] == approved.digest
    assert decided["latency"] >= 0


async def test_all_verdicts_are_recorded_with_the_time_they_took(lab: Lab) -> None:
    action = await lab.propose(scale(4))
    (proposed,) = lab.records("proposed")

    assert [item.stage for item in action.verdicts] == [
        "validate",
        "liveness",
        "autonomy",
        "rights",
        "immutable",
        "guardrails",
        "server_dry_run",
        "rehearsal",
        "guardrails",
        "limits",
        "ladder",
        "approval",
    ]
    assert [item["stage"] for item in proposed["verdicts"]] == [item.stage for item in action.verdicts]
    assert all(item["took_ms"] >= 0 for item in proposed["verdicts"])


async def test_a_preview_is_rehearsed_and_writes_nothing(lab: Lab) -> None:
    action = await lab.propose(scale(1), dry_run=True)

    assert action.status == "previewed"
    assert action.rehearsal.effects.pods_stopped == 2
    assert lab.writer.writes == []
    assert lab.live()["spec"]["replicas"] == 3


async def test_what_the_rehearsal_blocks_is_never_written(lab: Lab) -> None:
    lab.create("/apis/policy/v1/namespaces/shop/poddisruptionbudgets", PDB)
    lab.cluster.engine.settle(60)
    action = await lab.propose(scale(0))

    assert action.status == "blocked"
    assert action.verdicts[-1].stage == "rehearsal"
    assert action.verdicts[-1].remediation
    with pytest.raises(Refused, match="is blocked, not approved"):
        await lab.gate.execute(action.id)
    with pytest.raises(ApprovalRefused, match="is blocked"):
        lab.gate.actions.approve(action.id, "operator")
    assert lab.writer.writes == []


async def test_a_change_that_nobody_approved_is_not_executed(lab: Lab) -> None:
    action = await lab.propose(scale(4))
    with pytest.raises(Refused, match="is pending_approval, not approved"):
        await lab.gate.execute(action.id)
    assert lab.writer.writes == []


async def test_a_hundred_executions_at_once_are_one(lab: Lab) -> None:
    approved = await lab.approved(scale(4))
    other = lab.another_gate()
    gates = [lab.gate, other] * 50
    found = await asyncio.gather(*(gate.execute(approved.id) for gate in gates))
    await asyncio.gather(*(gate.execute(approved.id) for gate in gates))

    assert len(lab.writer.writes) == 1
    assert {item.status for item in found} <= {"executing", "executed"}
    assert (await lab.gate.action(approved.id)).status == "executed"


async def test_a_used_approval_is_good_for_nothing(lab: Lab) -> None:
    approved = await lab.approved(scale(4))
    await lab.gate.execute(approved.id)
    with pytest.raises(ApprovalRefused, match="is executed: there is nothing to decide"):
        await lab.gate.decide(
            approved.id, approve=True, approver=ALICE.principal, channel="elicitation", digest=approved.digest
        )
    assert len(lab.writer.writes) == 1


@pytest.mark.parametrize(
    "forged",
    [{"digest": "sha256:" + "0" * 64}, {"digest": ""}, {"approver": "local:mallory"}],
    ids=["another digest", "no digest", "another user"],
)
async def test_a_forged_approval_is_refused(lab: Lab, forged: dict[str, str]) -> None:
    action = await lab.propose(scale(4))
    answer: dict[str, Any] = {"approver": ALICE.principal, "channel": "elicitation", "digest": action.digest, **forged}
    with pytest.raises(ApprovalRefused):
        await lab.gate.decide(action.id, approve=True, **answer)
    with pytest.raises(Refused):
        await lab.gate.execute(action.id)
    assert lab.writer.writes == []


async def test_an_unknown_action_is_named(lab: Lab) -> None:
    with pytest.raises(ObjectNotFound, match="there is no action 'act-none'"):
        await lab.gate.execute("act-none")


async def test_a_rejected_change_stays_rejected(lab: Lab) -> None:
    action = await lab.propose(scale(4))
    rejected = lab.gate.actions.reject(action.id, "operator", "not today")
    with pytest.raises(ApprovalRefused):
        lab.gate.actions.approve(action.id, "operator")
    assert rejected.status == "rejected"
    assert rejected.approvals[0].comment == "not today"


async def test_a_decision_after_ten_minutes_is_too_late(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    action = await lab.propose(scale(4))
    monkeypatch.setattr("kubesteward.gate.actions.time.time", lambda: action.expires + 1)
    with pytest.raises(ApprovalRefused, match="has expired"):
        lab.gate.actions.approve(action.id, "operator")
    assert lab.gate.actions.get(action.id).status == "expired"


@pytest.mark.requirement("gate.approval-expires")
async def test_an_approval_that_is_used_after_ten_minutes_is_too_late(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    approved = await lab.approved(scale(4))
    monkeypatch.setattr("kubesteward.gate.gate.time.time", lambda: approved.expires + 1)
    with pytest.raises(Refused, match="has expired"):
        await lab.gate.execute(approved.id)
    assert lab.writer.writes == []


async def test_the_same_key_brings_back_the_same_action(lab: Lab) -> None:
    first = await lab.propose(scale(4), idempotency_key="k1")
    again = await lab.propose(scale(4), idempotency_key="k1")
    others = await lab.propose(scale(4), idempotency_key="k1", caller=MALLORY)

    assert again.id == first.id
    assert others.id != first.id


async def test_the_same_key_for_another_change_is_refused(lab: Lab) -> None:
    await lab.propose(scale(4), idempotency_key="k1")
    with pytest.raises(InvalidArguments, match="was used for another change"):
        await lab.propose(scale(5), idempotency_key="k1")


async def test_the_same_key_many_times_at_once_is_one_action(lab: Lab) -> None:
    found = await asyncio.gather(*(lab.propose(scale(4), idempotency_key="k1") for _ in range(10)))

    assert len({item.id for item in found}) == 1


async def test_a_preview_does_not_use_the_key_up(lab: Lab) -> None:
    await lab.propose(scale(4), idempotency_key="k1", dry_run=True)
    action = await lab.propose(scale(4), idempotency_key="k1")

    assert action.status == "pending_approval"


async def test_an_approval_on_the_operators_terminal_is_noticed_and_executed(lab: Lab) -> None:
    action = await lab.propose(scale(4))
    lab.another_gate().actions.approve(action.id, "operator", "go")
    found = await lab.gate.action(action.id, wait=5)

    assert (found.status, found.verified) == ("executed", True)
    assert found.approvals[0].channel == "cli"
    assert len(lab.writer.writes) == 1
    await lab.gate.close()


async def test_a_caller_that_goes_away_stops_no_execution(lab: Lab) -> None:
    approved = await lab.approved(scale(4))
    impatient = asyncio.ensure_future(lab.gate.execute(approved.id))
    await asyncio.sleep(0)
    impatient.cancel()
    found = await lab.gate.execute(approved.id)

    assert found.status == "executed"
    assert len(lab.writer.writes) == 1


async def test_harmless_movement_since_the_approval_is_rehearsed_again_and_passes(lab: Lab) -> None:
    approved = await lab.approved(scale(4))
    lab.change({"metadata": {"annotations": {"note": "seen"}}})
    action = await lab.gate.execute(approved.id)

    assert action.status == "executed"
    assert "rehearsed_again" in lab.trail()


async def test_movement_that_changes_the_rehearsal_goes_back_to_the_person(lab: Lab) -> None:
    approved = await lab.approved(scale(2))
    lab.change({"spec": {"replicas": 6}})
    action = await lab.gate.execute(approved.id)

    assert action.digest != approved.digest
    assert [(item.before, item.after) for item in action.diff] == [("6", "2")]
    assert lab.writer.writes == []
    assert action.status in {"pending_approval", "blocked"}
    assert action.outcome.startswith("nothing was changed")


async def test_what_becomes_unsafe_between_approval_and_execution_is_not_written(lab: Lab) -> None:
    approved = await lab.approved(scale(1))
    lab.create("/apis/policy/v1/namespaces/shop/poddisruptionbudgets", PDB)
    lab.cluster.engine.settle(60)
    action = await lab.gate.execute(approved.id)

    assert lab.writer.writes == []
    assert action.status == "blocked"
    assert action.verdicts[-1].rule_id == "pdb.broken"
    assert action.outcome.startswith("nothing was changed")


async def test_nothing_is_written_once_the_store_is_gone(lab: Lab) -> None:
    approved = await lab.approved(scale(4))
    for path in lab.settings.state_dir.iterdir():
        path.unlink()
    refused = lab.gate.execute(approved.id)

    with pytest.raises(StoreUnusable, match="was removed or replaced"):
        await refused
    assert lab.writer.writes == []


async def test_a_row_of_an_older_version_can_still_be_decided(lab: Lab) -> None:
    action = await lab.propose(scale(4))
    older = action.model_dump(mode="json", exclude={"misses"})
    lab.store.db.execute("UPDATE actions SET body = ? WHERE id = ?", (json.dumps(older), action.id))

    assert lab.gate.actions.approve(action.id, "operator").status == "approved"


async def test_two_changes_that_are_safe_alone_and_not_together_are_not_both_written(lab: Lab) -> None:
    spec = {"selector": {"tier": "front"}, "ports": [{"port": 80}]}
    service = {"metadata": {"name": "front", "namespace": "shop"}, "spec": spec}
    lab.create("/api/v1/namespaces/shop/services", service)
    for name in ("blue", "green"):
        lab.create("/apis/apps/v1/namespaces/shop/deployments", deployment(name, tier="front"))
    lab.cluster.engine.settle(600)
    approved = [await lab.approved(_emptied(name)) for name in ("blue", "green")]
    first, second = [await lab.gate.execute(item.id) for item in approved]

    assert (first.status, second.status) == ("executed", "blocked")
    assert second.verdicts[-1].rule_id == "service.no_endpoints"
    assert len(lab.writer.writes) == 1


def _emptied(name: str) -> Change:
    path, target = PATH.replace("/web", f"/{name}"), replace(WEB, name=name)
    return patch({"spec": {"replicas": 0}}, f"{path}/scale", target)


async def test_rehearsals_do_not_hold_up_the_event_loop(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []

    def watched(*arguments: Any, **named: Any) -> Any:
        threads.append(threading.current_thread())
        return rehearse(*arguments, **named)

    monkeypatch.setitem(played.__globals__, "rehearse", watched)
    approved = await lab.approved(scale(4))
    await lab.gate.execute(approved.id)

    assert len(threads) == 2
    assert threading.main_thread() not in threads


async def test_an_object_that_moves_under_the_write_is_looked_at_again(lab: Lab) -> None:
    approved = await lab.approved(label("blue"))
    moved: list[int] = []

    def move(_: Any) -> None:
        if not moved:
            moved.append(1)
            lab.change({"metadata": {"annotations": {"note": "mine"}}})

    lab.writer.before = move
    action = await lab.gate.execute(approved.id)

    assert action.status == "executed"
    assert lab.live()["metadata"]["labels"]["team"] == "blue"
    assert lab.live()["metadata"]["annotations"]["note"] == "mine"
    assert lab.trail().count("intent") == 2


async def test_an_object_that_never_stands_still_is_given_up(lab: Lab) -> None:
    approved = await lab.approved(label("blue"))
    count = iter(range(100))
    lab.writer.before = lambda _: lab.change({"metadata": {"annotations": {"note": str(next(count))}}})
    action = await lab.gate.execute(approved.id)

    assert action.status == "failed"
    assert action.outcome.startswith("nothing was changed")
    assert lab.writer.writes == []


async def test_the_operator_can_take_the_right_to_execute_away_after_the_approval(lab: Lab) -> None:
    approved = await lab.approved(scale(4))
    cautious = lab.another_gate(autonomy=1)
    action = await cautious.execute(approved.id)

    assert action.status == "blocked"
    assert action.verdicts[-1].rule_id == "autonomy.advisor"
    assert lab.writer.writes == []


async def test_an_approval_does_not_fit_another_api_server_of_the_same_name(lab: Lab) -> None:
    approved = await lab.approved(scale(4))
    lab.source.url = "https://production.example"
    action = await lab.another_gate().execute(approved.id)

    assert action.status == "failed"
    assert "another API server" in action.outcome
    assert lab.writer.writes == []


async def test_pods_that_do_not_come_up_are_told_and_not_called_done(lab: Lab) -> None:
    lab.writer.frozen = True
    approved = await lab.approved(scale(4))
    action = await lab.gate.execute(approved.id)

    assert (action.status, action.verified) == ("executed", False)
    assert "not reached within" in action.outcome


async def test_the_objects_are_kept_as_they_were(lab: Lab) -> None:
    approved = await lab.approved(scale(4))
    action = await lab.gate.execute(approved.id)
    (kept,) = lab.gate.actions.snapshot(action)

    assert kept["spec"]["replicas"] == 3
    assert "status" not in kept
    assert lab.records("intent")[0]["snapshot"] == action.snapshot


async def test_a_change_of_many_calls_stops_at_the_first_refusal_and_says_how_far_it_came(lab: Lab) -> None:
    lab.create("/apis/apps/v1/namespaces/shop/deployments", deployment("api"))
    lab.cluster.engine.settle(600)
    both = (*label("blue").calls, *patch({"spec": {"replicas": 2}}).calls)
    change = label("blue").__class__("patch_resource", WEB, both, "two")
    approved = await lab.approved(change)

    def refuse(call: Any) -> None:
        if call is both[1] or call == both[1]:
            raise Refused("the webhook says no.")

    lab.writer.before = refuse
    action = await lab.gate.execute(approved.id)

    assert action.status == "failed"
    offered = f"rollback_action(action_id={action.id!r}) goes back."
    assert action.outcome == f"1 of 2 calls were made: the webhook says no. {offered}"


async def test_secrets_of_what_is_blocked_are_not_kept(lab: Lab, tmp_path: Path) -> None:
    body = {"spec": {"template": {"spec": {"containers": [{"name": "a", "env": [
        {"name": "DB_PASSWORD", "value": "hunter2-correct-horse"}]}]}}}}  # fmt: skip
    action = await lab.propose(patch(body))
    lab.store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = everything_in(tmp_path)

    assert action.status == "blocked"
    assert b"hunter2" not in kept


CONTAINER = "/spec/template/spec/containers/0"


@pytest.mark.parametrize(
    "body",
    [
        [{"op": "add", "path": f"{CONTAINER}/args", "value": ["--password=hunter2hunter2"]}],
        [{"op": "add", "path": f"{CONTAINER}/command", "value": ["run", "postgres://u:hunter2hunter2@db/shop"]}],
        {"metadata": {"annotations": {"example.com/run": "db.password=hunter2hunter2"}}},
        {"metadata": {"annotations": {"example.com/api-token": "hunter2hunter2"}}},
        [{"op": "add", "path": f"{CONTAINER}/args", "value": ["--api-token", "hunter2hunter2"]}],
    ],
)
async def test_a_secret_in_any_text_of_a_patch_is_denied_and_not_kept(lab: Lab, tmp_path: Path, body: Any) -> None:
    content_type = JSON_PATCH if isinstance(body, list) else MERGE_PATCH
    action = await lab.propose(patch(body, content_type=content_type))

    assert (action.status, action.verdicts[-1].rule_id) == ("blocked", "immutable.secret")
    assert b"hunter2" not in everything_in(tmp_path)


async def test_no_digest_that_is_kept_lets_anybody_check_a_guess_of_a_secret(lab: Lab, tmp_path: Path) -> None:
    change = patch({"metadata": {"annotations": {"example.com/password": "hunter2"}}})
    action = await lab.propose(change)

    assert change.digest.encode() not in everything_in(tmp_path)
    assert digest_of(change, action.rehearsal, action.versions).encode() not in everything_in(tmp_path)


@pytest.mark.requirement("secrets.nowhere")
async def test_a_snapshot_holds_no_secret_that_stood_in_the_open(lab: Lab, tmp_path: Path) -> None:
    lab.change({"metadata": {"annotations": {"example.com/api-token": "hunter2hunter2"}}})
    approved = await lab.approved(scale(4))
    action = await lab.gate.execute(approved.id)

    assert action.status == "executed"
    assert b"hunter2" not in everything_in(tmp_path)


async def test_what_people_say_is_kept_without_the_secrets_in_it(lab: Lab, tmp_path: Path) -> None:
    action = await lab.propose(scale(4), justification="password=hunter2hunter2")
    lab.gate.actions.reject(action.id, "local:bob", "use password=hunter2hunter2")

    assert b"hunter2" not in everything_in(tmp_path)


async def test_settings_that_only_sound_secret_can_be_changed(lab: Lab) -> None:
    env = [{"name": "MAX_TOKENS", "value": "512"}, {"name": "API_TOKEN", "value": "$(OTHER)"}]
    body = [{"op": "add", "path": f"{CONTAINER}/env", "value": env}]

    assert (await lab.propose(patch(body, content_type=JSON_PATCH))).status == "pending_approval"


async def test_a_summary_is_one_plain_line_whatever_a_model_calls_its_fields(lab: Lab) -> None:
    action = await lab.propose(replace(label("x"), summary="Patch web: a\x1b[2K\nCluster: staging\u202e"))

    assert action.change.summary == "Patch web: a Cluster: staging"


async def test_a_patch_of_the_path_of_another_object_is_denied(lab: Lab) -> None:
    action = await lab.propose(patch({}, PATH.replace("/web", "/api")))

    assert action.verdicts[-1].rule_id == "validate.path"
    assert lab.writer.asked == []
