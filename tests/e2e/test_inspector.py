"""The official Inspector, over stdio and HTTP, in both eras: greeted, listed without findings, a read and a change."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
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
def url(tools: NodeTools, state: Path) -> Iterator[str]:
    with over_http(state) as address:
        yield address


@pytest.fixture(params=CASES, ids=["-".join(case) for case in CASES])
def inspect(request: pytest.FixtureRequest, tools: NodeTools, url: str, state: Path) -> Inspect:
    transport, era = request.param
    target = [url, "--transport", "http"] if transport == "http" else COMMAND

    def run(*options: str) -> tuple[int, Any]:
        command = [*tools.inspector, *target, "--protocol-era", era, "--format", "json", "-q", *options]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **environment(state)}
        )
        try:
            return done.returncode, json.loads(done.stdout)
        except ValueError:
            raise AssertionError(f"exit {done.returncode}: {done.stdout[-1000:]} {done.stderr[-1000:]}") from None

    run.era = era  # type: ignore[attr-defined]  # read by the tests
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


def test_a_read_is_answered(inspect: Inspect) -> None:
    code, found = call(inspect, "list_clusters")

    assert code == 0, found


def test_a_change_does_not_pass_a_server_that_only_advises(inspect: Inspect) -> None:
    code, found = call(
        inspect, "scale_workload", kind="Deployment", name="web", namespace="shop", replicas=0, dry_run=False
    )

    assert code == TOOL_ERROR, found


def test_unknown_arguments_are_refused(inspect: Inspect) -> None:
    code, found = call(inspect, "list_clusters", dryrun=True)

    assert code == TOOL_ERROR
    assert "INVALID_ARGUMENTS" in json.dumps(found)
