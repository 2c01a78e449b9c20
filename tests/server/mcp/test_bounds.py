"""A request that is larger than any call can be ends before it is in memory, whether it says so or not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from tests.server.mcp.test_http import served

pytestmark = pytest.mark.anyio

HEADERS = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


def ping(filling: int) -> bytes:
    params = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "x" * filling, "version": "1"},
    }
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}).encode()


async def in_pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 2**16):
        yield body[start : start + 2**16]


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("filling", "status"), [(10, 200), (2**20, 200), (5 * 2**20, 413)])
async def test_requests_have_a_largest_size(tmp_path: Path, filling: int, status: int, chunked: bool) -> None:
    body = ping(filling)
    with served(tmp_path) as url:
        async with httpx2.AsyncClient(timeout=20) as http:
            try:
                answer = await http.post(url, content=in_pieces(body) if chunked else body, headers=HEADERS)
            except httpx2.WriteError:  # the server has closed the connection in the middle
                assert status == 413
            else:
                assert answer.status_code == status
