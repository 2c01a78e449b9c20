"""The official conformance scenarios that need no fixtures, against the real server over HTTP."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.npm import NodeTools, node_tools
from tests.e2e.serving import over_http

pytestmark = pytest.mark.slow

SCENARIOS = (
    "server-initialize",
    "ping",
    "tools-list",
    "resources-list",
    "prompts-list",
    "completion-complete",
    "dns-rebinding-protection",
    "server-sse-multiple-streams",
    "server-session-lifecycle",
    "caching",
    "http-header-validation",
    "sep-2164-resource-not-found",
)


@pytest.fixture(scope="module")
def tools() -> NodeTools:
    return node_tools()


@pytest.fixture(scope="module")
def url(tools: NodeTools, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with over_http(tmp_path_factory.mktemp("state")) as address:
        yield address


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_scenario_passes(tools: NodeTools, url: str, scenario: str, tmp_path: Path) -> None:
    command = [*tools.conformance, "server", "--url", url, "--scenario", scenario, "-o", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stdout[-2000:]
