"""How long correlating the failures of 1,000 nodes and 30,000 pods takes: four planted incidents (two nodes, an
image, a ConfigMap) among forty single faults, and whether those alone are found.

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

from tests.bench.diagnose import NOW, world  # noqa: E402 - found once its folder is on the path
from tests.bench.fleet import incidents  # noqa: E402 - found once its folder is on the path
from tests.bench.fleet.command import run  # noqa: E402 - found once its folder is on the path
from tests.bench.fleet.faults import plant  # noqa: E402 - found once its folder is on the path

from kubesteward_tools.correlation.correlate import correlate  # noqa: E402 - found once its folder is on the path
from kubesteward_tools.diagnosis.scene import Scene  # noqa: E402 - found once its folder is on the path
from kubesteward_tools.twin.resources import by_kind  # noqa: E402 - found once its folder is on the path
from kubesteward_tools.world.graph import Graph  # noqa: E402 - found once its folder is on the path

WINDOW = 1800.0


def measure(pods: int, nodes: int, repetitions: int) -> dict[str, Any]:
    store = world(pods, nodes)
    apps = pods // 10
    plant(store, apps)
    planted = {
        incidents.fell(store, f"node-{nodes // 7:04}"),
        incidents.fell(store, f"node-{nodes // 3 + 1:04}"),
        incidents.bad_image(store, apps // 2 + 1, 12, "registry.example.com/shared/base:bad"),
        incidents.bad_config(store, 61, 8, "shared-flags"),
    }
    graph = Graph(store, by_kind, lambda _resource, _namespace: True)
    gc.collect()
    gc.freeze()
    work, found, failing, alone = list[float](), set[str](), 0, 0
    for _ in range(repetitions):
        busy = time.process_time()
        correlation = correlate(Scene(store, graph, NOW), WINDOW)
        work.append(time.process_time() - busy)
        found = {one.culprit.said for one in correlation.incidents}
        failing, alone = correlation.failing, len({one.unit for one in correlation.alone})
    return {
        "pods": store.count("pods"),
        "failing": failing,
        "planted": len(planted),
        "found": len(planted & found),
        "others": len(found - planted),
        "alone": alone,
        "cpu_seconds": round(min(work), 3),
        "cpu_seconds_worst": round(max(work), 3),
        "missed": sorted(planted - found),
        "wrongly_blamed": sorted(found - planted)[:20],
    }


if __name__ == "__main__":
    run(measure, __doc__, 3)
