"""A client that goes before its stream has begun is no fault of the server."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from aiohttp import web

pytestmark = pytest.mark.anyio


async def test_a_watch_whose_client_has_gone_is_ended_without_a_word(
    http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def gone(*_: Any) -> None:
        raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")

    monkeypatch.setattr(web.StreamResponse, "prepare", gone)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await http.get("/api/v1/namespaces", params={"watch": "true"})

    assert caplog.messages == []
