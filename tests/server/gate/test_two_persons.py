"""What needs two persons: the first yes is kept, the second is somebody else's, and one no ends it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.server.gate.lab import ALICE, Lab, label, patch, scale
from tests.server.gate.test_guardrails import rules

from kubesteward.gate.action import Action
from kubesteward.gate.actions import Actions, ApprovalRefused, new_id
from kubesteward.gate.case import Caller
from kubesteward.store.store import Store
from kubesteward_policies.persons import Person, same
from kubesteward_policies.ref import Ref

pytestmark = pytest.mark.anyio

CONFIG = Ref("lab", "", "ConfigMap", "kube-system", "kube-root-ca.crt")


def lab_of_two(folder: Path, **terms: Any) -> Lab:
    return Lab(folder, policies=rules(folder, ("two", "require_two", "true")), **terms)


async def say(lab: Lab, action: Any, who: str, channel: str = "cli", *, approve: bool = True, **terms: Any) -> Any:
    return await lab.gate.decide(
        action.id, approve=approve, approver=who, channel=channel, **{"digest": action.digest, **terms}
    )


@pytest.mark.requirement("gate.two-persons")
async def test_two_different_persons_agree_and_then_it_is_executed(tmp_path: Path) -> None:
    lab = lab_of_two(tmp_path)
    action = await lab.propose(scale(4))
    first = await say(lab, action, "token:bob", "page")
    with pytest.raises(Exception, match="pending_approval, not approved"):
        await lab.gate.execute(action.id)
    second = await say(lab, action, "local:carol")
    done = await lab.gate.execute(action.id)

    assert (action.required, action.waiting) == (2, "it waits for 2 persons")
    assert first.status == "pending_approval"
    assert first.waiting == "1 of 2 persons have agreed, token:bob first: it waits for a second person"
    assert second.status == "approved"
    assert done.status == "executed"
    assert [item["approver"] for item in lab.records("decided")] == ["token:bob", "local:carol"]
    assert lab.records("intent")[0]["approvers"] == ["token:bob", "local:carol"]


async def test_the_requester_may_give_the_first_word_and_not_the_second(tmp_path: Path) -> None:
    lab = lab_of_two(tmp_path)
    one, other = await lab.propose(scale(4)), await lab.propose(scale(5))
    await say(lab, one, "local:alice", "elicitation")
    await say(lab, other, "token:bob", "page")

    for who, channel in (("local:alice", "elicitation"), ("local:alice", "cli"), ("token:Alice", "page")):
        for action in (one, other):
            with pytest.raises(ApprovalRefused, match="waits for somebody else"):
                await say(lab, action, who, channel)
    assert (await say(lab, one, "token:bob", "page")).status == "approved"


async def test_two_names_on_one_account_are_one_person(tmp_path: Path) -> None:
    lab = lab_of_two(tmp_path)
    action = await lab.propose(scale(4), caller=Caller("token:alice", channel="http"))
    await say(lab, action, "local:bob", account="uid:7")

    with pytest.raises(ApprovalRefused, match="agreed already"):
        await say(lab, action, "local:carol", account="uid:7")
    assert (await say(lab, action, "local:carol", account="uid:8")).status == "approved"


async def test_nobody_knows_who_stands_behind_the_loopback(tmp_path: Path) -> None:
    lab = lab_of_two(tmp_path)
    action = await lab.propose(scale(4), caller=Caller("http:loopback", channel="http"))

    with pytest.raises(ApprovalRefused, match="nobody knows who"):
        await say(lab, action, "http:loopback", "elicitation")


@pytest.mark.parametrize("who", ["token:bob", "local:alice"])
async def test_one_no_ends_it_whoever_has_agreed(tmp_path: Path, who: str) -> None:
    lab = lab_of_two(tmp_path)
    action = await lab.propose(scale(4))
    await say(lab, action, "token:bob", "page")

    assert (await say(lab, action, who, approve=False)).status == "rejected"


async def test_a_yes_to_something_else_does_not_count_as_the_second(tmp_path: Path) -> None:
    lab = lab_of_two(tmp_path)
    action = await lab.propose(scale(4))
    await say(lab, action, "token:bob", "page")

    with pytest.raises(ApprovalRefused, match="not what was shown"):
        await say(lab, action, "local:carol", digest="sha256:" + "0" * 64)


async def test_the_second_yes_comes_too_late_after_ten_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = lab_of_two(tmp_path)
    action = await lab.propose(scale(4))
    first = await say(lab, action, "token:bob", "page")
    monkeypatch.setattr("kubesteward.gate.actions.time.time", lambda: action.expires + 1)

    assert first.expires == action.expires
    with pytest.raises(ApprovalRefused, match="expired"):
        await say(lab, action, "local:carol")


async def test_what_is_rehearsed_otherwise_forgets_both_and_keeps_them_on_record(tmp_path: Path) -> None:
    lab = lab_of_two(tmp_path)
    action = await lab.propose(scale(4))
    for who in ("token:bob", "local:carol"):
        await say(lab, action, who)
    lab.change({"spec": {"replicas": 1}})
    back = await lab.gate.execute(action.id)
    again = await say(lab, back, "token:bob")

    assert (back.status, back.agreed, len(back.approvals)) == ("pending_approval", (), 2)
    assert (again.status, len(again.agreed)) == ("pending_approval", 1)
    assert (await say(lab, back, "local:carol")).status == "approved"
    assert lab.writer.writes == []


async def test_two_who_agree_at_the_same_moment_are_two(tmp_path: Path) -> None:
    lab = lab_of_two(tmp_path)
    action = await lab.propose(scale(4))
    other = lab.another_gate()
    terms = {"approve": True, "channel": "cli", "digest": action.digest}
    await asyncio.gather(
        asyncio.to_thread(lab.gate.actions.decide, action.id, approver="token:bob", **terms),
        asyncio.to_thread(other.actions.decide, action.id, approver="local:carol", **terms),
    )

    assert lab.gate.actions.get(action.id).status == "approved"


async def test_what_immutable_rules_protect_is_never_decided_by_a_form(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    path = "/api/v1/namespaces/kube-system/configmaps/kube-root-ca.crt"
    action = await lab.propose(patch({"metadata": {"labels": {"x": "y"}}}, path, CONFIG))

    assert (action.status, action.required, action.protected) == ("pending_approval", 2, True)
    with pytest.raises(ApprovalRefused, match="no form of a client is enough"):
        await say(lab, action, "local:alice", "elicitation")
    assert (await say(lab, action, "local:alice", "elicitation", approve=False)).status == "rejected"


async def test_two_persons_can_change_what_immutable_rules_protect(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    path = "/api/v1/namespaces/kube-system/configmaps/kube-root-ca.crt"
    action = await lab.propose(patch({"metadata": {"labels": {"x": "y"}}}, path, CONFIG))
    for who in ("token:bob", "local:carol"):
        await say(lab, action, who)

    assert (await lab.gate.execute(action.id)).status == "executed"


async def test_a_rule_that_asks_for_two_since_the_approval_asks_anew(tmp_path: Path) -> None:
    lab = Lab(tmp_path, policies=rules(tmp_path, ("two", "require_two", "false")))
    approved = await lab.approved(scale(4))
    rules(tmp_path, ("two", "require_two", "true"))
    back = await lab.gate.execute(approved.id)

    assert (back.status, back.required, back.agreed) == ("pending_approval", 2, ())
    assert "it says so" in back.outcome
    assert lab.writer.writes == []


async def test_a_preview_says_that_two_would_be_needed(tmp_path: Path) -> None:
    action = await lab_of_two(tmp_path).propose(label("x"), dry_run=True)

    assert (action.status, action.required) == ("previewed", 2)


PRINCIPALS = st.sampled_from(["local:alice", "token:alice", "token:bob", "local:carol", "http:loopback"])
CHANNELS = st.sampled_from(["cli", "page", "elicitation"])
ANSWERS = st.lists(st.tuples(PRINCIPALS, CHANNELS, st.sampled_from(["", "uid:1", "uid:2"]), st.booleans()), max_size=8)


@pytest.mark.requirement("gate.two-persons")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(required=st.sampled_from([1, 2]), answers=ANSWERS)
def test_nothing_is_approved_by_fewer_persons_than_it_needs(
    tmp_path_factory: pytest.TempPathFactory, required: int, answers: list[tuple[str, str, str, bool]]
) -> None:
    store = Store.open(tmp_path_factory.mktemp("store"))
    table, now = Actions(store), time.time()
    action = Action(
        id=new_id(),
        status="pending_approval",
        principal=ALICE.principal,
        change=label("x"),
        created=now,
        asked=now,
        expires=now + 600,
        digest="sha256:x",
        required=required,
        account="uid:1",
    )
    table.add(action)
    for who, channel, account, approve in answers:
        try:
            table.decide(
                action.id, approve=approve, approver=who, channel=channel, account=account, digest=action.digest
            )
        except ApprovalRefused:
            continue
    found = table.get(action.id)
    store.close()

    agreed = [Person(item.approver, item.account) for item in found.agreed]
    if found.status == "approved":
        assert len(agreed) == required
        assert required == 1 or not (same(*agreed) or same(agreed[1], Person(ALICE.principal, "uid:1")))
    assert found.status != "rejected" or not found.approvals[-1].approved
