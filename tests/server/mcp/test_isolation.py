"""What one caller has stored is not there for another, though both see the same cluster; over HTTP with two tokens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, MCPError
from mcp_types import ResourceUpdatedNotification
from tests.server.mcp.test_approval import Person, text_of
from tests.server.mcp.test_http import ALICE, BOB
from tests.server.mcp.test_impersonation import CANARY, client, furnished, serving
from tests.server.mcp.test_overlays import PATIENCE, Subscriber
from tests.server.team import CONTEXT, team

from kubesteward_tools.twin.route import Request

pytestmark = pytest.mark.anyio
LABEL = {
    "kind": "Deployment",
    "name": "web",
    "namespace": "alpha",
    "patch": {"metadata": {"labels": {"secretive": "alice"}}},
    "justification": "because of alice",
    "dry_run": False,
}
NOBODY_S = "act-00000000"


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    async with team(tmp_path) as found:
        kubeconfig = tmp_path / "admin"
        found.cluster.write_kubeconfig(kubeconfig)
        async with serving(tmp_path, kubeconfig, impersonate=False) as (_, where):
            yield where


async def proposed(one: Client, key: str = "") -> str:
    answer = await one.call_tool("patch_resource", {**LABEL, "idempotency_key": key})
    data: Any = answer.structured_content
    return str(data["id"])


@pytest.mark.requirement("team.records")
async def test_an_action_is_its_proposer_s_by_tool_and_by_resource(url: str) -> None:
    async with client(url, ALICE) as alice, client(url, BOB) as bob:
        action = await proposed(alice)
        own = text_of(await alice.call_tool("get_action", {"action_id": action}))
        his = text_of(await bob.call_tool("get_action", {"action_id": action}))
        nobody = text_of(await bob.call_tool("get_action", {"action_id": NOBODY_S}))
        said = []
        for name in (action, NOBODY_S):
            with pytest.raises(MCPError) as caught:
                await bob.read_resource(f"kubesteward://actions/{name}")
            said.append(str(caught.value).replace(name, "X"))
        hers = (await alice.read_resource(f"kubesteward://actions/{action}")).contents[0]

    assert action in own
    assert his.replace(action, "X") == nobody.replace(NOBODY_S, "X")
    assert said[0] == said[1]
    assert "because of alice" in hers.text


async def test_an_idempotency_key_is_each_caller_s_own(url: str) -> None:
    async with client(url, ALICE, person=Person("cancel")) as alice, client(url, BOB, person=Person("cancel")) as bob:
        first, again, his = [await proposed(one, "the-key") for one in (alice, alice, bob)]

    assert first == again
    assert his != first


async def test_recommendations_are_each_caller_s_own(url: str) -> None:
    draft = {"title": f"Sell {CANARY}", "severity": "info", "reasoning": "it shines"}
    async with client(url, ALICE) as alice, client(url, BOB) as bob:
        await alice.call_tool("draft_recommendation", draft)
        hers = (await alice.read_resource("kubesteward://recommendations")).contents[0]
        his = (await bob.read_resource("kubesteward://recommendations")).contents[0]

    assert CANARY in hers.text
    assert CANARY not in his.text


async def test_a_session_is_nobody_else_s(url: str) -> None:
    begin = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    }
    accept = {"Accept": "application/json, text/event-stream"}
    async with httpx2.AsyncClient(timeout=10) as http:
        begun = await http.post(url, json=begin, headers={**accept, "Authorization": f"Bearer {ALICE}"})
        session = {**accept, "Mcp-Session-Id": begun.headers["mcp-session-id"], "MCP-Protocol-Version": "2025-06-18"}
        ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
        found = [
            (await http.post(url, json=ping, headers={**session, "Authorization": f"Bearer {token}"})).status_code
            for token in (ALICE, BOB)
        ]
        ended = await http.delete(url, headers={**session, "Authorization": f"Bearer {BOB}"})

    assert found == [200, 404]
    assert ended.status_code == 404


async def test_users_that_are_acted_for_hear_of_nothing_that_is_another_s(tmp_path: Path) -> None:
    treasure = "kubesteward://analysis/Deployment/alpha/treasure"
    told: dict[str, asyncio.Queue[str]] = {name: asyncio.Queue() for name in ("alice", "bob")}

    def hearing(name: str) -> Any:
        async def hear(message: object) -> None:
            if isinstance(message, ResourceUpdatedNotification):
                told[name].put_nowait(str(message.params.uri))

        return hear

    async with (
        asyncio.timeout(PATIENCE),
        team(tmp_path) as found,
        serving(tmp_path, furnished(found)) as (app, where),
        client(where, ALICE, "legacy", hear=hearing("alice")) as alice,
        client(where, BOB, "legacy", hear=hearing("bob")) as bob,
    ):
        await Subscriber(alice, told["alice"]).subscribe(treasure)
        await Subscriber(bob, told["bob"]).subscribe(treasure)
        gone = found.cluster.simulated.handle(Request("delete", "/apis/apps/v1/namespaces/alpha/deployments/treasure"))

        assert gone.status == 200
        assert await told["alice"].get() == treasure
        assert told["bob"].empty()
        hers, his = [await app.people.of((name,)).world(CONTEXT) for name in ("alice", "bob")]
        assert hers.store is not his.store
        assert hers.history is not his.history
        assert not [key for key in his.store.keys("deployments.apps") if key.namespace == "alpha"]
