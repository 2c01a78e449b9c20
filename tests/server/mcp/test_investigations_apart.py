"""Investigations are their asker's alone, over HTTP with two tokens: by tool, by resource, by list, by order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError
from tests.server.mcp.test_approval import text_of
from tests.server.mcp.test_http import ALICE, BOB
from tests.server.mcp.test_impersonation import client, serving
from tests.server.team import team

pytestmark = pytest.mark.anyio
QUESTION = "Is the web of alpha well, sapphire?"
NOBODY_S = "inv-000000000000"


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    async with team(tmp_path) as found:
        kubeconfig = tmp_path / "admin"
        found.cluster.write_kubeconfig(kubeconfig)
        async with serving(tmp_path, kubeconfig, impersonate=False) as (_, where):
            yield where


async def refused(one: Client, uri: str) -> str:
    with pytest.raises(MCPError) as caught:
        await one.read_resource(uri)
    return str(caught.value)


async def test_an_investigation_of_another_is_as_if_there_were_none(url: str) -> None:
    async with client(url, ALICE) as alice, client(url, BOB) as bob:
        begun: Any = (await alice.call_tool("investigate", {"question": QUESTION, "wait": 20})).structured_content
        name = str(begun["id"])
        said = {}
        for one in (name, NOBODY_S):
            orders = [{}, {"order": "resume"}, {"order": "pause"}, {"order": "cancel"}]
            answers = [await bob.call_tool("investigate", {"investigation": one, **order}) for order in orders]
            texts = [text_of(answer) for answer in answers]
            texts += [await refused(bob, f"kubesteward://investigations/{one}{rest}") for rest in ("", "/results/1")]
            said[one] = [text.replace(one, "X") for text in texts]
        his = (await bob.read_resource("kubesteward://investigations")).contents[0]
        hers = (await alice.read_resource("kubesteward://investigations")).contents[0]

    assert said[name] == said[NOBODY_S]
    assert "sapphire" not in his.text
    assert "sapphire" in hers.text


async def test_the_same_question_of_another_is_investigated_anew(url: str) -> None:
    async with client(url, ALICE) as alice, client(url, BOB) as bob:
        asked = {"question": QUESTION, "wait": 20}
        hers: Any = (await alice.call_tool("investigate", asked)).structured_content
        his: Any = (await bob.call_tool("investigate", asked)).structured_content

    assert his["usage"].get("reused", "") == ""
    assert hers["id"] not in str(his)
