"""Taking an action back: only what it changed, as it was, and saying what cannot come back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.server.gate.lab import ALICE, WEB, Lab, label, patch, scale

from kubesteward.audit.verify import verify
from kubesteward.gate.action import Action
from kubesteward.gate.records import Records
from kubesteward.gate.returning import nobody_else_asks
from kubesteward_policies.change import ApiCall, Change
from kubesteward_policies.ref import Ref
from kubesteward_policies.verdict import Decision, Verdict
from kubesteward_tools.errors import AskDifferently, ObjectNotFound, Refused
from kubesteward_tools.lookup.targets import find
from kubesteward_tools.proposals.nodes import drain
from kubesteward_tools.proposals.undo import undo

pytestmark = [pytest.mark.anyio, pytest.mark.requirement("gate.rollback")]

MAPS = "/api/v1/namespaces/shop/configmaps"
MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}, "data": {"a": "1"}}
NEW = Ref("lab", "", "ConfigMap", "shop", "new")
MADE = Change("t", NEW, (ApiCall("create", MAPS, NEW, MAP),), "make")
GONE = Change("t", NEW, (ApiCall("delete", f"{MAPS}/new", NEW),), "drop")


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


async def executed(lab: Lab, change: Change) -> Action:
    action: Action = await lab.gate.execute((await lab.approved(change)).id)
    assert action.done, action.outcome
    return action


async def back(lab: Lab, action: Action) -> Change:
    return await undo(await lab.world(), await Records(lab.gate, lab.store, ALICE).done(action.id))


async def rolled_back(lab: Lab, action: Action) -> Action:
    return await executed(lab, await back(lab, action))


async def test_a_scaled_workload_gets_its_replicas_back(lab: Lab) -> None:
    action = await executed(lab, scale(4))
    undone = await rolled_back(lab, action)

    assert lab.live()["spec"]["replicas"] == 3
    assert (undone.status, undone.verified) == ("executed", True)


async def test_both_actions_know_of_each_other_and_the_audit_log_of_both(lab: Lab) -> None:
    action = await executed(lab, scale(4))
    undone = await rolled_back(lab, action)
    first = lab.gate.actions.get(action.id)

    assert (undone.reverts, first.reverted_by) == (action.id, undone.id)
    assert [item["by"] for item in lab.records("reverted")] == [undone.id]
    assert verify(lab.settings.state_dir).ok


async def test_what_others_have_changed_since_stays(lab: Lab) -> None:
    action = await executed(lab, label("blue"))
    lab.change({"metadata": {"labels": {"owner": "bob"}}, "spec": {"replicas": 5}})
    await rolled_back(lab, action)

    assert lab.live()["metadata"]["labels"] == {"owner": "bob"}
    assert lab.live()["spec"]["replicas"] == 5


async def test_a_field_that_others_have_set_since_is_left_and_told(lab: Lab) -> None:
    action = await executed(lab, patch({"metadata": {"labels": {"team": "blue", "tier": "front"}}}))
    lab.change({"metadata": {"labels": {"team": "green"}}})
    undone = await rolled_back(lab, action)

    assert lab.live()["metadata"]["labels"] == {"team": "green"}
    assert "left as others have set it since: metadata.labels.team" in undone.change.summary


async def test_what_was_created_is_deleted_and_what_was_deleted_is_created(lab: Lab) -> None:
    made = await executed(lab, MADE)
    gone = await rolled_back(lab, made)
    await rolled_back(lab, gone)

    assert lab.live(f"{MAPS}/new")["data"] == {"a": "1"}


async def test_a_container_that_was_added_goes_and_the_others_stay(lab: Lab) -> None:
    side = {"name": "side", "image": "registry.example/side:1"}
    spec = {"template": {"spec": {"containers": [side]}}}
    change = patch({"spec": spec}, content_type="application/strategic-merge-patch+json")
    action = await executed(lab, change)
    await rolled_back(lab, action)

    assert [item["name"] for item in lab.live()["spec"]["template"]["spec"]["containers"]] == ["main"]


async def test_a_change_in_steps_is_taken_back_as_far_as_it_came(lab: Lab) -> None:
    both = Change("t", WEB, label("blue").calls + MADE.calls + scale(4).calls, "three", steps=(1, 1, 1))
    approved = await lab.approved(both)

    def refuse(_: ApiCall) -> None:
        if len(lab.writer.writes) == 2:
            raise Refused("the webhook says no.")

    lab.writer.before = refuse
    action = await lab.gate.execute(approved.id)
    lab.writer.before = lambda _: None
    await rolled_back(lab, action)

    assert (action.status, action.done) == ("failed", 2)
    assert lab.live()["metadata"].get("labels", {}) == {}
    assert lab.live(f"{MAPS}/new")["kind"] == "Status"


async def test_the_pods_of_a_controller_do_not_come_back_and_that_is_said(lab: Lab) -> None:
    name = next(key.name for key in lab.cluster.store.keys("pods", "shop"))
    pod = Ref("lab", "", "Pod", "shop", name)
    action = await executed(
        lab, Change("t", pod, (ApiCall("delete", f"/api/v1/namespaces/shop/pods/{name}", pod),), "")
    )

    with pytest.raises(AskDifferently, match="does not come back, its controller makes another one"):
        await back(lab, action)


async def test_a_secret_value_that_was_taken_away_cannot_be_given_back(lab: Lab) -> None:
    lab.change({"metadata": {"annotations": {"example.com/api-token": "hunter2hunter2"}}})
    action = await executed(lab, patch({"metadata": {"annotations": {"example.com/api-token": None}}}))

    with pytest.raises(Refused, match=r"secret values of .* are not on record.*Set them by hand"):
        await back(lab, action)


async def test_a_secret_that_was_not_touched_stays_as_it_is(lab: Lab) -> None:
    lab.change({"metadata": {"annotations": {"example.com/api-token": "hunter2hunter2"}}})
    action = await executed(lab, patch({"metadata": {"annotations": {"note": "x"}}}))
    await rolled_back(lab, action)

    assert lab.live()["metadata"]["annotations"]["example.com/api-token"] == "hunter2hunter2"
    assert "note" not in lab.live()["metadata"]["annotations"]


async def test_what_was_taken_back_is_not_taken_back_again(lab: Lab) -> None:
    action = await executed(lab, scale(4))
    again = await back(lab, action)
    await rolled_back(lab, action)

    with pytest.raises(AskDifferently, match="was rolled back by"):
        await back(lab, action)
    assert (await lab.propose(again)).verdicts[-1].rule_id == "validate.reverted"


async def test_nothing_is_taken_back_of_what_was_never_done(lab: Lab) -> None:
    action = await lab.propose(scale(4), dry_run=True)

    with pytest.raises(AskDifferently, match="none of its calls was made"):
        await back(lab, action)


async def test_others_actions_are_not_there(lab: Lab) -> None:
    action = await executed(lab, scale(4))

    with pytest.raises(ObjectNotFound):
        await Records(lab.gate, lab.store, replace(ALICE, principal="local:mallory")).done(action.id)


async def ran_alone(folder: Path, change: Change, **settings: Any) -> tuple[Lab, Action]:
    """In a cluster where nothing that is written takes effect."""
    lab = Lab(folder, **{"autonomy": 4, **settings})
    lab.writer.frozen = True
    proposed = await lab.propose(change, justification="more visitors than three can serve")
    assert proposed.status == "approved", proposed.verdicts
    return lab, await lab.gate.execute(proposed.id)


async def test_what_ran_alone_and_was_not_verified_is_taken_back_alone(tmp_path: Path) -> None:
    lab, action = await ran_alone(tmp_path, scale(4))

    assert (action.verified, bool(action.reverted_by)) == (False, True)
    assert f"It was rolled back by {action.reverted_by}" in action.outcome
    assert lab.live()["spec"]["replicas"] == 3
    assert len(lab.writer.writes) == 2


async def test_what_a_person_agreed_to_is_offered_to_be_taken_back(lab: Lab) -> None:
    approved = await lab.approved(scale(4))
    lab.writer.frozen = True
    action = await lab.gate.execute(approved.id)

    assert (action.verified, action.reverted_by) == (False, "")
    assert action.outcome.endswith(f"rollback_action(action_id={action.id!r}) goes back.")
    assert lab.live()["spec"]["replicas"] == 4


async def test_a_plan_that_ran_alone_and_stopped_is_taken_back_alone(tmp_path: Path) -> None:
    change = Change("t", WEB, scale(4).calls + label("x").calls, "two", steps=(1, 1))
    lab, action = await ran_alone(tmp_path, change)

    assert (action.status, action.verified) == ("failed", False)
    assert lab.gate.actions.get(action.reverted_by).required == 0
    assert lab.live()["spec"]["replicas"] == 3


async def test_a_rollback_that_is_not_verified_is_not_rolled_back(tmp_path: Path) -> None:
    lab, action = await ran_alone(tmp_path, scale(4))
    undone = lab.gate.actions.get(action.reverted_by)

    assert (undone.verified, undone.reverted_by) == (False, "")
    assert len(lab.records("proposed")) == 2


async def test_a_drained_node_is_uncordoned_and_its_pods_stay_where_they_are(lab: Lab) -> None:
    world = await lab.world()
    node = sorted(key.name for key in lab.cluster.store.keys("nodes"))[0]
    action = await executed(lab, drain(await find(world, "Node", node)))
    undone = await back(lab, action)

    assert [(call.target.kind, call.body) for call in undone.calls] == [
        ("Node", [{"op": "remove", "path": "/spec/unschedulable"}])
    ]
    assert "its controller makes another one" in undone.summary


@pytest.mark.parametrize(("stage", "alone"), [("approval", True), ("autonomy", True), ("rehearsal", False)])
async def test_a_rollback_runs_alone_only_where_nothing_but_the_level_asks_for_a_person(
    lab: Lab, stage: str, alone: bool
) -> None:
    action = await lab.propose(scale(4))
    asking = Verdict(stage, Decision.NEEDS_APPROVAL, "x.y", "because")

    assert nobody_else_asks(action.model_copy(update={"verdicts": (asking,)})) == alone
