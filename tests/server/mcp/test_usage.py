"""`kubesteward://usage`: what one's brains cost. Of others one sees nothing, unless one sits at the machine."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from tests.server.mcp.fakes import make_app
from tests.server.mcp.test_http import ALICE, bearer, served
from tests.server.reasoning.ledger.purse import Purse

from kubesteward.mcp.server import build
from kubesteward.reasoning.ledger.words import Payer, Tokens

pytestmark = pytest.mark.anyio


def spend(folder: Path) -> None:
    purse = Purse(folder)
    purse.clock.now = time.time()
    for who, tokens in (("token:operator", 1_000_000), ("token:bob", 2_000_000)):
        hold = purse.hold(who, 1, Payer(who, "s", "chat"))
        purse.ledger.settle(hold, Tokens(input=tokens))
    purse.store.close()


async def read(client: Client) -> Any:
    return json.loads((await client.read_resource("kubesteward://usage")).contents[0].text)


async def test_over_stdio_it_is_everybodys(tmp_path: Path) -> None:
    spend(tmp_path)
    async with Client(build(make_app(tmp_path))) as client:
        found = await read(client)

    assert (found["of"], found["usage"]["today"]["total"]["usd"]) == ("everybody", 3.0)
    assert [line["user"] for line in found["usage"]["today"]["by_user"]] == ["token:bob", "token:operator"]


async def test_over_http_it_is_ones_own(tmp_path: Path) -> None:
    spend(tmp_path)
    with served(tmp_path, http_token=ALICE) as url:
        async with bearer(ALICE) as http, Client(streamable_http_client(url, http_client=http)) as client:
            found = await read(client)

    assert (found["of"], found["usage"]["today"]["total"]["usd"]) == ("token:operator", 1.0)
    assert "bob" not in json.dumps(found)
