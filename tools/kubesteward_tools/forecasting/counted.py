"""What is counted and not measured: pods on a node, and what a quota has given out.

Their course is what the watch has seen: for as long as this process follows the kind, within the window of its history.
A count between two changes is known at every moment, so that the course is drawn at even steps; how often it changed is
told, for sixty steps between two changes are two things that are known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from kubesteward_tools.analytics.trend import Trend, trend
from kubesteward_tools.forecasting.subjects import Forecast, Gathered, Subject
from kubesteward_tools.lookup import states
from kubesteward_tools.lookup.paced import each
from kubesteward_tools.twin.quantity import parse as quantity
from kubesteward_tools.world.metrics.samples import Points
from kubesteward_tools.world.store import Key, Object

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

STEPS = 60
FEWEST_CHANGES = 4
SOURCE = "the watch's own history"
WATCHED = "they are watched from now on: ask again later"
"""What a server says; a command that ends has another remedy."""
_ENDED = {"Succeeded", "Failed"}
Steps = list[tuple[float, float]]
"""(epoch seconds, value from then on)."""


class _Watched(NamedTuple):
    """Epoch seconds, and a horizon in seconds."""

    since: float
    now: float
    horizon: float


async def pods_per_node(world: World, now: float, horizon: float, name: str = "") -> Gathered:
    """Pods that are bound and have not ended, against what the kubelet allows."""
    await world.ensure("nodes", "pods")
    since, moves = _moves(world, now)
    gathered, store = Gathered(), world.store
    async for key, node in each(store, "nodes"):
        own = key.name
        if name in {"", own}:
            count = float(sum(_holds(world, pod) for pod in store.pods_on(own)))
            most = _number((states.status(node).get("allocatable") or {}).get("pods"))
            subject = Subject("pods", "Node", "", own, limit=most, word="allocatable", source=SOURCE)
            gathered.forecasts.append(_judged(subject, _backwards(count, moves[own]), _Watched(since, now, horizon)))
    _tell(gathered, world, "pods per node", since, now)
    return gathered


def _holds(world: World, key: Key) -> bool:
    facts = world.store.facts(key)
    return facts is not None and not (facts.demand is not None and facts.demand.terminal)


def _moves(world: World, now: float) -> tuple[float, defaultdict[str, Steps]]:
    """From when on they are known, and by node when how many pods came or went, the newest first."""
    since, moves = world.watched_since("pods"), defaultdict[str, Steps](list)
    if since < now:
        for version in world.history.versions(since, now):
            if version.key.resource != "pods":
                continue
            sides = (version.before, version.after)
            before, after = (_where(None if item is None else world.store.read(version.key, item)) for item in sides)
            if before != after:
                for node, change in ((before, -1.0), (after, 1.0)):
                    if node:
                        moves[node].append((version.at, change))
    return since, moves


def _where(pod: Object | None) -> str:
    """The node on which a pod takes up a place, "" where it takes none."""
    if pod is None or states.status(pod).get("phase") in _ENDED:
        return ""
    return str(states.spec(pod).get("nodeName") or "")


def _backwards(count: float, moves: Steps) -> Steps:
    """The count from each change on, the oldest first, with that of the very beginning at minus infinity."""
    found: Steps = []
    for at, change in moves:
        found.append((at, count))
        count -= change
    return [(float("-inf"), count), *reversed(found)]


async def quotas(world: World, namespace: str, now: float, horizon: float, name: str = "") -> Gathered:
    """What each ResourceQuota has given out, against what it may."""
    await world.ensure("resourcequotas", namespace=namespace)
    since, kind = world.watched_since("resourcequotas"), "resourcequotas"
    earlier = defaultdict[Key, list[tuple[float, Mapping[str, Any]]]](list)
    if since < now:
        for version in world.history.versions(since, now):
            if version.key.resource == kind and version.before is not None:
                before = world.store.read(version.key, version.before)
                earlier[version.key].append((version.at, states.status(before).get("used") or {}))
    gathered = Gathered()
    async for key, quota in each(world.store, kind, namespace or None):
        if name in {"", key.name}:
            gathered.forecasts += _of_quota(key, quota, earlier[key], _Watched(since, now, horizon))
    _tell(gathered, world, "quota", since, now)
    return gathered


def _of_quota(
    key: Key, quota: Object, earlier: Iterable[tuple[float, Mapping[str, Any]]], watched: _Watched
) -> list[Forecast]:
    status, found = states.status(quota), list[Forecast]()
    used: Mapping[str, Any] = status.get("used") or {}
    for resource, text in sorted((status.get("hard") or states.spec(quota).get("hard") or {}).items()):
        hard, value = _number(text), _number(used.get(resource))
        if not hard or value is None:  # none of it at all is a ban, not an exhaustion
            continue
        steps: Steps = []
        for at, before in earlier:  # the newest first
            was = _number(before.get(resource))
            if was is not None and was != value:
                steps.append((at, value))
                value = was
        course = [(float("-inf"), value), *reversed(steps)]
        subject = Subject("quota", "ResourceQuota", key.namespace, key.name, resource, hard, "hard", source=SOURCE)
        found.append(_judged(subject, course, watched))
    return found


def _judged(subject: Subject, steps: Steps, watched: _Watched) -> Forecast:
    since, now, horizon = watched
    points, changes = _drawn(steps, since, now), len(steps) - 1
    filled = replace(subject, points=points)
    full = subject.limit is not None and points[-1][1] >= subject.limit
    if full:
        found = Trend("full", points[-1][1], len(points), now - points[0][0], notes=("nothing of it is left",))
    elif len(points) == 1:
        found = Trend("unknown", points[-1][1], 1, 0.0, notes=("only its present is known",))
    elif changes < FEWEST_CHANGES:
        few = f"it changed {_times(changes)}: too little for a line" if changes else "it has not changed"
        found = Trend("unknown" if changes else "steady", points[-1][1], changes + 1, now - points[0][0], notes=(few,))
    else:
        made = trend(points, subject.limit, horizon)
        found = replace(made, points=changes + 1, notes=(*made.notes, f"drawn from {changes} changes"))
    return Forecast(filled, found, now)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _drawn(steps: Steps, since: float, now: float) -> Points:
    """At even moments from `since` to `now`; the present alone where nothing was watched before."""
    if not since < now:
        return [(now, steps[-1][1])]
    found: Points = []
    number = 0
    for step in range(STEPS + 1):
        at = since + (now - since) * step / STEPS
        while number + 1 < len(steps) and steps[number + 1][0] <= at:
            number += 1
        found.append((at, steps[number][1]))
    return found


def _number(text: Any) -> float | None:
    try:
        return None if text is None else float(quantity(text))
    except ValueError:
        return None


def _tell(gathered: Gathered, world: World, what: str, since: float, now: float) -> None:
    count = len(gathered.forecasts)
    if since < now:
        gathered.looked.append(f"{count} courses of {what}, watched for {max(now - since, 0) / 60:.0f} min")
        return
    gathered.looked.append(f"{count} present values of {what}")
    if count:
        todo = "a bundle has no course" if not world.writable else WATCHED
        gathered.missing.append(f"{what}: {todo}")
