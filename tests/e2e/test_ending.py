"""How a server over HTTP ends: in order, whoever tells it to, and with the exit code that says so."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import anyio
import pytest
from mcp import Client
from tests.e2e.serving import COMMAND, environment


async def _read(url: str) -> None:
    async with Client(url) as client:
        await client.call_tool("list_resources", {"kind": "pods"})


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_what_was_begun_before_it_ends_the_server(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    command = [*COMMAND, "--transport", "http", "--port", "0", "--embedded", "healthy"]
    with subprocess.Popen(command, env=environment(tmp_path), stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            url = server.stderr.readline().split()[-1]
            anyio.run(_read, url)
            server.send_signal(number)
            _, said = server.communicate(timeout=20)
        finally:
            server.kill()

    assert server.returncode == code
    assert "ERROR" not in said, said
    assert "Traceback" not in said, said
