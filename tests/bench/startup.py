"""How long a host waits: CPU from process start to the answered tools/list over stdio, against `import mcp` alone.

Prints a table, or one JSON object with --json. Medians of several runs, both kinds taken in turn so that a busy machine
slows both.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": META}}
SERVE = [sys.executable, "-m", "kubesteward", "serve"]


def cpu_of_import() -> float:
    """CPU seconds of `python -c "import mcp"`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", "import mcp"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure_server(environment: dict[str, str]) -> dict[str, Any]:
    """One server, from its start to the answer; its CPU and memory are read while it is still there."""
    started = time.perf_counter()
    with subprocess.Popen(
        SERVE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(LIST).encode() + b"\n")
        server.stdin.flush()
        line = server.stdout.readline()
        wall = time.perf_counter() - started
        cpu, rss = usage_of(server.pid)
        server.stdin.close()
        server.wait(timeout=20)
    tools = json.loads(line)["result"]["tools"]
    return {"cpu": cpu, "wall": wall, "rss": rss, "tools": tools}


def usage_of(pid: int) -> tuple[float, float]:
    """CPU seconds and resident megabytes from /proc (proc(5): fields 14 and 15 of stat, 2 of statm)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def measure(repetitions: int) -> dict[str, Any]:
    """The keys of the benchmark, medians over the repetitions."""
    with tempfile.TemporaryDirectory() as state:
        environment = {**os.environ, "KUBESTEWARD_STATE_DIR": state, "KUBECONFIG": str(Path(state) / "none")}
        measure_server(environment)  # compiles to bytecode
        pairs = [(cpu_of_import(), measure_server(environment)) for _ in range(repetitions)]
    servers = [server for _, server in pairs]
    tools = servers[0]["tools"]
    return {
        "ratio_to_import_mcp": round(statistics.median(server["cpu"] / base for base, server in pairs), 3),
        "wall_ms": round(statistics.median(server["wall"] for server in servers) * 1000),
        "cpu_ms": round(statistics.median(server["cpu"] for server in servers) * 1000),
        "import_mcp_cpu_ms": round(statistics.median(base for base, _ in pairs) * 1000),
        "rss_mb": round(statistics.median(server["rss"] for server in servers), 1),
        "tools": len(tools),
        "tools_list_tokens": len(json.dumps(tools, separators=(",", ":")).encode()) // 4,
        "repetitions": repetitions,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--repetitions", type=int, default=7)
    options = parser.parse_args()
    figures = measure(options.repetitions)
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:24}{value}")


if __name__ == "__main__":
    main()
