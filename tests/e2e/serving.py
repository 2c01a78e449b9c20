"""The real server, started as a host starts it: over HTTP on a free port, or as a command for stdio."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

COMMAND = [sys.executable, "-m", "kubesteward", "serve"]


def environment(state: Path) -> dict[str, str]:
    """Nobody's own kubeconfig is used: without other options the embedded cluster stands in."""
    inherited = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"}
    return {**inherited, "KUBESTEWARD_STATE_DIR": str(state), "HOME": str(state)}


@contextlib.contextmanager
def over_http(state: Path, *options: str) -> Iterator[str]:
    """The URL of a running server."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [*COMMAND, "--transport", "http", "--port", str(port), *options]
    with subprocess.Popen(command, env=environment(state), stderr=subprocess.DEVNULL) as server:
        try:
            _wait(port, server)
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            server.terminate()
            server.wait(timeout=20)


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
            return
        time.sleep(0.05)
    raise AssertionError(f"the server did not listen; exit code {server.poll()}")
