"""A change in several steps: each is verified before the next begins, and it stops at the first that goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.server.gate.lab import WEB, Lab, label, scale

from kubesteward.audit.verify import verify
from kubesteward_policies.change import MERGE_PATCH, ApiCall, Change

pytestmark = pytest.mark.anyio

PDB = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"minAvailable": 3, "selector": {"matchLabels": {"app": "web"}}},
}
SUMMARY = "in steps"


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def plan(*parts: Change) -> Change:
    calls = tuple(call for part in parts for call in part.calls)
    return Change("execute_plan", WEB, calls, SUMMARY, steps=tuple(len(part.calls) for part in parts))


def at_call(number: int, do: Callable[[], Any]) -> Callable[[ApiCall], None]:
    """A hook that does something at the call of that number, once."""
    seen: list[ApiCall] = []

    def hook(call: ApiCall) -> None:
        seen.append(call)
        if len(seen) == number + 1:
            do()

    return hook


@given(st.lists(st.integers(1, 4), min_size=1, max_size=5))
def test_the_steps_are_the_calls_in_their_order(steps: list[int]) -> None:
    calls = tuple(replace(label(str(number)).calls[0], query=()) for number in range(sum(steps)))
    change = Change("t", WEB, calls, SUMMARY, steps=tuple(steps))
    found = list(change.in_steps())

    assert tuple(call for step in found for call in step.calls) == calls
    assert [len(step.calls) for step in found] == steps
    assert [step.first for step in found] == [sum(steps[:number]) for number in range(len(steps))]


@pytest.mark.parametrize("steps", [(1,), (3,), (0, 2), (3, -1)])
def test_steps_that_are_not_those_of_the_calls_are_no_change(steps: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="are no steps of 2 calls"):
        Change("t", WEB, label("a").calls + scale(4).calls, SUMMARY, steps=steps)


def test_an_approval_binds_to_the_steps() -> None:
    whole = plan(label("a"), scale(4))

    assert replace(whole, steps=()).digest != whole.digest


async def test_each_step_is_verified_before_the_next_one_begins(lab: Lab) -> None:
    approved = await lab.approved(plan(label("blue"), scale(4)))
    action = await lab.gate.execute(approved.id)

    assert (action.status, action.verified, action.done) == ("executed", True, 2)
    assert lab.trail() == [
        "proposed", "decided", "taken", "intent", "step", "applied", "step_verified", "step", "applied", "outcome",
        "verified",
    ]  # fmt: skip
    assert [item["step"] for item in lab.records("step")] == [1, 2]
    assert verify(lab.settings.state_dir).ok


async def test_a_step_that_does_not_come_to_its_end_is_the_last(lab: Lab) -> None:
    approved = await lab.approved(plan(scale(4), label("blue")))
    lab.writer.frozen = True
    action = await lab.gate.execute(approved.id)

    assert (action.status, len(lab.writer.writes)) == ("failed", 1)
    assert action.outcome.startswith("1 of 2 steps and 1 of 2 calls were made: step 1 has not come to its end")
    assert action.outcome.endswith(f"rollback_action(action_id={action.id!r}) goes back.")


async def test_a_step_that_has_become_unsafe_is_not_begun(lab: Lab) -> None:
    approved = await lab.approved(plan(label("blue"), scale(2)))
    path = "/apis/policy/v1/namespaces/shop/poddisruptionbudgets"
    lab.writer.after = at_call(0, lambda: (lab.create(path, PDB), lab.cluster.engine.settle(60)))
    action = await lab.gate.execute(approved.id)

    assert (action.status, len(lab.writer.writes)) == ("failed", 1)
    assert "step 2 was not begun: rehearsed on the cluster as it is now it is blocked" in action.outcome
    assert lab.live()["spec"]["replicas"] == 3


async def test_what_the_operator_takes_away_between_two_steps_is_gone(lab: Lab) -> None:
    approved = await lab.approved(plan(label("blue"), scale(4)))
    advisor = lab.settings.model_copy(update={"autonomy": 1})
    lab.writer.after = at_call(0, lambda: setattr(lab.gate, "_settings", advisor))
    action = await lab.gate.execute(approved.id)

    assert (action.status, len(lab.writer.writes)) == ("failed", 1)
    assert "step 2 was not begun: at autonomy 1" in action.outcome


async def test_an_object_that_moves_between_two_steps_is_looked_at_again(lab: Lab) -> None:
    approved = await lab.approved(plan(label("blue"), label("green", "other")))
    lab.writer.before = at_call(1, lambda: lab.change({"metadata": {"annotations": {"note": "mine"}}}))
    action = await lab.gate.execute(approved.id)

    assert action.status == "executed"
    assert lab.live()["metadata"]["annotations"]["note"] == "mine"
    assert [item["step"] for item in lab.records("step")] == [1, 2, 2]


MAPS = "/api/v1/namespaces/shop/configmaps"
MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}, "data": {"a": "1"}}
NEW = replace(WEB, group="", kind="ConfigMap", name="new")


async def test_a_step_may_need_what_an_earlier_one_makes(lab: Lab) -> None:
    made = Change("t", NEW, (ApiCall("create", MAPS, NEW, MAP),), "")
    changed = Change("t", NEW, (ApiCall("patch", f"{MAPS}/new", NEW, {"data": {"a": "2"}}, MERGE_PATCH),), "")
    approved = await lab.approved(plan(made, changed))
    action = await lab.gate.execute(approved.id)

    assert (action.status, action.verified) == ("executed", True)
    assert lab.live(f"{MAPS}/new")["data"] == {"a": "2"}


async def test_a_patch_of_what_is_deleted_afterwards_is_not_waited_for(lab: Lab) -> None:
    lab.create(MAPS, MAP)
    patch = ApiCall("patch", f"{MAPS}/new", NEW, {"data": {"a": "2"}}, MERGE_PATCH)
    both = Change("t", NEW, (patch, ApiCall("delete", f"{MAPS}/new", NEW)), "both")
    approved = await lab.approved(both)
    action = await lab.gate.execute(approved.id)

    assert (action.status, action.verified) == ("executed", True)
