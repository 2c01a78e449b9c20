"""Ctrl-C and SIGTERM, at whatever moment: the right code, not a word about it, and nothing left behind."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from mcp import Client
from tests.server.cli.terminal import at_a_terminal, rest, started, until

from kubesteward.cli.exits import FAILED, INTERRUPTED, OK, TERMINATED

CLUSTER = ["cluster", "--kubeconfig", "kc", "--scenario", "empty"]
HTTP = ["serve", "--transport", "http", "--port", "0"]
NOISE = ["Traceback", "Exception ignored", "never retrieved", "Unclosed", "was destroyed", "ERROR"]

SIGNALS = pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGINT, INTERRUPTED, id="SIGINT", marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, TERMINATED, id="SIGTERM"),  # how hosts and containers end a server
    ],
)


def quiet(said: str) -> bool:
    return not any(word in said for word in NOISE)


def left(home: Path) -> list[str]:
    """Files that a command has made and not removed, but for the store and the key its log is signed with."""
    made = [
        item for item in home.rglob("*") if item.is_file() and not item.name.startswith(("kubesteward.db", "audit."))
    ]
    return [str(item.relative_to(home)) for item in made]


def interrupted_on_import(module: str, *words: str) -> tuple[int, str]:
    """Ctrl-C when the module has just been loaded, by the interpreter's own account."""
    with started(*words, python=["-X", "importtime"]) as process:
        until(process, f" {module}\n")
        process.send_signal(signal.SIGINT)
        return process.wait(30), rest(process)


@pytest.mark.parametrize(
    "words", [CLUSTER, ["demo"], ["serve"], ["serve", "--embedded"], HTTP, ["doctor"]], ids=" ".join
)
def test_ctrl_c_just_after_the_start(home: Path, words: list[str]) -> None:
    code, said = interrupted_on_import("kubesteward.cli.exits", *words)

    assert code == INTERRUPTED
    assert quiet(said), said
    assert left(home) == []


MOMENTS = [
    ("anyio", CLUSTER),
    ("kubesteward.embedded.http", CLUSTER),
    ("mcp", ["serve"]),
    ("kubesteward.mcp.stdio", ["serve"]),
    ("kubesteward.mcp.http", HTTP),
]
MORE_MOMENTS = [
    ("typer", CLUSTER),
    ("kubesteward_tools.twin.cluster", CLUSTER),
    ("yaml", CLUSTER),
    ("aiohttp", CLUSTER),
    ("kubesteward.app", ["demo"]),
    ("yaml", ["demo"]),
    ("kubesteward.mcp.loopback", ["demo"]),
    ("aiohttp", ["demo"]),
    ("pydantic", ["serve"]),
    ("kubesteward.mcp.serve", ["serve"]),
    ("kubesteward.standin", ["serve"]),
    ("kubesteward.standin", HTTP),
    ("uvicorn", HTTP),
    ("mcp.server.streamable_http_manager", HTTP),
]


@pytest.mark.parametrize(
    ("module", "words"), [*MOMENTS, *(pytest.param(*moment, marks=pytest.mark.slow) for moment in MORE_MOMENTS)]
)
def test_ctrl_c_while_modules_are_loaded(home: Path, module: str, words: list[str]) -> None:
    code, said = interrupted_on_import(module, *words)

    assert code == INTERRUPTED
    assert quiet(said), said
    assert left(home) == []


@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
def test_a_cluster_that_is_interrupted_takes_its_kubeconfig_along(home: Path, times: int) -> None:
    with started(*CLUSTER) as process:
        until(process, "listens on https://127.0.0.1:")
        written = (home / "kc").exists()
        for _ in range(times):
            process.send_signal(signal.SIGINT)
        said = rest(process)

    assert written
    assert process.returncode in {INTERRUPTED, -signal.SIGINT}  # the interpreter's own end; a shell says 130 to both
    assert said == "  kubectl --kubeconfig kc get pods -A\n"
    assert left(home) == []


def test_a_cluster_that_is_terminated_has_done_its_work(home: Path) -> None:
    with started(*CLUSTER) as process:
        until(process, "listens on")
        process.send_signal(signal.SIGTERM)
        said = rest(process)

    assert (process.returncode, quiet(said)) == (OK, True)
    assert left(home) == []


