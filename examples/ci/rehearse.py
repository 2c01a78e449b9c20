"""Rehearse a manifest against a cluster, and fail the build when the rehearsal blocks it.

    python examples/ci/rehearse.py MANIFEST [options of `kubesteward serve`]

Exit codes: 0 nothing blocks, 1 it could not be rehearsed, 2 blocked. Nothing is sent to the cluster: the server runs
read-only.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from mcp import Client, StdioServerParameters
from mcp.types import TextContent

BLOCKED = 2


async def rehearse(manifest: str, options: list[str]) -> int:
    """The exit code."""
    arguments = ["-m", "kubesteward", "serve", "--read-only", *options]
    server = StdioServerParameters(command=sys.executable, args=arguments)
    async with Client(server) as client:
        result = await client.call_tool("simulate_impact", {"action": "apply", "manifest": manifest})
    print("\n".join(item.text for item in result.content if isinstance(item, TextContent)))
    if result.is_error:
        return 1
    return BLOCKED if (result.structured_content or {}).get("verdict") == "blocked" else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    raise SystemExit(asyncio.run(rehearse(Path(sys.argv[1]).read_text("utf-8"), sys.argv[2:])))
