"""stdio: a probe fixes no era, and what the server prints cannot reach the wire."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

pytestmark = pytest.mark.anyio

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
}
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


class Wire:
    """A server process, one line at a time."""

    def __init__(self, tmp_path: Path) -> None:
        environment = {**os.environ, "KUBESTEWARD_STATE_DIR": str(tmp_path), "KUBECONFIG": str(tmp_path / "none")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kubesteward", "serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )

    def send(self, method: str, number: int | None = None, **params: Any) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params} | ({"id": number} if number else {})
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found

    def close(self) -> int:
        with self.process:
            assert self.process.stdin is not None
            self.process.stdin.close()
            return self.process.wait(timeout=20)


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    made = Wire(tmp_path)
    yield made
    if made.process.returncode is None:
        made.close()


def test_a_probe_leaves_the_handshake_era_open(wire: Wire) -> None:
    wire.send("server/discover", 1, _meta=META)
    probed = wire.read()["result"]
    wire.send("initialize", 2, **HELLO)
    greeted = wire.read()["result"]
    wire.send("notifications/initialized")
    wire.send("tools/list", 3)
    listed = wire.read()["result"]

    assert probed["supportedVersions"] == ["2026-07-28"]
    assert probed["resultType"] == "complete"
    assert probed["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "kubesteward"
    assert greeted["protocolVersion"] == "2025-11-25"
    assert True is greeted["capabilities"]["tools"]["listChanged"]
    assert True is greeted["capabilities"]["prompts"]["listChanged"]
    assert isinstance(listed["tools"], list)


def test_a_probe_leaves_the_modern_era_open(wire: Wire) -> None:
    wire.send("server/discover", 1, _meta=META)
    wire.read()
    wire.send("server/discover", 2, _meta=META)
    wire.read()
    wire.send("tools/list", 3, _meta=META)
    listed = wire.read()["result"]

    assert listed["ttlMs"] == 300_000
    assert listed["cacheScope"] == "private"


def test_a_probe_for_a_version_nobody_speaks_is_refused_with_those_that_are(wire: Wire) -> None:
    wire.send("server/discover", 1, _meta={**META, "io.modelcontextprotocol/protocolVersion": "2031-01-01"})

    assert wire.read()["error"]["code"] == -32022


def test_the_server_ends_with_its_client(wire: Wire) -> None:
    wire.send("server/discover", 1, _meta=META)
    wire.read()

    assert wire.close() == 0


@pytest.mark.parametrize(("mode", "version"), [("auto", "2026-07-28"), ("legacy", "2025-11-25")])
async def test_the_official_client_connects(tmp_path: Path, mode: str, version: str) -> None:
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "kubesteward", "serve"],
        env={**os.environ, "KUBESTEWARD_STATE_DIR": str(tmp_path), "KUBECONFIG": str(tmp_path / "none")},
    )
    async with Client(parameters, mode=mode) as client:
        prompts = [prompt.name for prompt in (await client.list_prompts()).prompts]

        assert version == client.protocol_version
    assert prompts == ["review_change", "triage"]
