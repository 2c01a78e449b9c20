"""A real Prometheus on loopback: an hour of history written beforehand, and an exporter that goes on from there."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

HOUR, STEP = 3600, 30
CONFIG = """\
global: {{scrape_interval: 1s}}
scrape_configs:
- job_name: lab
  honor_labels: true
  static_configs: [{{targets: ["{target}"]}}]
"""
WEB = 'namespace="shop",pod="web-1"'
API = 'namespace="shop",pod="api.1"'
COUNTERS = {
    f'container_cpu_usage_seconds_total{{{WEB},container="app"}}': 0.25,
    f'container_cpu_usage_seconds_total{{{WEB},container="proxy"}}': 0.05,
    f'container_cpu_usage_seconds_total{{{WEB},container=""}}': 9.0,
    f'container_cpu_usage_seconds_total{{{API},container="app"}}': 0.5,
    'container_cpu_usage_seconds_total{id="/",node="node-1"}': 2.0,
    'node_network_receive_bytes_total{instance="10.0.0.2:9100",device="eth0"}': 2048.0,
    'node_network_receive_bytes_total{instance="10.0.0.2:9100",device="lo"}': 9999.0,
    f'http_requests_total{{{WEB},code="200"}}': 9.0,
    f'http_requests_total{{{WEB},code="503"}}': 1.0,
    f'http_requests_total{{{API},code="200"}}': 4.0,
    'http_server_requests_seconds_count{namespace="shop",pod="java-1",status="200"}': 3.0,
    f'http_request_duration_seconds_bucket{{{WEB},le="0.1"}}': 98.0,
    f'http_request_duration_seconds_bucket{{{WEB},le="0.3"}}': 100.0,
    f'http_request_duration_seconds_bucket{{{WEB},le="+Inf"}}': 100.0,
    f'kube_pod_container_status_restarts_total{{{WEB},container="app"}}': 4 / HOUR,
}
"""What grows by how much a second."""
GAUGES = {
    f'container_memory_working_set_bytes{{{WEB},container="app"}}': (6e7, 2e7),
    'DCGM_FI_DEV_GPU_UTIL{exported_namespace="shop",exported_pod="train-1",pod="dcgm",Hostname="node-1",gpu="0"}': (
        90,
        0,
    ),
    'node_memory_MemTotal_bytes{instance="10.0.0.2:9100"}': (8e9, 0),
    'node_memory_MemAvailable_bytes{instance="10.0.0.2:9100"}': (5e9, 0),
    'node_filesystem_size_bytes{instance="10.0.0.2:9100",mountpoint="/",fstype="ext4"}': (9e10, 0),
    'node_filesystem_avail_bytes{instance="10.0.0.2:9100",mountpoint="/",fstype="ext4"}': (3e10, 0),
    'kubelet_volume_stats_used_bytes{namespace="shop",persistentvolumeclaim="data"}': (1e9, 0),
}
"""At the beginning, and how much more an hour later."""


def program(name: str) -> str:
    """`prometheus` or `promtool`, from KUBESTEWARD_TEST_PROMETHEUS (the server's path) or PATH; skips without."""
    named = os.environ.get("KUBESTEWARD_TEST_PROMETHEUS", "")
    found = str(Path(named).with_name(name)) if named else shutil.which(name)
    if not found or not os.access(found, os.X_OK):
        pytest.skip(f"there is no {name} on PATH, and KUBESTEWARD_TEST_PROMETHEUS names none")
    return found


def _values(seconds: float) -> Iterator[tuple[str, float]]:
    yield from ((series, rate * seconds) for series, rate in COUNTERS.items())
    yield from ((series, first + more * seconds / HOUR) for series, (first, more) in GAUGES.items())


def _history(begin: float, end: float, target: str) -> str:
    """OpenMetrics wants a family's samples together, series by series."""
    lines = []
    moments = range(int(begin), int(end), STEP)
    columns = [list(_values(at - begin)) for at in moments]
    for number, (series, _) in enumerate(columns[0]):
        labels = 'job="lab"' + ("" if "instance=" in series else f',instance="{target}"')
        name = f"{series[:-1]},{labels}}}"
        lines += [f"{name} {column[number][1]} {at}" for at, column in zip(moments, columns, strict=True)]
    return "\n".join([*lines, "# EOF\n"])


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[str]:
    """Its address. The history ends now."""
    server, tool = program("prometheus"), program("promtool")
    begin = time.time() - HOUR

    async def metrics(_: web.Request) -> web.Response:
        body = "\n".join(f"{series} {value}" for series, value in _values(time.time() - begin))
        return web.Response(text=f"{body}\n")

    application = web.Application()
    application.router.add_get("/metrics", metrics)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    target = f"127.0.0.1:{runner.addresses[0][1]}"
    (folder / "history").write_text(_history(begin, time.time(), target))
    (folder / "config.yml").write_text(CONFIG.format(target=target))
    await _done(tool, "tsdb", "create-blocks-from", "openmetrics", str(folder / "history"), str(folder / "data"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    options = [f"--config.file={folder}/config.yml", f"--storage.tsdb.path={folder}/data"]
    process = await asyncio.create_subprocess_exec(
        server,
        *options,
        f"--web.listen-address={address}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _ready(f"http://{address}")
        yield f"http://{address}"
    finally:
        process.terminate()
        await process.wait()
        await runner.cleanup()


async def _done(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


async def _ready(url: str) -> None:
    """Until it answers and has scraped twice."""
    async with asyncio.timeout(30), aiohttp.ClientSession() as session:
        while True:
            try:
                query = {"query": "count_over_time(up[1m]) > 1"}
                async with session.get(f"{url}/api/v1/query", params=query) as response:
                    if response.status == 200 and (await response.json())["data"]["result"]:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.2)
