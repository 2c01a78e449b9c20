"""The commands that serve the page, as processes of their own."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from tests.server.console.visitor import Seen
from tests.server.gate.lab import Lab, label

from kubesteward.cli.exits import INTERRUPTED, TERMINATED

COMMAND = [sys.executable, "-m", "kubesteward"]
PATIENCE = 30.0


@contextlib.contextmanager
def running(state: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and the link that it printed."""
    inherited = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"}
    given = {
        **inherited,
        "KUBESTEWARD_STATE_DIR": str(state),
        "HOME": str(state),
        "KUBESTEWARD_PRINCIPAL": "local:olga",
    }
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([*COMMAND, *words], env=given, text=True, **pipes) as process:
        ending = threading.Timer(PATIENCE, process.kill)
        ending.start()
        try:
            yield process, _link(process)
        finally:
            ending.cancel()
            process.kill()


def _link(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"http://127\.0\.0\.1:\d+/c-\w+/open\?ticket=\S+", line):
            return found[0]
    raise AssertionError(f"no link was printed; exit code {process.wait(PATIENCE)}")


class Visitor(httpx2.Client):
    """Somebody with a browser who opened the link."""

    def __init__(self, link: str) -> None:
        super().__init__(timeout=PATIENCE)
        self.base = link.partition("/open")[0]
        assert self.get(link).status_code == 303

    def decide(self, action_id: str) -> int:
        path = f"{self.base}/actions/{action_id}"
        fields = {**Seen(self.get(path).text).fields, "decision": "approve"}
        return self.post(path, data=fields, headers={"Origin": self.base.rpartition("/")[0]}).status_code

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        with self.stream("GET", f"{self.base}/events") as answer:
            assert next(answer.iter_lines()).startswith("data: ")
            yield


@pytest.mark.anyio
@pytest.mark.slow
async def test_the_page_beside_the_servers_ends_at_ctrl_c_with_streams_open(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    action = await lab.propose(label("x"))
    with running(tmp_path, "console") as (process, link), closing(Visitor(link)) as visitor:
        status, void = visitor.decide(action.id), httpx2.get(link).status_code
        with visitor.listening():
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=PATIENCE)
    found = lab.gate.actions.get(action.id).approvals[0]
    await lab.gate.close()

    assert (status, void, process.returncode) == (303, 403, INTERRUPTED)
    assert (found.approver, found.channel) == ("local:olga", "page")
    assert not {"ERROR", "Traceback"} & set(said.replace(":", " ").split())


@pytest.mark.anyio
@pytest.mark.slow
async def test_a_server_over_stdio_serves_the_page_and_keeps_the_protocol_clean(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    action = await lab.propose(label("x"))
    await lab.gate.close()
    with (
        running(tmp_path, "serve", "--console", "--embedded", "empty") as (process, link),
        closing(Visitor(link)) as visitor,
    ):
        status = visitor.decide(action.id)
        with visitor.listening():
            out, said = process.communicate(timeout=PATIENCE)  # closes standard input: the client goes away

    assert (status, out, process.returncode) == (303, "", 0)
    assert "Traceback" not in said


@pytest.mark.slow
def test_a_server_over_http_serves_the_page_until_it_is_ended(tmp_path: Path) -> None:
    words = ["serve", "--transport", "http", "--port", "0", "--console", "--embedded", "empty"]
    with (
        running(tmp_path, *words) as (process, link),
        closing(Visitor(link)) as visitor,
        visitor.listening(),
    ):
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE)

    assert process.returncode == TERMINATED
    assert "Traceback" not in said


@pytest.mark.slow
def test_a_public_page_without_tokens_does_not_start(tmp_path: Path) -> None:
    given = {**os.environ, "KUBESTEWARD_STATE_DIR": str(tmp_path), "HOME": str(tmp_path)}
    words = [*COMMAND, "console", "--host", "0.0.0.0"]
    done = subprocess.run(words, env=given, capture_output=True, text=True, timeout=PATIENCE, check=False)

    assert done.returncode == 1
    assert "reachable by others, and no tokens are set" in done.stderr
    assert "Traceback" not in done.stderr
