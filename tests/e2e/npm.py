"""The official MCP test tools come from npm: installed once, outside the checkout, with their own Node 22."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGES = (
    "node@22",
    "@modelcontextprotocol/conformance@0.2.0-alpha.12",
    "@modelcontextprotocol/inspector@2.12.0",
)


@dataclass(frozen=True)
class NodeTools:
    """The commands, each as a list of words."""

    conformance: list[str]
    inspector: list[str]


def node_tools() -> NodeTools:
    """Install what is missing; skips the test where there is no npm or no registry."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed; it is needed for the official MCP test tools")
    cache = Path(os.environ.get("KUBESTEWARD_NPM_CACHE") or Path.home() / ".cache" / "kubesteward" / "npm")
    modules = cache / "node_modules"
    conformance = modules / "@modelcontextprotocol/conformance/dist/index.js"
    inspector = modules / "@modelcontextprotocol/inspector/clients/launcher/build/index.js"
    node = modules / "node/bin/node"
    if not all(path.exists() for path in (conformance, inspector, node)):
        cache.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(cache), *PACKAGES]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            pytest.skip(f"npm could not install the official MCP test tools: {done.stderr[-300:]}")
    return NodeTools([str(node), str(conformance)], [str(node), str(inspector), "--cli"])
