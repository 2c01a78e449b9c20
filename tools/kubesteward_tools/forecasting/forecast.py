"""Forecasts of a target, a namespace or a whole cluster, the most urgent first; and what was not looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kubesteward_tools.analytics.trend import trend
from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.forecasting.certificates import KINDS, dated
from kubesteward_tools.forecasting.counted import pods_per_node, quotas
from kubesteward_tools.forecasting.measured import measured, wanted
from kubesteward_tools.forecasting.patience import Patience
from kubesteward_tools.forecasting.subjects import METRICS, Forecast, Gathered, Metric, Subject, ranked
from kubesteward_tools.lookup.family import CHILDREN
from kubesteward_tools.lookup.metering import Metered, level_of, metered
from kubesteward_tools.lookup.paced import each
from kubesteward_tools.lookup.targets import Found, check_namespace, find, parse
from kubesteward_tools.text.ages import seconds

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

FARTHEST = 366 * 86400.0
_MEASURED: dict[str, tuple[Metric, ...]] = {
    "pods": ("memory", "cpu"),
    "nodes": ("memory", "cpu", "disk"),
    "persistentvolumeclaims": ("disk",),
}
_OF_LEVEL: dict[str, tuple[Metric, ...]] = {
    "pods": ("cpu", "memory"),
    "nodes": ("cpu", "memory", "disk", "pods"),
    "namespaces": ("cpu", "memory", "disk", "quota", "certificates"),
    "persistentvolumeclaims": ("disk",),
    "quota": ("quota",),
    "certificates": ("certificates",),
}


@dataclass(frozen=True, slots=True)
class Outlook:
    """`found` are the most urgent first; without a target only what is used up within the horizon.
    `judged` is of how many courses enough was known, `now` the moment that it speaks of."""

    found: list[Forecast]
    looked: list[str]
    missing: list[str]
    judged: int
    now: float
    horizon: float


def ahead(horizon: str) -> float:
    """The seconds of a horizon as people write it. Raises InvalidArguments."""
    span = seconds(horizon)
    if not 0 < span <= FARTHEST:
        raise InvalidArguments(f"the horizon {horizon!r} is out of range.", todo="Ask for 1h to 366d.")
    return span


async def forecast(
    world: World, now: float, *, target: str = "", namespace: str = "", metric: str = "", horizon: float
) -> Outlook:
    """`target` is kind/name, "nodes", "pvc" or "" for all; `metric` one of METRICS or "" for all that fit it.

    `now` in epoch seconds is spoken of, `horizon` is in seconds.

    Raises:
        SteadyError: the target is not there, or has no such metric.
    """
    patience = Patience()
    level, obj = await _meant(world, target, namespace)
    metrics = _metrics(target, level, metric)
    if level == "namespaces" and "/" in target:
        namespace = target.partition("/")[2].strip()
    gathered = Gathered()
    if level in {"quota", "certificates"} or not target or level == "namespaces":
        space = obj.key.namespace if obj else namespace
        await check_namespace(world, space)
        gathered.add(await _of_space(world, space, metrics, obj, patience, now=now, horizon=horizon))
    else:
        gathered.add(await _of_target(world, target, namespace, metrics, patience, now=now, horizon=horizon))
    found = await asyncio.to_thread(_fitted, gathered.subjects, horizon)
    whole = [*gathered.forecasts, *found]
    every = _grouped(whole, apart=bool(target))
    shown = every if target else [item for item in every if item.severity != "info"]
    growing = sum(item.trend.verdict == "growing" and item.subject.metric != "certificates" for item in every)
    if growing and not target:
        gathered.looked.append(
            f"{growing} more grow, but not to their limit within the horizon or their samples' reach"
        )
    judged = gathered.quiet + sum(item.trend.verdict != "unknown" for item in whole)
    return Outlook(ranked(shown), gathered.looked, list(dict.fromkeys(gathered.missing)), judged, now, horizon)


async def _meant(world: World, target: str, namespace: str) -> tuple[str, Found | None]:
    """What kind of thing the target is, and the object where only one is meant."""
    level = level_of(target) if target else ""
    if level in {"", "nodes", "namespaces", "persistentvolumeclaims"}:
        return level, None
    kind, name = parse(target)
    known = await world.known(kind)
    if known.resource == "resourcequotas":
        return "quota", await find(world, kind, name, namespace)
    if known.resource in KINDS:
        return "certificates", await find(world, kind, name, namespace)
    return "pods", None


def _metrics(target: str, level: str, metric: str) -> tuple[Metric, ...]:
    fitting = _OF_LEVEL.get(level, METRICS)
    if not metric:
        return fitting
    if metric not in METRICS:
        raise InvalidArguments(f"there is no forecast of {metric[:40]!r}.", todo=f"One of {', '.join(METRICS)}.")
    if metric not in fitting:
        raise InvalidArguments(f"{target[:80]!r} has no {metric}.", todo=f"It has: {', '.join(fitting)}.")
    return tuple(item for item in METRICS if item == metric)


async def _of_space(
    world: World,
    namespace: str,
    metrics: Sequence[Metric],
    obj: Found | None,
    patience: Patience,
    *,
    now: float,
    horizon: float,
) -> Gathered:
    """A namespace, the cluster, or one object that is not measured."""
    gathered = Gathered()
    levels = () if obj else ("pods", "persistentvolumeclaims") if namespace else tuple(_MEASURED)
    for level in levels:
        if set(_MEASURED[level]) & set(metrics):
            gathered.add(await _of_level(world, level, namespace, metrics, patience, now=now))
    if "pods" in metrics and not namespace and not obj:
        gathered.add(await pods_per_node(world, now, horizon))
    if "quota" in metrics:
        gathered.add(await quotas(world, namespace, now, horizon, obj.key.name if obj else ""))
    if "certificates" in metrics:
        gathered.add(await dated(world, namespace, now, horizon, obj.obj if obj else None))
    return gathered


async def _of_level(
    world: World, level: str, namespace: str, metrics: Sequence[Metric], patience: Patience, *, now: float
) -> Gathered:
    needed = ("pods", "replicasets.apps", "jobs.batch") if level == "pods" else (level,)
    await world.ensure(*needed, namespace=namespace)
    listed = {} if level == "pods" and world.telemetry.monitor is None else await _objects(world, level, namespace)
    gathered = Gathered()
    if not world.store.count(level):
        return Gathered(looked=[f"no {level}"])
    for metric in _MEASURED[level]:
        if metric in metrics:
            chosen = Metered(level, namespace, None, listed)
            gathered.add(await measured(world, wanted(metric, chosen, patience, whole=True), now))
    return gathered


async def _objects(world: World, level: str, namespace: str) -> dict[tuple[str, str], dict[str, object]]:
    return {(key.namespace, key.name): obj async for key, obj in each(world.store, level, namespace or None)}


async def _of_target(
    world: World,
    target: str,
    namespace: str,
    metrics: Sequence[Metric],
    patience: Patience,
    *,
    now: float,
    horizon: float,
) -> Gathered:
    gathered, level = Gathered(), level_of(target)
    await world.ensure(*(CHILDREN if level == "pods" else (level,)), namespace=namespace)
    chosen = await metered(world, target, namespace)
    for metric in metrics:
        if metric in _MEASURED[level]:
            gathered.add(await measured(world, wanted(metric, chosen, patience, whole=chosen.names is None), now))
    if level == "nodes" and "pods" in metrics:
        gathered.add(await pods_per_node(world, now, horizon, target.partition("/")[2].strip()))
    return gathered


def _fitted(subjects: Iterable[Subject], horizon: float) -> list[Forecast]:
    return [
        Forecast(item, trend(item.points, item.limit, horizon), item.points[-1][0] if item.points else 0.0)
        for item in subjects
    ]


def _grouped(found: Iterable[Forecast], *, apart: bool) -> list[Forecast]:
    """Of the pods of one workload the worst, unless it was asked for."""
    if apart:
        return list(found)
    groups: dict[tuple[str, ...], list[Forecast]] = {}
    for item in ranked(found):
        subject = item.subject
        own = subject.owner or f"{subject.kind}/{subject.name}"
        groups.setdefault((subject.metric, subject.namespace, own, subject.part), []).append(item)
    counted = {"full", "exhausting", "growing"}
    return [
        replace(items[0], siblings=sum(other.trend.verdict in counted for other in items[1:]))
        for items in groups.values()
    ]
