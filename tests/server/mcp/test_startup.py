"""A host waits for tools/list: nothing is loaded for it that only a call needs, and its answer is small."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROBE = """
import asyncio, json, sys
from kubesteward.app import App
from kubesteward.mcp.calls import Calls
from kubesteward.mcp.identity import Identity
from kubesteward.mcp.serve import main
from kubesteward.mcp.server import build
from kubesteward.settings import Settings
app = App.build(Settings.load())
build(app)
listed = asyncio.run(Calls(app, Identity(app.settings)).list_tools(None, None))
tools = [tool.model_dump(by_alias=True, exclude_none=True) for tool in listed.tools]
print(json.dumps({"modules": sorted(sys.modules), "tools": tools}))
"""

HEAVY = {
    "aiohttp",
    "genai_prices",
    "prometheus_client",
    "anthropic",
    "google_re2",
    "kubernetes",
    "msgspec",
    "ollama",
    "openai",
    "re2",
    "rich",
    "sqlite_utils",
    "typer",
    "yaml",
}


def test_listing_tools_loads_nothing_heavy_and_stays_within_its_tokens(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        capture_output=True,
        text=True,
        check=True,
        env={"KUBESTEWARD_STATE_DIR": str(tmp_path / "state"), "PATH": "", "HOME": str(tmp_path)},
    )
    found = json.loads(done.stdout)
    tokens = len(json.dumps(found["tools"], separators=(",", ":")).encode()) / 4

    assert set() == HEAVY & set(found["modules"])
    assert [name for name in found["modules"] if name.startswith(("kubesteward.reasoning", "opentelemetry.sdk"))] == []
    assert tokens <= 8000
    assert not (tmp_path / "state").exists()
