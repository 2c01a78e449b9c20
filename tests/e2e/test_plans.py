"""Plans and rollbacks by a client over MCP, on an embedded cluster, by the API server's own request log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from tests.e2e.desk import REPAIR, Desk, opened, text_of

from kubesteward.audit.verify import verify

pytestmark = pytest.mark.anyio

PATCHED = "PATCH /apis/apps/v1/namespaces/shop/deployments/checkout"
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
async def test_a_repair_is_taken_back_and_both_say_so(desk: Desk) -> None:
    before = desk.memory()
    async with desk.client() as client:
        repaired = await done(client, "patch_resource", **{key: REPAIR[key] for key in REPAIR if key != "dry_run"})
        undone = await done(client, "rollback_action", action_id=repaired["id"])
        first = await client.call_tool("get_action", {"action_id": repaired["id"]})

    assert (undone["status"], undone["reverts"]) == ("executed", repaired["id"])
    assert (first.structured_content or {})["reverted_by"] == undone["id"]
    assert desk.memory() == before != "192Mi"
    assert desk.attempts == [PATCHED, PATCHED]
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


async def test_a_node_is_drained_pod_by_pod(desk: Desk) -> None:
    async with desk.client() as client:
        planned = await client.call_tool("plan_change", {"intent": "drain node-3"})
        steps = (planned.structured_content or {})["steps"]

    assert steps[0]["calls"][0]["path"] == "/api/v1/nodes/node-3"
    assert steps[0]["rollback"] == "uncordon Node node-3; evicted pods do not move back by themselves"
