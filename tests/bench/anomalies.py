"""How long it takes to look through 1,000 nodes and 30,000 pods for anomalies, and whether the planted ones are found.

The world is kept as a live one is, packed and with its graph, with half an hour of samples of every container and node,
and baselines of every workload. Prints a table, or one JSON object with --json.
"""

from __future__ import annotations

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

from kubesteward_tools.anomalies.find import find  # noqa: E402 - found once its folder is on the path
from kubesteward_tools.anomalies.view import View  # noqa: E402 - found once its folder is on the path
from kubesteward_tools.twin.resources import by_kind  # noqa: E402 - found once its folder is on the path
from kubesteward_tools.world.graph import Graph  # noqa: E402 - found once its folder is on the path
from kubesteward_tools.world.metrics.baselines import Moments  # noqa: E402 - found once its folder is on the path
from kubesteward_tools.world.metrics.samples import Samples, Series  # noqa: E402 - found once its folder is on the path
from kubesteward_tools.world.store import Key, Store  # noqa: E402 - found once its folder is on the path

_SAMPLES = 60
_USE = {"cpu": 0.3, "memory": 400.0 * 2**20}
_ODD = 3000
"""One pod in so many uses six times what its siblings do; a tenth as many workloads use twice what they used to."""


def measured(store: Store, dice: random.Random) -> tuple[Samples, set[Key]]:
    samples, odd = Samples(most=200_000), set[Key]()
    for number, key in enumerate(store.keys("pods")):
        times = 6.0 if number % _ODD == _ODD - 1 else 1.0
        if times > 1:
            odd.add(key)
        for metric, mean in _USE.items():
            for container in ("app", "proxy")[: 1 + number % 2]:
                _add(samples, Series(metric, key, container), mean * times / (1 + number % 2), dice)
    for key in store.keys("nodes"):
        for metric, mean in _USE.items():
            _add(samples, Series(metric, key), mean * 30, dice)
    return samples, odd


def _add(samples: Samples, series: Series, mean: float, dice: random.Random) -> None:
    level = mean * dice.uniform(0.85, 1.15)
    for place in range(_SAMPLES):
        samples.add(series, NOW - 30 * (_SAMPLES - place), level * dice.uniform(0.9, 1.1))


def learnt(view: View, dice: random.Random) -> tuple[dict[str, dict[str, Moments]], set[Key]]:
    """What was usual: about what is used now, and of some workloads half of it."""
    usual: dict[str, dict[str, Moments]] = {metric: {} for metric in _USE}
    odd = set[Key]()
    for number, (workload, families) in enumerate(sorted(view.families.items())):
        half = number % (_ODD // 10) == 7
        if half:
            odd.add(workload)
        for metric in _USE:
            now = sum(view.use[metric].get(pod.key, 0.0) for family in families for pod in family)
            mean = now * (0.5 if half else 1.0) * dice.uniform(0.95, 1.05)
            subject = f"{workload.namespace}/Deployment/{workload.name}"
            usual[metric][subject] = Moments(120, mean, 119 * (mean * 0.08) ** 2)
    return usual, odd


def measure(pods: int, nodes: int, repetitions: int) -> dict[str, Any]:
    dice, store = random.Random(7), world(pods, nodes)
    samples, odd_pods = measured(store, dice)
    graph = Graph(store, by_kind, lambda _resource, _namespace: True)
    usual, odd_workloads = learnt(View(store, graph, NOW, samples=samples), dice)
    gc.collect()
    gc.freeze()
    times, work, report = list[float](), list[float](), None
    for _ in range(repetitions):
        view = View(store, graph, NOW, samples=samples, usual=usual)
        began, busy = time.perf_counter(), time.process_time()
        report = find(view)
        times.append(time.perf_counter() - began)
        work.append(time.process_time() - busy)
    assert report is not None
    found = {part for item in report.anomalies for part in item.parts if item.code.startswith("siblings.")}
    changed = {item.key for item in report.anomalies if item.code.startswith("usual.")}
    planted = odd_pods | odd_workloads
    owners = {view.owner(pod) for pod in odd_pods}
    others = [item for item in report.anomalies if item.key not in owners | odd_workloads]
    return {
        "objects": sum(store.count(resource) for resource in store.resources()),
        "series": len(samples),
        "planted": len(planted),
        "found": len(planted & (found | changed)),
        "others": len(others),
        "seconds": round(min(times), 3),
        "cpu_seconds": round(min(work), 3),
        "seconds_worst": round(max(times), 3),
        "missed": sorted(planted - found - changed)[:10],
        "not_planted": [f"{item.code} {item.key.name}: {item.sentence}" for item in others[:20]],
    }


if __name__ == "__main__":
    run(measure, __doc__, 3)
