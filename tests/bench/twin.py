"""Rehearsals in a world of 1,000 nodes and 30,000 pods: one changed workload, one drained node, and what a fork weighs.

Prints a table, or one JSON object with --json. Changes are scalings, restarts and new images of workloads by chance.
"""

from __future__ import annotations

import gc
import random
import statistics
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.fleet.command import run
from tests.bench.fleet.measures import quantiles
from tests.bench.fleet.objects import Fleet

from kubesteward_policies.change import JSON, MERGE_PATCH, STRATEGIC_PATCH, ApiCall
from kubesteward_policies.ref import Ref
from kubesteward_tools.lookup.notes import note
from kubesteward_tools.twin.rehearse import rehearse
from kubesteward_tools.twin.resources import BUILT_IN
from kubesteward_tools.world.packing import Packing
from kubesteward_tools.world.store import Key, Store

NOWHERE = Ref("", "", "", "", "")


def stored(fleet: Fleet) -> Store:
    """As a live world keeps it."""
    store, kinds = Store(Packing(), note), {kind.path(): kind for kind in BUILT_IN}
    for path, objects in fleet.lists():
        kind = kinds[path]
        for obj in objects:
            obj["metadata"].pop("managedFields", None)
            key = Key(kind.resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
            store.put(key, {**obj, "kind": kind.kind, "apiVersion": kind.api_version})
    return store


def changes(fleet: Fleet, count: int) -> Iterator[list[ApiCall]]:
    chance = random.Random(5)
    annotation = {"kubectl.kubernetes.io/restartedAt": "2026-11-21T00:00:00Z"}
    for number in range(count):
        app = chance.choice(fleet.apps)
        path = f"/apis/apps/v1/namespaces/{app.namespace}/deployments/{app.name}"
        restart = {"spec": {"template": {"metadata": {"annotations": annotation}}}}
        image = {
            "spec": {"template": {"spec": {"containers": [{"name": "app", "image": "registry.example.com/app:2"}]}}}
        }
        kinds = [
            ApiCall("patch", f"{path}/scale", NOWHERE, {"spec": {"replicas": chance.randint(0, 14)}}, MERGE_PATCH),
            ApiCall("patch", path, NOWHERE, restart, STRATEGIC_PATCH),
            ApiCall("patch", path, NOWHERE, image, STRATEGIC_PATCH),
        ]
        yield [kinds[number % len(kinds)]]


def drain(store: Store, node: str) -> list[ApiCall]:
    """Cordon, then evict everything."""
    cordon = ApiCall("patch", f"/api/v1/nodes/{node}", NOWHERE, {"spec": {"unschedulable": True}}, MERGE_PATCH)
    evictions = [
        ApiCall(
            "create",
            f"/api/v1/namespaces/{key.namespace}/pods/{key.name}/eviction",
            NOWHERE,
            {"metadata": {"name": key.name, "namespace": key.namespace}},
            JSON,
        )
        for key in store.pods_on(node)
    ]
    return [cordon, *evictions]


def timed(store: Store, calls: list[ApiCall], now: float) -> float:
    """Seconds."""
    began = time.perf_counter()
    rehearse(store, calls, now=now)
    return time.perf_counter() - began


def weighed(store: Store, calls: list[ApiCall], now: float) -> int:
    """Bytes at the height of one rehearsal, beside the world."""
    tracemalloc.start()
    rehearse(store, calls, now=now)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def measure(pods: int, nodes: int, repetitions: int) -> dict[str, Any]:
    """The keys of the benchmark. The world weighs what Python allocates for its packed objects and indexes."""
    fleet = Fleet(pods, nodes)
    tracemalloc.start()
    store = stored(fleet)
    world = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    gc.collect()
    gc.freeze()
    now = time.time()
    asked = list(changes(fleet, repetitions + 3))
    for calls in asked[:3]:
        rehearse(store, calls, now=now)
    p50, p99 = quantiles(timed(store, calls, now) for calls in asked[3:])
    drained = range(0, nodes, max(1, nodes // 12))
    drains = quantiles(timed(store, drain(store, f"node-{number:04}"), now) for number in drained)
    return {
        "rehearse_p50_ms": round(p50, 1),
        "rehearse_p99_ms": round(p99, 1),
        "drain_p50_ms": round(drains[0], 1),
        "fork_memory_ratio": round(statistics.median(weighed(store, calls, now) for calls in asked[:5]) / world, 4),
        "world_mb": round(world / 1e6, 1),
        "repetitions": repetitions,
    }


if __name__ == "__main__":
    run(measure, __doc__, repetitions=100)
