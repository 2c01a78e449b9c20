"""What is measured: cpu and memory of containers and nodes, disks of nodes and claims; each with its limit and course.

A monitoring system is asked about an hour, a day and a week, for it remembers; own samples know an hour. A cluster has
tens of thousands of containers: of the monitoring system's, those nearest to their limits are followed, of own samples
those that seem to grow; what that leaves out is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kubesteward_tools.analytics.lines import least_squares
from kubesteward_tools.analytics.trend import DAY, FEWEST, HOUR, SHORTEST, WEEK
from kubesteward_tools.errors import SteadyError
from kubesteward_tools.forecasting.patience import Patience
from kubesteward_tools.forecasting.subjects import Gathered, Metric, Subject
from kubesteward_tools.lookup import states
from kubesteward_tools.lookup.family import top_owner
from kubesteward_tools.lookup.metering import Metered, most, node_names
from kubesteward_tools.lookup.paced import turns
from kubesteward_tools.twin.quantity import parse as quantity
from kubesteward_tools.world.metrics.readings import Name, Question
from kubesteward_tools.world.metrics.ring import Ring
from kubesteward_tools.world.metrics.samples import Points, Series
from kubesteward_tools.world.metrics.telemetry import OWN
from kubesteward_tools.world.store import Key, Object

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

WINDOWS = (HOUR, DAY, WEEK)
MOST = 200
"""Pods whose course a monitoring system is asked for when the whole cluster is meant."""
SAMPLED = "they are sampled from now on: ask again in ten minutes"
"""What a server says; a command that ends has another remedy."""
_BATCH = 40
_AT_ONCE = 4
_RISES = 0.12
"""Mean of the last third over that of the first, as a share of all that was seen. Noise alone has 0.04."""
_MIDDLE = 0.2
"""The same of medians, as a share of what is seen without a tenth at either end."""
_FALLS = 0.1


@dataclass(frozen=True, slots=True)
class Wanted:
    """`level` as in a Question. `objects` are those that are meant; `whole` says that it is all that there are."""

    metric: Metric
    level: str
    namespace: str
    objects: Mapping[Name, Object]
    whole: bool
    patience: Patience

    @property
    def query(self) -> str:
        return f"{self.metric}_usage"


def wanted(metric: Metric, chosen: Metered, patience: Patience, *, whole: bool) -> Wanted:
    level = "containers" if chosen.level == "pods" and metric != "disk" else chosen.level
    return Wanted(metric, level, chosen.namespace, chosen.objects, whole, patience)


async def measured(world: World, asked: Wanted, now: float) -> Gathered:
    """Never raises SteadyErrors: who does not answer is in `missing`."""
    try:
        if asked.whole and asked.level == "containers" and world.telemetry.monitor is None:
            return await _swept(world, asked, now)
        names = await _nearest(world, asked, now) if asked.whole and asked.level == "containers" else None
        if names == []:
            return Gathered(
                looked=[f"no container that is measured has a {asked.metric} limit (their nodes are looked at)"]
            )
        return await _followed(world, asked, names, now)
    except SteadyError as error:
        return Gathered(missing=[f"{asked.metric} of {asked.level}: {error}"])


async def _nearest(world: World, asked: Wanted, now: float) -> list[Name]:
    """The pods of the containers that use most of their limits now."""
    found = await world.telemetry.read(
        Question(asked.query, asked.level, now, now, asked.namespace), asked.patience.left()
    )
    shares: list[tuple[float, Name]] = []
    for (space, name), points in found.series.items():
        pod, _, part = name.partition("/")
        obj = asked.objects.get((space, pod))
        limit = container_limit(obj, part, asked.metric) if obj else None
        if limit:
            shares.append((points[-1][1] / limit, (space, pod)))
    return list(dict.fromkeys(name for _, name in sorted(shares, reverse=True)))[:MOST]


async def _followed(world: World, asked: Wanted, names: Sequence[Name] | None, now: float) -> Gathered:
    """The courses of these objects, or of all that are meant."""
    chosen = list(asked.objects) if names is None else names
    gathered, gate = Gathered(), asyncio.Semaphore(_AT_ONCE)
    questions = list(_questions(world, asked, chosen, now))

    async def read(question: Question) -> tuple[str, Mapping[Name, Points], tuple[str, ...]]:
        async with gate:
            found = await world.telemetry.read(question, asked.patience.left())
        return found.source, found.series, found.notes

    answers = await asyncio.gather(*(read(item) for item in questions), return_exceptions=True)
    joined: dict[Name, Points] = {}
    sources: dict[str, None] = {}
    for answer in answers:
        if isinstance(answer, SteadyError):
            gathered.missing += _once(gathered.missing, f"{asked.metric} of {_plain(asked.level)}: {answer.message}")
            continue
        if isinstance(answer, BaseException):
            raise answer
        source, series, notes = answer
        sources[source] = None
        for note in notes:
            gathered.missing += _once(gathered.missing, f"{asked.metric} of {_plain(asked.level)}: {note}")
        for name, points in series.items():
            joined[name] = _joined(joined.get(name, []), points)
    if not sources:
        raise next(item for item in answers if isinstance(item, SteadyError))
    gathered.subjects = [item async for item in turns(_subjects(world, asked, joined, ", ".join(sources)))]
    gathered.looked.append(_said(asked, gathered.subjects, len(asked.objects), ", ".join(sources), names is not None))
    return gathered


def _once(known: Sequence[str], said: str) -> list[str]:
    return [] if said in known else [said]


def _questions(world: World, asked: Wanted, chosen: Sequence[Name], now: float) -> Iterator[Question]:
    monitored = world.telemetry.monitor is not None
    nodes = node_names(world) if monitored and asked.level == "nodes" else {}
    windows = WINDOWS if monitored else (HOUR,)
    spaces: dict[str, list[str]] = {}
    for space, name in chosen:
        spaces.setdefault(space, []).append(name)
    whole = asked.whole and asked.level != "containers"
    for length in windows:
        question = Question(asked.query, asked.level, now, now - length, asked.namespace, nodes=nodes)
        if whole:
            yield question
            continue
        for space, names in sorted(spaces.items()):
            for begin in range(0, len(names), _BATCH):
                part = frozenset(names[begin : begin + _BATCH])
                yield replace(question, namespace=space, names=part)


def _joined(known: Points, points: Points) -> Points:
    """The denser samples of the shorter windows, which were asked for first, and before them those of a longer one."""
    if not known or not points:
        return known or points
    return [point for point in points if point[0] < known[0][0]] + known


def _subjects(world: World, asked: Wanted, series: Mapping[Name, Points], source: str) -> Iterator[Subject]:
    for (space, called), points in sorted(series.items()):
        name, _, part = called.partition("/")
        obj = asked.objects.get((space, name))
        if obj is not None and points:
            yield _subject(world, asked, obj, part, points, source=source)


def _subject(world: World, asked: Wanted, obj: Object, part: str, points: Points, *, source: str) -> Subject:
    metadata = obj["metadata"]
    if asked.level == "containers":
        limit = container_limit(obj, part, asked.metric)
        word = "limit" if limit else ""
    else:
        bound, word = most(asked.level, obj, asked.metric)
        limit = bound or None
    owner = top_owner(world.store, obj) if asked.level in {"containers", "pods"} else ""
    kind = {"containers": "Pod", "pods": "Pod", "nodes": "Node"}.get(asked.level, "PersistentVolumeClaim")
    space = metadata.get("namespace", "")
    return Subject(asked.metric, kind, space, metadata["name"], part, limit, word, owner, points, source)


def container_limit(pod: Object, container: str, resource: str) -> float | None:
    """Of one container. None where it has no limit: its node is the limit then."""
    return amount(pod, container, "limits", resource)


def amount(pod: Object, container: str, word: str, resource: str) -> float | None:
    """What a container requests or may use of a resource, of a pod or a pod template."""
    spec = states.spec(pod)
    for item in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        if item.get("name") == container:
            text = ((item.get("resources") or {}).get(word) or {}).get(resource)
            try:
                return float(quantity(text)) if text is not None else None
            except ValueError:
                return None
    return None


async def _swept(world: World, asked: Wanted, now: float) -> Gathered:
    """Own samples of every container, without asking for them one by one."""
    telemetry = world.telemetry
    if not telemetry.begin(asked.namespace):
        question = Question(asked.query, asked.level, now, now - HOUR, asked.namespace)
        await telemetry.read(question, asked.patience.left())  # says why not
        return Gathered()
    subjects, count, known, longest, unlimited = list[Subject](), 0, 0, 0.0, 0
    async for series, ring in turns(telemetry.samples.rings(asked.metric, "pods", asked.namespace)):
        count += 1
        times, values = ring.columns()
        span = float(times[-1] - times[0]) if times else 0.0
        longest = max(longest, span)
        known += span >= SHORTEST and len(times) >= FEWEST
        if not _seems_to_grow(values):
            continue
        made = _own(world, asked, series, ring)
        if made is not None and made.limit:
            subjects.append(made)
        unlimited += made is not None and not made.limit
    if not known:
        few = f"own samples of {count} over {longest / 60:.0f} min, and {SHORTEST / 60:.0f} are needed"
        return Gathered(missing=[f"{asked.metric} of containers: {few}; {SAMPLED}"])
    said = f"{count} containers' {asked.metric}, own samples over {longest / 60:.0f} min; {len(subjects)} seem to grow"
    if unlimited:
        said += f", {unlimited} more grow without a limit (their nodes are looked at)"
    return Gathered(subjects, looked=[said], quiet=known - len(subjects))


def _own(world: World, asked: Wanted, series: Series, ring: Ring) -> Subject | None:
    pod = world.store.get(Key("pods", series.key.namespace, series.key.name))
    if pod is None:
        return None
    return _subject(world, asked, pod, series.container, list(ring), source=OWN)


def _seems_to_grow(values: Sequence[float]) -> bool:
    """A quick look that hardly any clear growth escapes: as a whole, beside wild samples, or since it last fell."""
    third = len(values) // 3
    if third < 2:
        return False
    most_, least = max(values), min(values)
    seen = most_ - least
    if seen > 0 and sum(values[-third:]) - sum(values[:third]) > _RISES * seen * third:
        return True
    if _rises_in_the_middle(values, third):
        return True
    fell = seen > _FALLS * most_ and values.index(most_) < (low := values.index(least))
    return fell and _rises_since(values[low:])


def _rises_in_the_middle(values: Sequence[float], third: int) -> bool:
    ordered = sorted(values)
    out = len(ordered) // 10
    usual = ordered[-1 - out] - ordered[out]
    return usual > 0 and sorted(values[-third:])[third // 2] - sorted(values[:third])[third // 2] > _MIDDLE * usual


def _rises_since(part: Sequence[float]) -> bool:
    line = least_squares([(float(at), value) for at, value in enumerate(part)])
    return line is not None and line.slope > 0 and line.clear


def _said(asked: Wanted, found: Sequence[Subject], meant: int, source: str, nearest: bool) -> str:
    spans = [item.points[-1][0] - item.points[0][0] for item in found]
    longest = max(spans, default=0.0)
    span = f"{longest / DAY:.1f} d" if longest > 2 * DAY else f"{longest / 60:.0f} min"
    which = f", the {MOST} nearest to their limits" if nearest and meant > MOST else ""
    return f"{len(found)} courses of {asked.metric} of {meant} {_plain(asked.level)}{which}; {source}, over {span}"


def _plain(level: str) -> str:
    return {"containers": "pods", "persistentvolumeclaims": "claims"}.get(level, level)
