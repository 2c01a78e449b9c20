"""The emergency stop reaches a server that runs: from the operator's terminal to the next call of a client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.e2e.desk import REPAIR, Desk, opened, text_of
from typer.testing import CliRunner

from kubesteward.cli.commands import app

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path) as made:
        yield made


def run(desk: Desk, *arguments: str) -> str:
    found = CliRunner().invoke(app, [*arguments, "--state-dir", str(desk.app.settings.state_dir)])
    assert found.exit_code == 0, found.output
    return found.output


@pytest.mark.requirement("gate.stop")
async def test_a_stop_is_felt_by_the_next_call_and_reading_goes_on(desk: Desk) -> None:
    async with desk.client(forms=False) as client:
        waiting = (await client.call_tool("patch_resource", REPAIR)).structured_content or {}
        said = run(desk, "stop", "--reason", "the region fails over")
        refused = await client.call_tool("patch_resource", {**REPAIR, "dry_run": True})
        listed = await client.call_tool("list_clusters", {})
        overview = await client.call_tool("cluster_overview", {})
        followed = await client.call_tool("get_action", {"action_id": waiting["id"]})
        tools = {tool.name for tool in (await client.list_tools()).tools}

    assert "Open actions: 1, of which 0 had begun" in said
    assert (refused.is_error, (refused.structured_content or {})["code"]) == (True, "STOPPED")
    assert "the region fails over" in text_of(refused)
    assert all("safe mode, nothing is changed" in text_of(item) for item in (listed, overview))
    assert (followed.structured_content or {})["status"] == "pending_approval"
    assert "patch_resource" in tools  # the list does not depend on what happened before
    assert desk.attempts == []


@pytest.mark.requirement("gate.stop")
async def test_an_approval_given_at_the_terminal_waits_for_resume(desk: Desk) -> None:
    async with desk.client(forms=False) as client:
        waiting = (await client.call_tool("patch_resource", REPAIR)).structured_content or {}
        run(desk, "stop", "--reason", "the region fails over")
        arguments = ["approve", waiting["id"], "--yes", "--state-dir", str(desk.app.settings.state_dir)]
        refused = CliRunner().invoke(app, arguments)
        during = desk.memory()
        run(desk, "resume")
        approved = CliRunner().invoke(app, arguments)
        ended = await client.call_tool("get_action", {"action_id": waiting["id"], "wait": 25})

    assert (refused.exit_code, approved.exit_code) == (1, 0)
    assert (ended.structured_content or {})["status"] == "executed"
    assert "192Mi" == desk.memory() != during
