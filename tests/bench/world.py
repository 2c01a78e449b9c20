"""The world of 1,000 nodes and 30,000 pods: how long it takes to see it, what it weighs, and how fast it answers.

The ratio compares CPU seconds with those of downloading the same bytes and reading their JSON, both measured in turn.
Prints a table, or one JSON object with --json.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.fleet.command import run  # noqa: E402 - found once its folder is on the path
from tests.bench.fleet.measures import kubeconfig  # noqa: E402 - found once its folder is on the path

PARALLEL = 20


@contextlib.contextmanager
def fleet(pods: int, nodes: int) -> Iterator[str]:
    """The URL of a served fleet."""
    command = [sys.executable, "-m", "tests.bench.fleet.server", "--pods", str(pods), "--nodes", str(nodes)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()


def measured(name: str, url: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.fleet.measures", name, url]
    return dict(json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout))


async def parallel_reads(url: str) -> float:
    """Milliseconds for 20 reads at once over stdio, of a server that has seen the fleet."""
    from mcp import Client, StdioServerParameters

    with tempfile.TemporaryDirectory() as folder:
        own = {"KUBECONFIG": str(kubeconfig(url, Path(folder))), "KUBESTEWARD_STATE_DIR": f"{folder}/state"}
        server = StdioServerParameters(
            command=sys.executable, args=["-m", "kubesteward", "serve"], env={**os.environ, **own}
        )
        async with Client(server) as client:
            reads = [{"kind": "pods", "namespace": f"team-{number:02}", "limit": 20} for number in range(PARALLEL)]
            await client.call_tool("list_resources", reads[0])
            times = []
            for _ in range(5):
                began = time.perf_counter()
                results = await asyncio.gather(*(client.call_tool("list_resources", read) for read in reads))
                times.append(time.perf_counter() - began)
                assert not any(result.is_error for result in results)
    return statistics.median(times) * 1000


def measure(pods: int, nodes: int, repetitions: int) -> dict[str, Any]:
    """The keys of the benchmark, medians over the repetitions."""
    with fleet(pods, nodes) as url:
        measured("baseline", url)  # compiles to bytecode
        pairs = [(measured("baseline", url), measured("world", url)) for _ in range(repetitions)]
        reads = asyncio.run(parallel_reads(url))
    worlds = [world for _, world in pairs]

    def median(name: str) -> float:
        return float(statistics.median(world[name] for world in worlds))

    return {
        "objects": worlds[0]["objects"],
        "json_mb": round(median("json_mb"), 1),
        "sync_s": round(median("wall_s"), 2),
        "sync_cpu_s": round(median("cpu_s"), 2),
        "sync_ratio": round(statistics.median(world["cpu_s"] / base["cpu_s"] for base, world in pairs), 2),
        "rss_mb": round(median("rss_mb"), 1),
        "rss_ratio": round(median("rss_mb") / median("json_mb"), 2),
        "events_per_s": round(median("events_per_s")),
        "query_p50_ms": round(median("query_p50_ms"), 3),
        "query_p99_ms": round(median("query_p99_ms"), 2),
        "list_page_p99_ms": round(median("list_page_p99_ms"), 1),
        "parallel_reads_ms": round(reads),
        "repetitions": repetitions,
    }


if __name__ == "__main__":
    run(measure, __doc__, repetitions=3)
