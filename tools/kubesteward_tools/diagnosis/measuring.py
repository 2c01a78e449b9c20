"""Reads what pods and nodes use, within seconds: whoever measures may hang, and a diagnosis does without it then."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from kubesteward_tools.diagnosis.usage import Metric, Usage
from kubesteward_tools.errors import SteadyError
from kubesteward_tools.lookup.metering import node_names
from kubesteward_tools.world.metrics.intake import measured
from kubesteward_tools.world.metrics.readings import Question, Reading
from kubesteward_tools.world.metrics.samples import Points
from kubesteward_tools.world.store import Key, Store

if TYPE_CHECKING:
    from kubesteward_tools.diagnosis.scene import Scene
    from kubesteward_tools.world.world import World

PATIENCE = 3.0
"""Seconds for all questions together."""

SPAN = 3600.0
_MOST_PODS = 3000
"""Of a cluster with more, only the namespaces that matter are asked about."""

_SPACES = 4
_NAMES = 60
_METRICS: tuple[Metric, ...] = ("cpu", "memory")


async def live(world: World, scene: Scene, wanted: Collection[Key], now: float) -> Usage:
    """What the sources of a live cluster answer in time. Never raises for a source that fails or hangs."""
    pods = _interesting(scene, wanted)
    asked = list(_questions(world, pods, now))
    results = await asyncio.gather(*(_answer(world, question) for question in asked))
    points, throttled = dict[tuple[Metric, Key], Points](), dict[Key, float]()
    sources, unread = list[str](), list[str]()
    for question, found in zip(asked, results, strict=True):
        if isinstance(found, str):
            unread.append(found)
            continue
        sources.append(found.source)
        for name, series in found.series.items():
            key = Key(question.level, *name)
            if question.query == "cpu_throttling":
                throttled[key] = series[-1][1]
            elif len(series) >= len(points.get((_metric(question), key), ())):
                points[_metric(question), key] = series
    _remember(world, pods, points, now)
    source = ", ".join(dict.fromkeys(sources))
    return Usage(points, throttled, source, tuple(dict.fromkeys(unread)))


def saved(store: Store, now: float) -> Usage:
    """PodMetrics and NodeMetrics that were saved with the rest of a cluster."""
    points = dict[tuple[Metric, Key], Points]()
    for plural in ("pods", "nodes"):
        for item in measured(plural, store.objects(f"{plural}.metrics.k8s.io"), now):
            for metric in _METRICS:
                if (value := item.total(metric)) is not None:
                    points[metric, item.key] = [(item.at, value)]
    return Usage(points, source="saved metrics" if points else "")


def _metric(question: Question) -> Metric:
    return {"cpu_usage": "cpu", "memory_usage": "memory"}.get(question.query, "disk")  # type: ignore[return-value] # mypy takes the words for any str


def _interesting(scene: Scene, wanted: Iterable[Key]) -> dict[str, list[str]]:
    """Names of the pods whose course matters, by namespace: those in trouble, and those that are asked about."""
    found: dict[str, list[str]] = {}
    for _, pods, _ in scene.sick_pods:
        for pod in pods:
            found.setdefault(pod["metadata"].get("namespace", ""), []).append(pod["metadata"]["name"])
    for workload in wanted:
        for key in scene.pod_keys(workload)[:20]:
            found.setdefault(key.namespace, []).append(key.name)
    return {space: sorted(set(names))[:_NAMES] for space, names in sorted(found.items())[:_SPACES]}


def _questions(world: World, pods: dict[str, list[str]], now: float) -> Iterator[Question]:
    nodes = node_names(world)
    spaces = [""] if world.store.count("pods") <= _MOST_PODS else list(pods)
    for query in ("cpu_usage", "memory_usage"):
        yield Question(query, "nodes", now, now, nodes=nodes)
        for space in spaces:
            yield Question(query, "pods", now, now, space)
    if world.telemetry.monitor is None:
        return
    yield Question("disk_usage", "nodes", now, now, nodes=nodes)
    for space, names in pods.items():
        for query in ("cpu_usage", "memory_usage"):
            yield Question(query, "pods", now, now - SPAN, space, frozenset(names))
        yield Question("cpu_throttling", "pods", now, now, space, frozenset(names))


async def _answer(world: World, question: Question) -> Reading | str:
    try:
        async with asyncio.timeout(PATIENCE):
            return await world.telemetry.read(question, PATIENCE / 2)
    except TimeoutError:
        return f"no answer within {PATIENCE:g} s"
    except SteadyError as error:
        return error.message


def _remember(world: World, pods: dict[str, list[str]], points: dict[tuple[Metric, Key], Points], now: float) -> None:
    """The course that own samples know, where they know more of it."""
    for space, names in pods.items():
        for name in names:
            key = Key("pods", space, name)
            for metric in _METRICS:
                own = world.telemetry.samples.points(metric, key, now - SPAN)
                if len(own) > len(points.get((metric, key), ())):
                    points[metric, key] = own
