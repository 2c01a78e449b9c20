"""The operator's own rules in the gate: judged before and after the rehearsal, told to the audit log, and again when an
approved change is executed.
"""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from tests.server.gate.lab import PATH, WEB, Lab, label, patch, scale

from kubesteward_policies.change import ApiCall, Change
from kubesteward_policies.ref import Ref

pytestmark = pytest.mark.anyio

HEAD = "rules:\n"
RULE = "  - {id: %s, effect: %s, message: it says so, remediation: do it otherwise, conditions: [%s]}\n"


def rules(folder: Path, *given: tuple[str, str, str]) -> str:
    path = folder / "mine.yaml"
    path.write_text(HEAD + "".join(RULE % (name, effect, repr(condition)) for name, effect, condition in given))
    return str(path)


def verdicts(action: object) -> list[tuple[str, str]]:
    found = [item for item in action.verdicts if item.stage == "guardrails"]  # type: ignore[attr-defined]
    return [(item.rule_id, item.decision.value) for item in found]


async def test_a_rule_denies_before_anything_is_sent_to_the_server(tmp_path: Path) -> None:
    lab = Lab(tmp_path, policies=rules(tmp_path, ("many", "deny", "object.spec.replicas > 3")))
    action = await lab.propose(scale(4))

    assert action.status == "blocked"
    assert verdicts(action) == [("many", "deny")]
    assert (action.verdicts[-1].reason, action.verdicts[-1].remediation) == ("it says so", "do it otherwise")
    assert lab.writer.asked == []
    assert (await lab.propose(scale(3))).status == "pending_approval"


async def test_a_rule_about_the_rehearsal_is_asked_after_it(tmp_path: Path) -> None:
    lab = Lab(tmp_path, policies=rules(tmp_path, ("pods", "deny", "rehearsal.podsStarted > 1")))
    few, many = await lab.propose(scale(4)), await lab.propose(scale(6))

    assert (few.status, many.status) == ("pending_approval", "blocked")
    assert [item.stage for item in many.verdicts][-2:] == ["rehearsal", "guardrails"]


async def test_every_rule_that_speaks_is_a_verdict_the_strictest_last(tmp_path: Path) -> None:
    given = (("z", "deny", "true"), ("w", "warn", "true"), ("a", "require_approval", "true"), ("n", "deny", "false"))
    lab = Lab(tmp_path, policies=rules(tmp_path, *given))

    assert verdicts(await lab.propose(scale(4))) == [("w", "warn"), ("a", "needs_approval"), ("z", "deny")]


async def test_what_needs_two_persons_is_not_let_through_by_one(tmp_path: Path) -> None:
    lab = Lab(tmp_path, policies=rules(tmp_path, ("two", "require_two", "true")))
    action = await lab.approved(scale(4))

    assert (action.status, action.required) == ("pending_approval", 2)
    assert verdicts(action)[0] == ("two", "needs_approval")


@pytest.mark.parametrize("effect", ["warn", "require_approval", "deny"])
async def test_a_rule_that_cannot_be_evaluated_denies(tmp_path: Path, effect: str) -> None:
    lab = Lab(tmp_path, policies=rules(tmp_path, ("bad", effect, "object.spec.nothing == 1")))
    action = await lab.propose(scale(4))

    assert verdicts(action) == [("bad", "deny")]
    assert "no such key: nothing" in action.verdicts[-1].reason


async def test_rules_that_cannot_be_read_deny_with_their_line(tmp_path: Path) -> None:
    lab = Lab(tmp_path, policies=rules(tmp_path, ("r", "dny", "true")))
    action = await lab.propose(scale(4))

    assert verdicts(action) == [("guardrails.unusable", "deny")]
    assert "mine.yaml:2: effect is one of" in action.verdicts[-1].reason


async def test_a_violation_is_in_the_audit_log_and_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lab = Lab(tmp_path, policies=rules(tmp_path, ("many", "deny", "object.spec.replicas > 3")))
    with caplog.at_level(logging.WARNING, "kubesteward.gate.stages.guardrails"):
        await lab.propose(scale(4))
    (found,) = lab.records("guardrail_violation")
    (loaded,) = lab.records("guardrails_loaded")

    assert (found["rule"], found["target"], found["principal"]) == ("many", "Deployment shop/web", "local:alice")
    assert found["rules"] == loaded["rules"]
    assert "guardrail violated:" in caplog.text
    assert "rule='many'" in caplog.text


async def test_a_rule_that_was_made_since_the_approval_stops_the_execution(tmp_path: Path) -> None:
    lab = Lab(tmp_path, policies=rules(tmp_path, ("many", "deny", "object.spec.replicas > 9")))
    approved = await lab.approved(scale(4))
    rules(tmp_path, ("many", "deny", "object.spec.replicas > 3"))
    action = await lab.gate.execute(approved.id)

    assert action.status == "blocked"
    assert "it says so" in action.outcome
    assert lab.writer.writes == []


