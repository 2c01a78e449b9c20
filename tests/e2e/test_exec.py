"""Commands in containers, from a call to what was printed, and everything that must not be run."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.types import CallToolResult
from tests.e2e.desk import Desk, opened, text_of

from kubesteward.audit.verify import verify
from kubesteward.execution import exec as execution

pytestmark = pytest.mark.anyio

ALLOWED = "cat /etc/resolv.conf, env, cat /nothing, sleep *, nslookup *, hostname, ps *, busybox *"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path, exec_commands=ALLOWED) as made:
        yield made


def pod_of(desk: Desk) -> str:
    pods = desk.cluster.simulated.store.objects("pods", "shop")
    return next(str(pod["metadata"]["name"]) for pod in pods if pod["metadata"]["name"].startswith("web-"))


async def run(desk: Desk, client: Client, *command: str, **more: Any) -> CallToolResult:
    arguments = {"pod": pod_of(desk), "namespace": "shop", "command": list(command), "dry_run": False, **more}
    return await client.call_tool("exec_in_pod", arguments)


async def told(client: Client, result: CallToolResult) -> tuple[str, dict[str, Any]]:
    """The text and the transcript that get_action shows."""
    action = str((result.structured_content or {})["id"])
    found = await client.call_tool("get_action", {"action_id": action, "wait": 10})
    return text_of(found), dict((found.structured_content or {})["transcripts"][0])


def execs(desk: Desk) -> list[int]:
    """The statuses of all requests that would run something."""
    return [item.status for item in desk.cluster.requests if item.path.endswith("/exec")]


async def test_a_listed_command_is_run_once_after_a_persons_yes(desk: Desk) -> None:
    async with desk.client() as client:
        result = await run(desk, client, "cat", "/etc/resolv.conf")
        text, transcript = await told(client, result)

    assert text_of(result).startswith("EXECUTED"), text_of(result)
    assert (transcript["exit_code"], transcript["ended"]) == (0, "exit")
    assert "search shop.svc.cluster.local" in text
    assert text.index("<<<data ") < text.index("search shop.svc")
    assert transcript["stdout"].startswith("<<<data ")
    assert execs(desk) == [101]
    assert verify(desk.app.settings.state_dir).ok


async def test_the_audit_log_has_the_intent_before_and_the_digest_after(desk: Desk) -> None:
    async with desk.client() as client:
        _, transcript = await told(client, await run(desk, client, "hostname"))
    rows = desk.app.store.db.execute("SELECT record FROM audit ORDER BY seq").fetchall()
    records = [json.loads(row["record"]) for row in rows]
    types = [item["type"] for item in records]
    (applied,) = (item for item in records if item["type"] == "action_applied")

    assert types.index("action_intent") < types.index("action_applied") < types.index("action_outcome")
    assert (applied["transcript"], applied["exit_code"]) == (transcript["digest"], 0)
    assert "stdout" not in json.dumps(records)


async def test_secrets_are_nowhere_in_what_is_kept(desk: Desk) -> None:
    api = desk.cluster.simulated.api
    pod = api.get("pods", "shop", pod_of(desk))
    container = {**pod["spec"]["containers"][0], "env": [{"name": "DB_PASSWORD", "value": "correct-horse-battery"}]}
    spec = {**pod["spec"], "containers": [container]}
    metadata = {"name": "leaky", "namespace": "shop", "labels": {"app": "leaky"}}
    api.create("pods", "shop", {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    desk.cluster.simulated.engine.settle(60)
    async with desk.client() as client:
        text, transcript = await told(client, await run(desk, client, "env", pod="leaky"))
    kept = desk.app.settings.state_dir

    assert "DB_PASSWORD=" in text
    assert "correct-horse-battery" not in text + json.dumps(transcript)
    assert not any(b"correct-horse-battery" in file.read_bytes() for file in kept.rglob("*") if file.is_file())


async def test_a_failing_command_and_a_missing_program_say_so(desk: Desk) -> None:
    async with desk.client() as client:
        failing, one = await told(client, await run(desk, client, "cat", "/nothing"))
        missing, other = await told(client, await run(desk, client, "nslookup", "web"))

    assert "ended with exit code 1" in failing
    assert "cat: /nothing: No such file or directory" in failing
    assert (one["exit_code"], other["exit_code"]) == (1, None)
    assert "could not be run" in missing
    assert "executable file not found in $PATH" in missing


async def test_a_command_that_prints_nothing_is_left(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "LIMITS", execution.Limits(idle=0.05))
    async with desk.client() as client:
        text, transcript = await told(client, await run(desk, client, "sleep", "30"))

    assert (transcript["ended"], transcript["exit_code"]) == ("idle", None)
    assert "it may still run in the container" in text


async def test_output_is_cut_where_it_is_said(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "LIMITS", execution.Limits(most=10))
    async with desk.client() as client:
        text, transcript = await told(client, await run(desk, client, "cat", "/etc/resolv.conf"))

    assert transcript["dropped"] > 10
    assert "bytes more were dropped" in text


NOT_RUN: tuple[tuple[list[str], dict[str, str], str], ...] = (
    (["cat", "/etc/shadow"], {}, "it is not on the list"),
    (["sh", "-c", "id"], {}, "it is not on the list"),
    (["busybox", "sh"], {}, "runs other commands"),
    (["hostname"], {"container": "wbe"}, "has no container 'wbe'"),
    (["hostname"], {"pod": "nobody"}, "there is no Pod 'nobody'"),
)


async def test_what_is_not_listed_is_not_run(desk: Desk) -> None:
    async with desk.client() as client:
        for command, more, words in NOT_RUN:
            result = await run(desk, client, *command, **more)

            assert result.is_error
            assert words in text_of(result)
    assert execs(desk) == []


async def test_it_is_off_by_default_and_says_how_to_switch_it_on(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk, desk.client() as client:
        result = await run(desk, client, "hostname")

        assert "switched off [commands exec.off] Remedy: The operator can allow it with KUBESTEWARD_EXEC_COMMANDS" in (
            text_of(result)
        )
        assert execs(desk) == []


async def test_a_preview_runs_nothing(desk: Desk) -> None:
    async with desk.client() as client:
        result = await run(desk, client, "hostname", dry_run=True)

    assert text_of(result).startswith("PREVIEWED")
    assert "effects inside the container are unknown" in text_of(result)
    assert execs(desk) == []


async def test_at_the_highest_level_a_person_has_to_agree_all_the_same(tmp_path: Path) -> None:
    async with opened(tmp_path, exec_commands=ALLOWED, autonomy=4) as desk, desk.client(forms=False) as client:
        result = await run(desk, client, "hostname")

        assert text_of(result).startswith("APPROVAL_REQUIRED")
        assert execs(desk) == []


async def test_a_connection_that_breaks_leaves_it_unknown_and_it_is_never_run_again(desk: Desk) -> None:
    async with desk.client(forms=False) as client:
        proposed = await run(desk, client, "sleep", "30")
        action = str((proposed.structured_content or {})["id"])
        desk.app.gate.actions.approve(action, "operator")
        async with anyio.create_task_group() as group:
            group.start_soon(desk.app.gate.execute, action)
            with anyio.fail_after(10):
                while execs(desk) != [101]:
                    await anyio.lowlevel.checkpoint()
            desk.cluster._handler._execution.closing.set()
        done = await desk.app.gate.action(action, 10)
        again = await desk.app.gate.execute(action)

    assert (done.status, again.status) == ("failed", "failed")
    assert "outcome unknown" in done.outcome
    assert "nobody can tell whether the command was run" in done.outcome
    assert execs(desk) == [101]
