"""From a call to a changed cluster, and everything that must not get there, by the API server's own request log."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp.types import CallToolResult
from tests.e2e.desk import REPAIR, UNSAFE, Desk, answer, asked, opened, text_of

from kubesteward.audit.verify import verify

pytestmark = pytest.mark.anyio

PATCHED = "PATCH /apis/apps/v1/namespaces/shop/deployments/checkout"


@pytest.fixture(params=["auto", "legacy"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path) as made:
        yield made


@pytest.mark.requirement("gate.verify")
async def test_what_a_person_agrees_to_is_written_once_and_verified(desk: Desk, mode: str) -> None:
    async with desk.client(mode) as client:
        result = await client.call_tool("patch_resource", REPAIR)
        action = str((result.structured_content or {})["id"])
        followed = await client.call_tool("get_action", {"action_id": action, "wait": 25})

    assert text_of(result).startswith("EXECUTED"), text_of(result)
    assert "a person has to agree" not in text_of(result)
    assert (followed.structured_content or {})["verified"] is True
    assert desk.attempts == [PATCHED]
    assert desk.memory() == "192Mi"
    assert verify(desk.app.settings.state_dir).ok


async def test_the_api_server_is_asked_before_it_is_told(desk: Desk) -> None:
    async with desk.client() as client:
        await client.call_tool("patch_resource", REPAIR)

    log = [item for item in desk.cluster.requests if item.method not in {"GET"}]
    kinds = ["review" if item.path.endswith("reviews") else "dry run" if item.dry_run else "write" for item in log]
    assert kinds[0] == "review"
    assert "dry run" in kinds[: kinds.index("write")]


@pytest.mark.requirement("gate.blocked-is-not-written")
async def test_what_the_rehearsal_blocks_reaches_no_write_path(desk: Desk, mode: str) -> None:
    async with desk.client(mode) as client:
        result = await client.call_tool("restart_rollout", UNSAFE)

    assert result.is_error
    assert text_of(result).startswith("BLOCKED")
    assert "quota" in text_of(result)
    assert desk.attempts == []


async def test_what_a_guardrail_denies_reaches_no_write_path_and_says_what_to_do(tmp_path: Path, mode: str) -> None:
    rules = tmp_path / "shop.yaml"
    rules.write_text(
        "rules: [{id: shop.memory, effect: deny, message: memory is the platform team's, remediation: Ask them.,"
        " match: {namespaces: [shop], tools: [patch_resource]}}]"
    )
    async with opened(tmp_path, policies=f"default,{rules}") as desk, desk.client(mode) as client:
        result = await client.call_tool("patch_resource", REPAIR)

    assert result.is_error
    assert "Blocked by Safety: memory is the platform team's [guardrails shop.memory] Remedy: Ask them." in text_of(
        result
    )
    assert desk.attempts == []


@pytest.mark.requirement("gate.advisor")
@pytest.mark.parametrize("overrides", [{"autonomy": 1}, {"read_only": True}], ids=["advisor", "read-only"])
async def test_a_server_that_only_advises_writes_nothing(tmp_path: Path, mode: str, overrides: dict[str, Any]) -> None:
    """The client calls without ever asking for the list of tools."""
    async with opened(tmp_path, **overrides) as desk, desk.client(mode) as client:
        results = [
            await client.call_tool("patch_resource", REPAIR),
            await client.call_tool("restart_rollout", UNSAFE),
            await client.call_tool(
                "scale_workload",
                {"kind": "Deployment", "name": "web", "namespace": "shop", "replicas": 1, "dry_run": False},
            ),
        ]

    assert [result.is_error for result in results] == [True, True, True]
    assert desk.attempts == []


async def test_a_client_without_forms_previews_and_writes_nothing(desk: Desk, mode: str) -> None:
    arguments = {name: value for name, value in REPAIR.items() if name != "dry_run"}
    async with desk.client(mode, forms=False) as client:
        result = await client.call_tool("patch_resource", arguments)

    assert text_of(result).startswith("PREVIEWED")
    assert desk.attempts == []


@pytest.mark.requirement("gate.approval-forged")
@pytest.mark.parametrize("forged", ["v1.AAAA", "act-1", "v1." + "A" * 80])
async def test_a_forged_approval_writes_nothing(desk: Desk, forged: str) -> None:
    async with desk.client() as client:
        await asked(client, "patch_resource", REPAIR)
        with pytest.raises(MCPError, match="requestState"):
            await answer(client, "patch_resource", REPAIR, forged)

    assert desk.attempts == []


@pytest.mark.requirement("gate.approval-of-another")
async def test_another_users_approval_writes_nothing(desk: Desk) -> None:
    async with desk.client() as client:
        state = await asked(client, "patch_resource", REPAIR)
        desk.identity.who = "local:mallory"
        with pytest.raises(MCPError, match="requestState"):
            await answer(client, "patch_resource", REPAIR, state)

    assert desk.attempts == []


async def test_another_user_sees_nothing_of_the_action(desk: Desk) -> None:
    async with desk.client(forms=False) as client:
        proposed = await client.call_tool("patch_resource", REPAIR)
        action = str((proposed.structured_content or {})["id"])
        desk.identity.who = "local:mallory"
        result = await client.call_tool("get_action", {"action_id": action})

    assert result.is_error
    assert "192Mi" not in text_of(result)


@pytest.mark.requirement("gate.approval-of-another-change")
async def test_an_approval_of_one_change_is_not_one_of_another(desk: Desk) -> None:
    other = {**REPAIR, "patch": {"spec": {"replicas": 0}}}
    async with desk.client() as client:
        state = await asked(client, "patch_resource", REPAIR)
        with pytest.raises(MCPError, match="requestState"):
            await answer(client, "patch_resource", other, state)

    assert desk.attempts == []


@pytest.mark.requirement("gate.approval-replayed")
async def test_a_replayed_approval_writes_once(desk: Desk) -> None:
    results: list[CallToolResult] = []
    async with desk.client() as client:
        state = await asked(client, "patch_resource", REPAIR)

        async def again() -> None:
            results.append(await answer(client, "patch_resource", REPAIR, state))

        async with anyio.create_task_group() as group:
            for _ in range(100):
                group.start_soon(again)

    assert sum(text_of(result).startswith("APPROVAL_INVALID") for result in results) == 99
    assert desk.attempts == [PATCHED]


@pytest.mark.requirement("gate.idempotency")
async def test_an_idempotency_key_makes_two_calls_one_action(desk: Desk) -> None:
    async with desk.client() as client:
        first = await client.call_tool("patch_resource", {**REPAIR, "idempotency_key": "k1"})
        second = await client.call_tool("patch_resource", {**REPAIR, "idempotency_key": "k1"})

    assert (first.structured_content or {})["id"] == (second.structured_content or {})["id"]
    assert desk.attempts == [PATCHED]


async def test_of_two_calls_with_one_key_both_learn_of_the_one_execution(desk: Desk) -> None:
    once = {**REPAIR, "idempotency_key": "k1"}
    results: list[CallToolResult] = []
    async with desk.client() as client:
        states = [await asked(client, "patch_resource", once) for _ in range(2)]

        async def reply(state: str) -> None:
            results.append(await answer(client, "patch_resource", once, state))

        async with anyio.create_task_group() as group:
            for state in states:
                group.start_soon(reply, state)

    assert [text_of(result).split(":")[0] for result in results] == ["EXECUTED", "EXECUTED"]
    assert desk.attempts == [PATCHED]


@pytest.mark.requirement("gate.operator")
async def test_the_operator_approves_in_another_process(desk: Desk) -> None:
    async with desk.client(forms=False) as client:
        proposed = await client.call_tool("patch_resource", REPAIR)
        action = str((proposed.structured_content or {})["id"])
        assert text_of(proposed).startswith("APPROVAL_REQUIRED")
        assert desk.attempts == []

        done = await anyio.run_process(_operator(desk, "approve", action, "--yes"), check=False)
        followed = await client.call_tool("get_action", {"action_id": action, "wait": 25})

    assert done.returncode == 0, done.stderr
    assert (followed.structured_content or {})["status"] == "executed"
    assert desk.attempts == [PATCHED]


@pytest.mark.requirement("gate.operator")
async def test_what_the_operator_rejects_is_not_written(desk: Desk) -> None:
    async with desk.client(forms=False) as client:
        proposed = await client.call_tool("patch_resource", REPAIR)
        action = str((proposed.structured_content or {})["id"])
        await anyio.run_process(_operator(desk, "reject", action), check=False)
        late = await anyio.run_process(_operator(desk, "approve", action, "--yes"), check=False)
        followed = await client.call_tool("get_action", {"action_id": action})

    assert late.returncode == 1
    assert b"rejected" in late.stderr
    assert (followed.structured_content or {})["status"] == "rejected"
    assert desk.attempts == []


def _operator(desk: Desk, *words: str) -> list[str]:
    return [sys.executable, "-m", "kubesteward", *words, "--state-dir", str(desk.app.settings.state_dir)]


@pytest.mark.requirement("gate.moved")
async def test_what_moved_since_the_approval_is_judged_anew(desk: Desk) -> None:
    """Somebody else repairs it in another way while the person thinks."""
    async with desk.client(forms=False) as client:
        proposed = await client.call_tool("patch_resource", REPAIR)
        action = str((proposed.structured_content or {})["id"])
        desk.cluster.simulated.api.patch(
            "deployments.apps", "shop", "checkout", {"spec": {"replicas": 0}}, "application/merge-patch+json"
        )
        desk.cluster.wake()
        await anyio.run_process(_operator(desk, "approve", action, "--yes"))
        followed = await client.call_tool("get_action", {"action_id": action, "wait": 4})

    assert (followed.structured_content or {})["status"] == "pending_approval"
    assert desk.attempts == []


async def test_an_approval_given_while_no_server_ran_is_executed_by_the_next(desk: Desk, tmp_path: Path) -> None:
    async with Client(_host(desk, tmp_path)) as client:
        proposed = await client.call_tool("patch_resource", REPAIR)
        action = str((proposed.structured_content or {})["id"])
    done = await anyio.run_process(_operator(desk, "approve", action, "--yes"), check=False)
    assert done.returncode == 0, done.stderr
    assert desk.attempts == []

    async with Client(_host(desk, tmp_path)) as client:
        followed = await client.call_tool("get_action", {"action_id": action, "wait": 25})
    assert (followed.structured_content or {})["status"] == "executed"
    assert desk.attempts == [PATCHED]


def _host(desk: Desk, folder: Path) -> StdioServerParameters:
    """The server as a host starts it, in a process of its own."""
    options = ["--kubeconfig", str(folder / "kubeconfig"), "--autonomy", "2"]
    state = ["--state-dir", str(desk.app.settings.state_dir)]
    return StdioServerParameters(command=sys.executable, args=["-m", "kubesteward", "serve", *options, *state])