async def test_a_rule_about_the_rehearsal_judges_what_would_follow_by_now(tmp_path: Path) -> None:
    lab = Lab(tmp_path, policies=rules(tmp_path, ("share", "deny", "rehearsal.podsStarted > 1")))
    approved = await lab.approved(scale(4))
    lab.change({"spec": {"replicas": 1}})
    action = await lab.gate.execute(approved.id)

    assert (action.status, action.verdicts[-1].rule_id) == ("blocked", "share")
    assert lab.writer.writes == []


async def test_a_new_rule_about_the_rehearsal_holds_for_what_was_approved_before(tmp_path: Path) -> None:
    lab = Lab(tmp_path, policies=rules(tmp_path, ("pods", "deny", "rehearsal.podsStarted > 1")))
    approved = await lab.approved(scale(4))
    rules(tmp_path, ("pods", "deny", "rehearsal.podsStarted > 0"))

    assert (await lab.gate.execute(approved.id)).status == "blocked"


async def test_rules_see_the_object_before_and_after_the_request_and_the_namespace(tmp_path: Path) -> None:
    seen = (
        "oldObject.spec.replicas == 3 && object.spec.replicas == 3 && object.metadata.labels.team == 'web' &&"
        " !has(oldObject.metadata.labels) && namespaceObject.metadata.name == 'shop' && autonomy == 2 &&"
        " change.tool == 'patch_resource' && change.tier == 4 && change.calls == 1 && cluster.name == 'lab' &&"
        " request.user == 'local:alice' && request.channel == 'stdio' && !request.dryRun &&"
        " request.justification == 'why' && call.verb == 'patch' && call.subresource == '' &&"
        " timestamp(now) > timestamp('2020-01-01T00:00:00Z')"
    )
    lab = Lab(tmp_path, policies=rules(tmp_path, ("all", "deny", seen.replace("'", '"'))))
    action = await lab.propose(label("web"), justification=" why ")

    assert verdicts(action) == [("all", "deny")]
    assert action.verdicts[-1].reason == "it says so"


async def test_of_what_is_deleted_there_is_no_object_after_it_and_before_a_creation_none(tmp_path: Path) -> None:
    wanted = "call.verb == 'delete' ? object == null && oldObject != null : object != null && oldObject == null"
    lab = Lab(tmp_path, policies=rules(tmp_path, ("nulls", "warn", wanted.replace("'", '"'))))
    config = Ref("lab", "", "ConfigMap", "shop", "extra")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "extra", "namespace": "shop"}}
    made = ApiCall("create", "/api/v1/namespaces/shop/configmaps", config, body)
    gone = ApiCall("delete", "/apis/apps/v1/namespaces/shop/deployments/web", WEB)

    for call in (made, gone):
        action = await lab.propose(Change("test", call.target, (call,), "test"), dry_run=True)
        assert verdicts(action)[0] == ("nulls", "warn")


async def test_a_scale_that_is_put_is_seen_as_the_object_with_its_replicas(tmp_path: Path) -> None:
    lab = Lab(
        tmp_path, policies=rules(tmp_path, ("r", "deny", "object.spec.replicas == 7 && has(object.spec.template)"))
    )
    body = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": 7}}
    call = ApiCall("update", f"{PATH}/scale", WEB, body)

    assert verdicts(await lab.propose(Change("test", WEB, (call,), "test"))) == [("r", "deny")]


async def test_an_eviction_is_judged_with_the_pod_as_it_is(tmp_path: Path) -> None:
    wanted = 'call.subresource == "eviction" && object.metadata.name == oldObject.metadata.name'
    lab = Lab(tmp_path, policies=rules(tmp_path, ("r", "deny", wanted)))
    name = next(key.name for key in lab.cluster.store.keys("pods", "shop"))
    pod = Ref("lab", "", "Pod", "shop", name)
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": "shop"}}
    call = ApiCall("create", f"/api/v1/namespaces/shop/pods/{name}/eviction", pod, body)

    assert verdicts(await lab.propose(Change("test", pod, (call,), "test"))) == [("r", "deny")]


async def test_a_patch_that_cannot_be_merged_leaves_nothing_for_rules_to_be_content_with(tmp_path: Path) -> None:
    lab = Lab(tmp_path, policies=rules(tmp_path, ("r", "warn", "object.spec.replicas > 100")))
    action = await lab.propose(
        patch([{"op": "remove", "path": "/spec/nothing"}], content_type="application/json-patch+json")
    )

    assert verdicts(action) == [("r", "deny")]


async def test_the_default_pack_lets_an_ordinary_change_through_and_keeps_what_is_protected(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    ordinary = await lab.propose(scale(4))
    lab.change({"metadata": {"labels": {"kubesteward.dev/protected": "true"}}})
    protected = await lab.propose(scale(4))

    assert verdicts(ordinary) == [("guardrails.ok", "allow")] * 2
    assert verdicts(protected) == [("default.protected", "deny")]
