"""Audit records of actions say who, why it was let through, and which call it came from."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.server.gate.lab import ALICE, Lab, label

from kubesteward.audit.actors import CORRELATION
from kubesteward.audit.query import Filter, select

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lab(tmp_path: Path) -> Lab:
    lab = Lab(tmp_path)
    token = CORRELATION.set("c0ffee")
    action = await lab.propose(label("blue"))
    CORRELATION.reset(token)
    lab.gate.actions.approve(action.id, "local:bob", digest=action.digest)
    await lab.gate.execute(action.id)
    return lab


@pytest.mark.requirement("audit.actors")
async def test_each_step_names_who_took_it(lab: Lab) -> None:
    found = [(item["type"], item["actor"]["kind"], item["actor"]["name"]) for item in lab.records() if "action" in item]

    assert ("action_proposed", "agent", ALICE.principal) == found[0]
    assert found[1] == ("action_decided", "human", "local:bob")
    assert {("system", "kubesteward")} == {item[1:] for item in found[2:]}


@pytest.mark.requirement("audit.actors")
async def test_every_step_leads_back_to_the_call_and_its_session(lab: Lab) -> None:
    found = [item for item in lab.records() if "action" in item]

    assert {("c0ffee", ALICE.session)} == {(item["correlation"], item["session"]) for item in found}


@pytest.mark.requirement("audit.actors")
async def test_a_proposal_keeps_what_it_was_judged_by(lab: Lab) -> None:
    record = lab.records("proposed")[0]

    assert "approval.person" in record["rules"]
    assert {"rehearsal", "versions"} == set(record["digests"])
    assert [(item["verb"], item["resource"], item["allowed"]) for item in record["permissions"]] == [
        ("patch", "deployments", True)
    ]


@pytest.mark.requirement("audit.actors")
async def test_what_follows_an_approval_names_it(lab: Lab) -> None:
    intent = lab.records("intent")[0]

    assert [(item["approver"], item["channel"], item["approved"]) for item in intent["approvals"]] == [
        ("local:bob", "cli", True)
    ]


@pytest.mark.requirement("audit.actors")
async def test_records_are_found_by_anybody_who_had_a_part_and_by_the_call(lab: Lab) -> None:
    def count(wanted: Filter) -> int:
        return len(list(select(lab.settings.state_dir, wanted)))

    every = len([item for item in lab.records() if "action" in item])

    assert every == count(Filter(correlation="c0ffee"))
    assert every - 1 == count(Filter(user="local:bob"))
    assert count(Filter(user="local:eve")) == 0
