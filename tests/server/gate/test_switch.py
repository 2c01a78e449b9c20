"""The emergency stop closes tier 4 at once, for every server on the store, and keeps records readable."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.server.gate.lab import ALICE, PATH, WEB, Lab, label, patch

from kubesteward.audit.log import AuditLog
from kubesteward.gate.actions import ApprovalRefused
from kubesteward.gate.switch import EmergencyStop, Switch
from kubesteward.store.store import Store
from kubesteward_policies.change import MERGE_PATCH, ApiCall, Change
from kubesteward_tools.errors import Refused

pytestmark = pytest.mark.anyio


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def stop(lab: Lab, reason: str = "the database is being moved") -> None:
    """As another process does."""
    store = Store.open(lab.settings.state_dir)
    Switch(store).stop(AuditLog(store), "local:bob", reason)
    store.close()


def resume(lab: Lab) -> None:
    Switch(lab.store).resume(lab.audit, "local:bob")


def twice() -> Change:
    calls = [ApiCall("patch", PATH, WEB, {"metadata": {"labels": {name: "x"}}}, MERGE_PATCH) for name in ("a", "b")]
    return Change("patch_resource", WEB, tuple(calls), "Patch twice")


@pytest.mark.requirement("gate.stop")
@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_proposal_is_refused_and_the_server_is_not_even_asked(lab: Lab, dry_run: bool) -> None:
    stop(lab)
    action = await lab.propose(label("blue"), dry_run=dry_run)

    assert (action.status, action.verdicts[-1].rule_id) == ("blocked", "liveness.stopped")
    assert "local:bob stopped all changes" in action.verdicts[-1].reason
    assert "the database is being moved" in action.verdicts[-1].reason
    assert lab.writer.asked == []


@pytest.mark.requirement("gate.stop")
async def test_an_approval_is_refused_the_action_stays_and_can_be_approved_after_it(lab: Lab) -> None:
    action = await lab.propose(label("blue"))
    stop(lab)
    with pytest.raises(ApprovalRefused, match="stopped all changes"):
        lab.gate.actions.approve(action.id, ALICE.principal, digest=action.digest)
    during = lab.gate.actions.get(action.id).status
    resume(lab)
    lab.gate.actions.approve(action.id, ALICE.principal, digest=action.digest)

    assert (during, (await lab.gate.execute(action.id)).status) == ("pending_approval", "executed")


@pytest.mark.requirement("gate.stop")
async def test_a_no_is_still_taken(lab: Lab) -> None:
    action = await lab.propose(label("blue"))
    stop(lab)

    assert lab.gate.actions.reject(action.id, ALICE.principal).status == "rejected"


@pytest.mark.requirement("gate.stop")
async def test_what_was_approved_before_is_not_begun(lab: Lab) -> None:
    action = await lab.approved(label("blue"))
    stop(lab)

    assert (await lab.gate.execute(action.id)).status == "blocked"
    assert lab.writer.writes == []


@pytest.mark.requirement("gate.stop")
async def test_an_execution_under_way_stops_before_its_next_call_and_says_what_was_done(lab: Lab) -> None:
    action = await lab.approved(twice())
    lab.writer.after = lambda _: stop(lab)
    ended = await lab.gate.execute(action.id)

    assert (ended.status, len(lab.writer.writes)) == ("failed", 1)
    assert ended.outcome.startswith("1 of 2 calls were made: local:bob stopped all changes")


@pytest.mark.requirement("gate.stop")
async def test_it_holds_for_a_server_that_starts_later_and_ends_with_resume(lab: Lab) -> None:
    stop(lab)
    later = lab.another_gate()
    during = await later.propose(label("blue"), ALICE, dry_run=False)
    resume(lab)
    after = await later.propose(label("blue"), ALICE, dry_run=False)

    assert (during.status, after.status) == ("blocked", "pending_approval")


@pytest.mark.requirement("gate.stop")
async def test_records_stay_readable_and_both_ends_are_in_the_audit_log(lab: Lab) -> None:
    action = await lab.propose(label("blue"))
    stop(lab, "because \u202eof\n<b>this</b>")
    stop(lab, "again")
    found = await lab.gate.action(action.id)
    resume(lab)

    assert action == found
    stopped, again, resumed = lab.records("stopped", "resumed")
    assert (stopped["principal"], stopped["reason"]) == ("local:bob", "because of <b>this</b>")
    assert (again["reason"], resumed["was_stopped"]) == ("again", True)


@pytest.mark.requirement("gate.stop")
async def test_every_call_of_a_writer_asks_the_switch(lab: Lab) -> None:
    stop(lab)
    writer = lab.gate._writers.find(await lab.world())
    assert writer is not None
    call = patch({"spec": {}}).calls[0]
    for send in (writer.apply, writer.dry_run):
        with pytest.raises(EmergencyStop):
            await send(call)

    assert issubclass(EmergencyStop, Refused)
    assert (lab.writer.writes, lab.writer.asked) == ([], [])