def test_a_cluster_whose_reader_has_gone_leaves_nothing(home: Path) -> None:
    with started(*CLUSTER) as process:
        assert process.stdout is not None
        process.stdout.close()
        code = process.wait(30)

    assert code == FAILED
    assert left(home) == []


def test_ctrl_c_in_the_middle_of_the_demonstration(home: Path) -> None:
    with started("demo") as process:
        until(process, "What is wrong")
        process.send_signal(signal.SIGINT)
        said = rest(process)

    assert process.returncode == INTERRUPTED
    assert quiet(said), said
    assert "How to connect" not in said
    assert left(home) == []


@pytest.mark.slow  # it is played to its end first
def test_ctrl_c_ends_the_cluster_of_the_demonstration(home: Path) -> None:
    with started("demo", "--serve") as process:
        command = until(process, "kubesteward serve --autonomy 2 --kubeconfig ")
        kubeconfig = Path(command.split()[-1])
        there = kubeconfig.exists()
        process.send_signal(signal.SIGINT)
        said = rest(process)

    assert process.returncode == INTERRUPTED
    assert there
    assert quiet(said), said
    assert left(home) == []


@pytest.mark.slow
def test_sigterm_takes_the_folder_of_the_demonstration_along(home: Path) -> None:
    with started("demo") as process:
        until(process, "What is wrong")
        process.send_signal(signal.SIGTERM)
        said = rest(process)

    assert process.returncode == TERMINATED
    assert quiet(said), said
    assert left(home) == []


@SIGNALS
def test_a_server_that_waits_for_its_client_ends_at_once(home: Path, number: int, code: int) -> None:
    with started("serve") as process:
        assert process.stdin is not None
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        process.stdin.write(json.dumps(ping) + "\n")
        process.stdin.flush()
        until(process, '"id":1')
        process.send_signal(number)
        said = rest(process)

    assert (process.returncode, said) == (code, "")
    assert left(home) == []


@SIGNALS
def test_a_server_over_stdio_leaves_no_copy_of_a_key_behind(home: Path, number: int, code: int) -> None:
    """The kubernetes package writes what a kubeconfig embeds into files of its own."""
    with started("serve", "--embedded", "empty") as process:
        assert process.stdin is not None
        asked = {"name": "cluster_overview", "arguments": {}}
        hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        for message in (
            {"id": 1, "method": "initialize", "params": hello},
            {"method": "notifications/initialized"},
            {"id": 2, "method": "tools/call", "params": asked},
        ):
            process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        process.stdin.flush()
        until(process, '"id":2')
        copies = list((home / "tmp").iterdir())
        process.send_signal(number)
        said = rest(process)

    assert copies != []
    assert process.returncode == code
    assert quiet(said), said
    assert left(home) == []


def test_ctrl_c_at_a_terminal_ends_a_server_that_was_started_by_hand() -> None:
    code, seen = at_a_terminal(["serve"], {"Ctrl-C ends this.": "\x03"})

    assert code == INTERRUPTED
    assert quiet(seen), seen


def test_ctrl_c_ends_a_server_over_http(home: Path) -> None:
    with started(*HTTP) as process:
        until(process, "MCP is served at http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        said = rest(process)

    assert (process.returncode, said) == (INTERRUPTED, "")
    assert left(home) == []


@pytest.mark.anyio
@SIGNALS
async def test_a_server_over_http_closes_what_it_has_opened(home: Path, number: int, code: int) -> None:
    """The cluster that stood in goes with its kubeconfig, and the store is closed."""
    with started(*HTTP, "--embedded", "empty") as process:
        url = until(process, "MCP is served at").split()[-1]
        async with Client(url) as client:
            answer = await client.call_tool("cluster_overview", {})
            opened = left(home / "state")
        process.send_signal(number)
        said = rest(process)

    assert not answer.is_error
    assert opened == [f"embedded-{process.pid}.kubeconfig"]
    assert process.returncode == code
    assert quiet(said), said
    assert left(home) == []
    assert not (home / "state" / "kubesteward.db-wal").exists()
