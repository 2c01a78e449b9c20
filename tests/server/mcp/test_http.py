"""HTTP: loopback for oneself, tokens for everybody else, and no name that is not expected."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from tests.server.mcp.fakes import FakeGate, make_app
from tests.server.mcp.test_approval import Person, text_of

from kubesteward.mcp.http import make_application, tokens_of
from kubesteward.mcp.server import build
from kubesteward.settings import Settings
from kubesteward_tools.errors import InvalidArguments

pytestmark = pytest.mark.anyio

ALICE, BOB = "alice-" + "a" * 20, "bob-" + "b" * 20


class Served(uvicorn.Server):
    """uvicorn in a thread, on a port the system picks."""

    def __init__(self, application: Any) -> None:
        super().__init__(uvicorn.Config(application, log_level="warning", ws="none"))
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextlib.contextmanager
def served(tmp_path: Path, gate: FakeGate | None = None, **overrides: Any) -> Iterator[str]:
    app = make_app(tmp_path, gate, **overrides)
    listening = socket.create_server(("127.0.0.1", 0))
    server = Served(make_application(build(app), app.settings, app))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    assert server.ready.wait(10)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text(f"# one line each\nalice {ALICE}\nbob {BOB}\n")
    return path


def bearer(token: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=10)


@pytest.mark.parametrize(("mode", "version"), [("auto", "2026-07-28"), ("legacy", "2025-11-25")])
async def test_both_eras_approve_and_execute_over_http(tmp_path: Path, mode: str, version: str) -> None:
    gate = FakeGate()
    with served(tmp_path, gate) as url:
        async with Client(url, mode=mode, elicitation_callback=Person()) as client:
            result = await client.call_tool("scale", {"name": "web", "replicas": 3})

            assert version == client.protocol_version
    assert text_of(result).startswith("EXECUTED")
    assert gate.decisions == [("act-1", True, "http:loopback", "elicitation")]


async def test_without_a_token_nothing_is_served(tmp_path: Path, tokens: Path) -> None:
    with served(tmp_path, http_tokens=tokens) as url:
        async with httpx2.AsyncClient() as anonymous, bearer("wrong" * 5) as wrong:
            found = [(await client.post(url, json={})).status_code for client in (anonymous, wrong)]

    assert found == [401, 401]


async def test_the_token_says_who_calls(tmp_path: Path, tokens: Path) -> None:
    gate = FakeGate()
    with served(tmp_path, gate, http_tokens=tokens) as url:
        async with bearer(ALICE) as http, Client(streamable_http_client(url, http_client=http)) as client:
            await client.call_tool("scale", {"name": "web", "replicas": 3})

    assert [action.principal for action in gate.actions.values()] == ["token:alice"]


@pytest.mark.parametrize(
    ("headers", "status"), [({"Host": "evil.example"}, 421), ({"Origin": "http://evil.example"}, 403)]
)
async def test_foreign_names_are_refused(tmp_path: Path, headers: dict[str, str], status: int) -> None:
    with served(tmp_path) as url:
        async with httpx2.AsyncClient() as client:
            found = await client.post(url, json={}, headers={"Content-Type": "application/json", **headers})

    assert status == found.status_code


@pytest.mark.requirement("mcp.public")
@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({}, "no token is set"),
        ({"http_token": "x" * 32}, "no allowed hosts are set"),
        ({"http_token": "short"}, "shorter than 16"),
    ],
)
def test_a_public_address_needs_tokens_and_names(tmp_path: Path, overrides: dict[str, str], sentence: str) -> None:
    app = make_app(tmp_path, http_host="0.0.0.0", **overrides)
    with pytest.raises(InvalidArguments, match=sentence):
        make_application(build(app), app.settings)


def test_a_public_address_with_both_is_served(tmp_path: Path) -> None:
    app = make_app(tmp_path, http_host="0.0.0.0", http_token="x" * 32, http_allowed_hosts="mcp.example.com")

    assert make_application(build(app), app.settings) is not None


def test_a_line_without_a_token_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text("alice\n")
    with pytest.raises(InvalidArguments, match="line 1"):
        tokens_of(Settings.load({}, http_tokens=path))
