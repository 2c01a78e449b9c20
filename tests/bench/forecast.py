"""How long a forecast of everything takes in a world of 1,000 nodes and 30,000 pods, with an hour of own samples.

Forty containers leak, the others are noise, some of it saw-toothed. Counted are those that are found and those that are
accused besides. Prints a table, or one JSON object with --json.
"""

from __future__ import annotations

import asyncio
import gc
import random
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.diagnose import NOW, world  # noqa: E402 - found once its folder is on the path
from tests.bench.fleet.command import run  # noqa: E402 - found once its folder is on the path

from kubesteward_tools.cluster.bundle import BundleSource  # noqa: E402 - found once its folder is on the path
from kubesteward_tools.cluster.discovery import Kinds  # noqa: E402 - found once its folder is on the path
from kubesteward_tools.forecasting.forecast import forecast  # noqa: E402 - found once its folder is on the path
from kubesteward_tools.forecasting.measured import amount  # noqa: E402 - found once its folder is on the path
from kubesteward_tools.twin.resources import BUILT_IN  # noqa: E402 - found once its folder is on the path
from kubesteward_tools.world.metrics.samples import CAPACITY, Series  # noqa: E402 - found once its folder is on the path
from kubesteward_tools.world.store import Store  # noqa: E402 - found once its folder is on the path
from kubesteward_tools.world.world import World  # noqa: E402 - found once its folder is on the path

PERIOD = 30.0
LEAKS = 40
TOOTHED = 0.05


def sampled(pods: int, nodes: int) -> tuple[World, set[str]]:
    """A world with an hour of samples, and the names of the pods that leak."""
    store = world(pods, nodes)
    made = World("bench", BundleSource(store, Kinds(BUILT_IN), {}), Kinds(BUILT_IN), store)
    made.telemetry.begin = lambda _="": True  # type: ignore[method-assign, assignment] # sampled by hand
    return made, _fill(made, store, random.Random(7))


def _fill(made: World, store: Store, chance: random.Random) -> set[str]:
    leaks: set[str] = set()
    for number, (key, pod) in enumerate(store.items("pods")):
        container = pod["spec"]["containers"][0]["name"]
        limit = amount(pod, container, "limits", "memory") or 2.0**30
        leaking = number % 700 == 3 and len(leaks) < LEAKS and bool(amount(pod, container, "limits", "memory"))
        leaks |= {key.name} if leaking else set()
        toothed = not leaking and chance.random() < TOOTHED
        for metric, level in (("memory", 0.4 * limit), ("cpu", 0.1)):
            series = Series(metric, key, container)
            for step in range(CAPACITY):
                growth = 0.2 * limit * step / CAPACITY if leaking and metric == "memory" else 0.0
                tooth = 0.2 * level * (step % 20) / 20 if toothed else 0.0
                at = NOW - PERIOD * (CAPACITY - 1 - step)
                made.telemetry.samples.add(series, at, level + growth + tooth + chance.gauss(0, 0.02 * level))
    return leaks


def measure(pods: int, nodes: int, repetitions: int) -> dict[str, Any]:
    made, leaks = sampled(pods, nodes)
    gc.collect()
    gc.freeze()
    times, work, found = list[float](), list[float](), set[str]()
    for _ in range(repetitions):
        began, busy = time.perf_counter(), time.process_time()
        outlook = asyncio.run(forecast(made, NOW, horizon=7 * 86400.0))
        times.append(time.perf_counter() - began)
        work.append(time.process_time() - busy)
        found = {item.subject.name for item in outlook.found if item.subject.metric in {"cpu", "memory"}}
    return {
        "series": len(made.telemetry.samples),
        "leaks": len(leaks),
        "found": len(leaks & found),
        "accused_besides": len(found - leaks),
        "seconds": round(min(times), 3),
        "cpu_seconds": round(min(work), 3),
        "seconds_worst": round(max(times), 3),
    }


if __name__ == "__main__":
    run(measure, __doc__, 3)
