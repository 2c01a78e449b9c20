"""Plans and rollbacks by a client over MCP, on an embedded cluster, by the API server's own request log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from tests.e2e.desk import Desk, opened, text_of

from kubesteward.audit.verify import verify
from kubesteward_tools.world.store import Key

pytestmark = pytest.mark.anyio

INTENT = "scale deployment web in shop to 4, then cordon node-1"
SCALED = "PATCH /apis/apps/v1/namespaces/shop/deployments/web/scale"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path) as made:
        yield made


async def done(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """The action's record at its end."""
    result = await client.call_tool(tool, {**arguments, "dry_run": False})
    assert not result.is_error, text_of(result)
    action = str((result.structured_content or {})["id"])
    followed = await client.call_tool("get_action", {"action_id": action, "wait": 25, "response_format": "detailed"})
    return dict(followed.structured_content or {})


@pytest.mark.requirement("gate.rollback")
async def test_what_was_done_is_taken_back_and_both_say_so(desk: Desk) -> None:
    async with desk.client() as client:
        scaled = await done(client, "scale_workload", kind="Deployment", name="web", namespace="shop", replicas=4)
        undone = await done(client, "rollback_action", action_id=scaled["id"])
        first = await client.call_tool("get_action", {"action_id": scaled["id"]})

    web = desk.cluster.simulated.store.get(Key("deployments.apps", "shop", "web"))
    assert (undone["status"], undone["verified"], undone["reverts"]) == ("executed", True, scaled["id"])
    assert (first.structured_content or {})["reverted_by"] == undone["id"]
    assert f"Rolled back by {undone['id']}." in text_of(first)
    assert desk.attempts == [SCALED, SCALED.removesuffix("/scale")]
    assert web is not None
    assert web["spec"]["replicas"] == 3
    assert verify(desk.app.settings.state_dir).ok


@pytest.mark.requirement("gate.steps")
async def test_an_intent_is_planned_agreed_to_and_carried_out_step_by_step(desk: Desk) -> None:
    async with desk.client() as client:
        planned = await client.call_tool("plan_change", {"intent": INTENT})
        assert not planned.is_error, text_of(planned)
        assert desk.attempts == []
        plan = str((planned.structured_content or {})["plan_id"])
        action = await done(client, "execute_plan", plan_id=plan)

    assert (action["status"], action["verified"]) == ("executed", True), action
    assert desk.attempts == [SCALED, "PATCH /api/v1/nodes/node-1"]
    assert f"execute_plan(plan_id={plan!r})" in text_of(planned)


async def test_an_intent_that_is_not_understood_plans_nothing(desk: Desk) -> None:
    async with desk.client() as client:
        result = await client.call_tool("plan_change", {"intent": "make the shop faster"})

    assert result.is_error
    assert "'make the shop faster' is not understood" in text_of(result)


async def test_a_node_is_drained_and_the_way_back_is_known(desk: Desk) -> None:
    async with desk.client() as client:
        planned = await client.call_tool("plan_change", {"intent": "drain node-1"})
        found = planned.structured_content or {}
        action = await done(client, "execute_plan", plan_id=found["plan_id"])
        undone = await client.call_tool("rollback_action", {"action_id": action["id"], "dry_run": True})

    evicted = [path for path in desk.attempts if path.endswith("/eviction")]
    assert (action["status"], action["verified"]) == ("executed", True), action["outcome"]
    assert desk.attempts == ["PATCH /api/v1/nodes/node-1", *evicted]
    assert len(evicted) == len(found["steps"][0]["calls"]) - 1 >= 4
    assert found["steps"][0]["rollback"] == "uncordon Node node-1; evicted pods do not move back by themselves"
    assert "restore spec.unschedulable of Node node-1" in text_of(undone)
