"""How long the diagnosis of 1,000 nodes and 30,000 pods takes, and whether it blames the forty planted faults alone.

The world is kept as a live one is, packed and with its graph. Prints a table, or one JSON object with --json.
"""

from __future__ import annotations

import gc
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.fleet.command import run  # noqa: E402 - found once its folder is on the path
from tests.bench.fleet.faults import plant  # noqa: E402 - found once its folder is on the path
from tests.bench.fleet.objects import Fleet  # noqa: E402 - found once its folder is on the path

from kubesteward_tools.diagnosis.diagnose import diagnose  # noqa: E402 - found once its folder is on the path
from kubesteward_tools.diagnosis.scene import Scene  # noqa: E402 - found once its folder is on the path
from kubesteward_tools.lookup.notes import note  # noqa: E402 - found once its folder is on the path
from kubesteward_tools.twin.resources import BUILT_IN, by_kind  # noqa: E402 - found once its folder is on the path
from kubesteward_tools.world.graph import Graph  # noqa: E402 - found once its folder is on the path
from kubesteward_tools.world.packing import Packing  # noqa: E402 - found once its folder is on the path
from kubesteward_tools.world.store import Key, Store  # noqa: E402 - found once its folder is on the path

NOW = 1795262400.0
"""2026-11-21T12:00:00Z."""


def world(pods: int, nodes: int) -> Store:
    fleet, store = Fleet(pods, nodes), Store(Packing(), note)
    kinds = {kind.path(): kind for kind in BUILT_IN}
    for path, objects in fleet.lists():
        kind = kinds[path]
        for obj in objects:
            metadata = obj["metadata"]
            key = Key(kind.resource, metadata.get("namespace", ""), metadata["name"])
            store.put(key, {"apiVersion": kind.api_version, "kind": kind.kind, **obj})
    return store


def measure(pods: int, nodes: int, repetitions: int) -> dict[str, Any]:
    store = world(pods, nodes)
    planted = plant(store, pods // 10)
    graph = Graph(store, by_kind, lambda _resource, _namespace: True)
    gc.collect()
    gc.freeze()
    times, work, blamed = list[float](), list[float](), set[tuple[str, str, str]]()
    for _ in range(repetitions):
        began, busy = time.perf_counter(), time.process_time()
        verdict = diagnose(Scene(store, graph, NOW))
        times.append(time.perf_counter() - began)
        work.append(time.process_time() - busy)
        blamed = {(one.category, one.culprit.kind, one.culprit.name) for one in verdict.findings if one.culprit}
    return {
        "objects": sum(store.count(resource) for resource in store.resources()),
        "planted": len(planted),
        "found": len(planted & blamed),
        "others": len(blamed - planted),
        "seconds": round(min(times), 3),
        "cpu_seconds": round(min(work), 3),
        "missed": sorted(planted - blamed),
        "wrongly_blamed": sorted(blamed - planted)[:20],
        "seconds_worst": round(max(times), 3),
    }


if __name__ == "__main__":
    run(measure, __doc__, 3)
