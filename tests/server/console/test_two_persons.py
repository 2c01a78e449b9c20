"""Two persons on the page: who has agreed, who is missing, and who cannot be the second."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.server.console.visitor import WHO, Desk
from tests.server.gate.lab import Lab, scale
from tests.server.gate.test_guardrails import rules

from kubesteward.gate.case import Caller

pytestmark = pytest.mark.anyio

ROBOT = Caller("token:robot", "robot 1.0", channel="http")


def gate_of_two(desk: Desk, folder: Path, effect: str = "require_two") -> Lab:
    settings = {"policies": (rules(folder, ("mine", effect, "true")),)}
    desk.lab.gate = desk.lab.another_gate(desk.lab.store, **settings)
    return desk.lab


async def test_the_page_says_how_many_agreed_and_who_and_takes_no_second_yes_of_the_same(tmp_path: Path) -> None:
    async with Desk(tmp_path, {"key-of-carol": "carol"}) as desk:
        await desk.enter()
        lab = gate_of_two(desk, tmp_path)
        action = await lab.propose(scale(4), caller=ROBOT)
        before = await desk.see(f"/actions/{action.id}")
        answer = await desk.decide(action.id)
        after, listed = await desk.see(f"/actions/{action.id}"), await desk.see()
        forced = await desk.send(f"/actions/{action.id}", {**after.fields, "decision": "approve"})
        desk.visitor.cookies.clear()
        await desk.send("/enter", {"token": "key-of-carol"})
        second = await desk.decide(action.id)

        assert "0 of 2 have agreed" in before.text
        assert answer.status_code == 303
        assert f"1 of 2 have agreed: {WHO} . A second person is still missing" in after.text
        assert "You cannot agree to it" in after.within("section#decision")
        assert "Approve" not in after.within("section#decision").split()
        assert "1 of 2 have agreed" in listed.text
        assert forced.status_code == 409
        assert "has agreed already" in forced.text
        assert second.status_code == 303
        assert lab.gate.actions.get(action.id).status == "approved"


async def test_who_asked_sees_that_somebody_else_is_needed_and_can_still_reject(tmp_path: Path) -> None:
    async with Desk(tmp_path) as desk:
        await desk.enter()
        lab = gate_of_two(desk, tmp_path)
        action = await lab.propose(scale(4), caller=Caller(WHO, channel="stdio"))
        lab.gate.actions.approve(action.id, "token:carol")
        seen = await desk.see(f"/actions/{action.id}")
        answer = await desk.decide(action.id, "reject")

        assert "cannot be the second to agree" in seen.text
        assert answer.status_code == 303
        assert lab.gate.actions.get(action.id).status == "rejected"


async def test_a_blocked_change_names_the_way_to_an_exception(tmp_path: Path) -> None:
    async with Desk(tmp_path) as desk:
        await desk.enter()
        action = await gate_of_two(desk, tmp_path, "deny").propose(scale(4), caller=ROBOT)
        seen = await desk.see(f"/actions/{action.id}")

        assert f"kubesteward policy except mine --action {action.id}" in seen.text
