"""The official Inspector, over stdio and HTTP, in both eras: greeted, listed without findings, a read and a change."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.embedded import running
from tests.e2e.npm import NodeTools, node_tools
from tests.e2e.serving import COMMAND, environment, over_http

pytestmark = pytest.mark.slow

Inspect = Callable[..., tuple[int, Any]]
CASES = [(transport, era) for transport in ("stdio", "http") for era in ("legacy", "modern")]
TOOL_ERROR = 5
"""The Inspector's exit code for a result with isError."""


@pytest.fixture(scope="module")
def tools() -> NodeTools:
    return node_tools()


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def options(state: Path) -> Iterator[list[str]]:
    """A server of autonomy 2 over a cluster with an incident; clients hand no environment on to stdio servers."""
    with running(state, "incident") as kubeconfig:
        yield ["--kubeconfig", str(kubeconfig), "--autonomy", "2", "--state-dir", str(state)]


@pytest.fixture(scope="module")
def url(tools: NodeTools, state: Path, options: list[str]) -> Iterator[str]:
    with over_http(state, *options) as address:
        yield address


@pytest.fixture(params=CASES, ids=["-".join(case) for case in CASES])
def inspect(request: pytest.FixtureRequest, tools: NodeTools, url: str, state: Path, options: list[str]) -> Inspect:
    transport, era = request.param
    target = [url, "--transport", "http"] if transport == "http" else [*COMMAND, *options]

    def run(*words: str) -> tuple[int, Any]:
        command = [*tools.inspector, *target, "--protocol-era", era, "--format", "json", "-q", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment(state))
        try:
            return done.returncode, json.loads(done.stdout)
        except ValueError:
            raise AssertionError(f"exit {done.returncode}: {done.stdout[-1000:]} {done.stderr[-1000:]}") from None

    return run


def call(inspect: Inspect, tool: str, **arguments: Any) -> tuple[int, Any]:
    return inspect("--method", "tools/call", "--tool-name", tool, "--tool-args-json", json.dumps(arguments))


def test_the_server_introduces_itself(inspect: Inspect) -> None:
    code, found = inspect("--method", "initialize")

    assert code == 0
    assert "Read first" in json.dumps(found)


def test_the_definitions_have_no_findings(inspect: Inspect) -> None:
    code, found = inspect("--method", "tools/list", "--strict")

    assert code == 0, found
    assert "list_clusters" in json.dumps(found)


def test_reads_are_answered(inspect: Inspect) -> None:
    code, found = call(inspect, "list_resources", kind="pods", namespace="shop")

    assert code == 0, found
    assert "checkout" in json.dumps(found)


def test_a_change_waits_for_the_operator_and_is_made(
    inspect: Inspect, state: Path, request: pytest.FixtureRequest
) -> None:
    """The Inspector shows no forms: the operator approves in a terminal, and the server executes."""
    label = request.node.callspec.id
    code, found = call(
        inspect,
        "patch_resource",
        kind="Deployment",
        name="web",
        namespace="shop",
        patch={"metadata": {"labels": {"seen-by": label}}},
        dry_run=False,
    )
    assert code == 0, found
    action = found["result"]["structuredContent"]["id"]
    assert found["result"]["structuredContent"]["status"] == "pending_approval"

    approve = [sys.executable, "-m", "kubesteward", "approve", action, "--yes"]
    subprocess.run(approve, check=True, timeout=60, env=environment(state), capture_output=True)
    code, found = call(inspect, "get_action", action_id=action, wait=25)
    assert code == 0, found
    assert found["result"]["structuredContent"]["status"] == "executed"
    code, found = call(inspect, "get_resource_yaml", kind="Deployment", name="web", namespace="shop")
    assert f"seen-by: {label}" in found["result"]["content"][0]["text"]


def test_what_the_rehearsal_blocks_is_an_error(inspect: Inspect) -> None:
    code, found = call(inspect, "restart_rollout", kind="Deployment", name="payments", namespace="shop", dry_run=False)

    assert code == TOOL_ERROR
    assert "BLOCKED" in json.dumps(found)


def test_unknown_arguments_are_refused(inspect: Inspect) -> None:
    code, found = call(inspect, "list_clusters", dryrun=True)

    assert code == TOOL_ERROR
    assert "INVALID_ARGUMENTS" in json.dumps(found)
