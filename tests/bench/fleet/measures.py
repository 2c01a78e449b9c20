"""What is measured in a process of its own: `python -m tests.bench.fleet.measures NAME URL` prints one JSON object."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

PAGE = "500"
EVENTS = 20_000
QUESTIONS = 1000
PAGES = 200


def kubeconfig(url: str, folder: Path) -> Path:
    """JSON is YAML."""
    path = folder / "kubeconfig"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "fleet", "cluster": {"server": url}}],
        "users": [{"name": "bench", "user": {}}],
        "contexts": [{"name": "fleet", "context": {"cluster": "fleet", "user": "bench"}}],
        "current-context": "fleet",
    }
    path.write_text(json.dumps(config))
    return path


def resident() -> float:
    """Megabytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def quantiles(times: Iterable[float]) -> tuple[float, float]:
    """p50 and p99 in milliseconds, of seconds."""
    ordered = sorted(times)
    return statistics.median(ordered) * 1000, ordered[int(len(ordered) * 0.99)] * 1000


async def described(url: str) -> dict[str, Any]:
    import aiohttp

    async with aiohttp.ClientSession() as session, session.get(f"{url}/fleet") as answer:
        return dict(await answer.json())


async def baseline(url: str) -> dict[str, Any]:
    """CPU and wall seconds of downloading every page and reading its JSON, and of nothing else."""
    import aiohttp
    import msgspec

    decode = msgspec.json.Decoder().decode
    fleet = await described(url)
    gc.disable()
    async with aiohttp.ClientSession() as session:
        cpu, wall = time.process_time(), time.perf_counter()
        for path in fleet["paths"]:
            token = ""
            while True:
                query = {"limit": PAGE, **({"continue": token} if token else {})}
                async with session.get(url + path, params=query) as answer:
                    page = decode(await answer.read())
                token = page["metadata"].get("continue")
                if not token:
                    break
    return {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}


async def world(url: str) -> dict[str, Any]:
    """Sync, memory, events, questions to the graph, and pages through MCP, all of one world."""
    import aiohttp
    import kubernetes.config  # noqa: F401 - loading it is not what is measured

    from kubesteward_tools.cluster.clusters import Clusters

    fleet = await described(url)
    with tempfile.TemporaryDirectory() as folder:
        clusters = Clusters.from_kubeconfig(kubeconfig(url, Path(folder)))
        made = await clusters.world()
        before = resident()
        served = {kind.path(): kind.resource for kind in made.kinds.all()}
        cpu, wall = time.process_time(), time.perf_counter()
        await made.ensure(*(served[path] for path in fleet["paths"]))
        found = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}
        rss = resident()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=300)) as session:
            events = await _events(url, session, made)
        p50, p99 = _questions(made)
        pages = await _pages(clusters, Path(folder))
        await clusters.close()
    return {
        **found,
        "objects": sum(made.store.count(resource) for resource in served.values()),
        "json_mb": fleet["bytes"] / 1e6,
        "rss_before_mb": before,
        "rss_mb": rss,
        "events_per_s": events,
        "query_p50_ms": p50,
        "query_p99_ms": p99,
        "list_page_p99_ms": pages,
    }


async def _events(url: str, session: Any, made: Any) -> float:
    """Watch events applied per second of this process's CPU."""
    last = asyncio.Event()
    seen = 0

    def count(_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == EVENTS:
            last.set()

    end = made.store.subscribe(count)
    cpu = time.process_time()
    async with session.post(f"{url}/fleet/events/{EVENTS}") as answer:
        await answer.read()
    async with asyncio.timeout(300):
        await last.wait()
    end()
    return EVENTS / (time.process_time() - cpu)


def _questions(made: Any) -> tuple[float, float]:
    """Neighbours, blast radius and lowest common ancestors of objects by chance, all together."""
    chance = random.Random(3)
    keys = [key for resource in made.store.resources() for key in made.store.keys(resource)]
    pods = [key for key in keys if key.resource == "pods"]
    asked: list[Callable[[], object]] = []
    for key in chance.sample(keys, QUESTIONS):
        ref = made.ref(key)
        asked += [partial(made.graph.around, key), partial(made.blast_radius, ref)]
    for _ in range(QUESTIONS):
        refs = [made.ref(key) for key in chance.sample(pods, 4)]
        asked.append(partial(made.lowest_common_ancestors, refs))
    return quantiles([_timed(question) for question in asked])


def _timed(question: Callable[[], object]) -> float:
    began = time.perf_counter()
    question()
    return time.perf_counter() - began


async def _pages(clusters: Any, folder: Path) -> float:
    """p99 in milliseconds of pages of 50 through MCP in memory, of different sorts and filters."""
    from mcp import Client

    from kubesteward.app import App
    from kubesteward.mcp.server import build
    from kubesteward.settings import Settings

    kinds: list[dict[str, Any]] = [
        {"kind": "pods"},
        {"kind": "pods", "status": "not_ready"},
        {"kind": "pods", "sort": "restarts"},
        {"kind": "pods", "sort": "age"},
        {"kind": "pods", "label_selector": "app=app-0042"},
        {"kind": "pods", "namespace": "team-07"},
        {"kind": "deployments"},
        {"kind": "nodes"},
    ]
    app, times = App(Settings(state_dir=folder / "state"), clusters=clusters), []
    async with Client(build(app)) as client:
        for number in range(PAGES + len(kinds)):
            began = time.perf_counter()
            result = await client.call_tool("list_resources", {**kinds[number % len(kinds)], "limit": 50})
            assert not result.is_error, result.content
            times.append(time.perf_counter() - began)
    return quantiles(times[len(kinds) :])[1]


if __name__ == "__main__":
    print(json.dumps(asyncio.run({"baseline": baseline, "world": world}[sys.argv[1]](sys.argv[2]))))
