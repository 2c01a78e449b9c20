"""What began in several clusters within one minute: in a fleet, the cause is then seldom inside any one of them.

Beginnings are put side by side by reason and kind, and a window of 60 s slides over them. Three clusters at least must
begin in it, and more closely than beginnings that come all the time would by chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import NamedTuple

from kubesteward_tools.correlation.ancestors import RELEASES, images, registry, webhooks
from kubesteward_tools.correlation.asking import Seen
from kubesteward_tools.correlation.families import plain
from kubesteward_tools.diagnosis.reading import kind_of, named
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.world.store import Key

BUCKET = 60.0
"""Seconds."""
CLUSTERS = 3
_BY_CHANCE = 0.05
"""So many such coincidences may be expected in the window at the most."""


class Began(NamedTuple):
    """Something began to fail: `at` in epoch seconds, `about` the object, `told` the words of the cluster."""

    at: float
    cluster: str
    about: Key
    told: str = ""
    fails: bool = False


@dataclass(frozen=True)
class Burst:
    """`signs` are (reason, kind) pairs. `objects` counts by cluster, `shared` in how many clusters an attribute is.

    `expected` is how many such coincidences the clusters' other beginnings of this kind let expect in the window.
    """

    signs: tuple[tuple[str, str], ...]
    first: float
    last: float
    objects: Mapping[str, int]
    expected: float
    shared: Mapping[tuple[str, str], int]
    failing: int
    """How many of the objects fail in the window as objects; the others were only warned about."""

    @property
    def clusters(self) -> tuple[str, ...]:
        return tuple(sorted(self.objects))


def bursts(seen: Sequence[Seen], window: float) -> list[Burst]:
    """Of at least CLUSTERS clusters; those that come at the same time in the same clusters are one."""
    if len(seen) < CLUSTERS:
        return []
    scenes = {one.cluster: one.scene for one in seen}
    groups: dict[tuple[str, str], list[Began]] = {}
    for one in seen:
        for sign, beginning in _beginnings(one, window):
            groups.setdefault(sign, []).append(beginning)
    found: list[tuple[tuple[str, str], list[Began], float]] = []
    for sign, began in sorted(groups.items()):
        for together in _together(sorted(set(began))):
            expected = _expected(began, together, window, [one.cluster for one in seen])
            if expected <= _BY_CHANCE:
                found.append((sign, together, expected))
    return sorted(_merged(found, scenes), key=lambda one: (-len(one.objects), one.first, one.signs))


def _beginnings(seen: Seen, window: float) -> Iterator[tuple[tuple[str, str], Began]]:
    since = seen.scene.now - window
    for failure in seen.correlation.failures:
        for key in failure.objects if failure.began is not None and failure.began >= since else ():
            told = failure.told[0] if failure.told else ""
            yield (
                (failure.reason, kind_of(key.resource)),
                Began(failure.began or 0.0, seen.cluster, key, told, fails=True),
            )
    for items in seen.scene.warnings.values():
        for item in items:
            if item.first >= since:
                began = Began(item.first, seen.cluster, item.about, item.message)
                yield (plain(item.reason, "Warning"), kind_of(item.about.resource)), began


def _together(began: Sequence[Began]) -> Iterator[list[Began]]:
    """Stretches in which every minute that counts has beginnings in enough clusters; overlapping ones are one."""
    start, running = 0, list[Began]()
    there: Counter[str] = Counter()
    for end, one in enumerate(began):
        there[one.cluster] += 1
        while one.at - began[start].at > BUCKET:
            there[began[start].cluster] -= 1
            start += 1
        if sum(count > 0 for count in there.values()) < CLUSTERS:
            continue
        now = began[start : end + 1]
        if running and now[0].at > running[-1].at:
            yield running
            running = []
        running = sorted({*running, *now})
    if running:
        yield running


def _expected(began: Iterable[Began], together: Sequence[Began], window: float, clusters: Sequence[str]) -> float:
    """Buckets of the window in which as many of all the clusters would begin by chance, judged by what begins at other
    times: of many clusters, some three soon meet.

    What goes on for most of the window leaves no other times to judge by, and is as good as always there.
    """
    inside = set(together)
    others = Counter(one.cluster for one in set(began) - inside)
    elsewhere = (window - (together[-1].at - together[0].at)) / BUCKET
    buckets = window / BUCKET
    if elsewhere < buckets / 2:
        return buckets
    usual = (others.total() + 0.5) / len(clusters)
    chances = (1 - exp(-(others[cluster] + usual) / elsewhere) for cluster in clusters)
    return buckets * at_least(_densest(together), chances)


def _densest(together: Sequence[Began]) -> int:
    """In how many clusters something begins within one bucket, where most do."""
    start, most = 0, 0
    there: Counter[str] = Counter()
    for one in together:
        there[one.cluster] += 1
        while one.at - together[start].at > BUCKET:
            there[together[start].cluster] -= 1
            start += 1
        most = max(most, sum(count > 0 for count in there.values()))
    return most


def at_least(many: int, chances: Iterable[float]) -> float:
    """The probability that so many of these come true together, each by its own chance."""
    exactly = [1.0, *[0.0] * many]  # the last one: so many or more
    for chance in chances:
        more = [0.0, *(known * chance for known in exactly[:-1])]
        exactly = [known * (1 - chance) + new for known, new in zip(exactly[:-1], more[:-1], strict=True)] + [
            exactly[-1] + more[-1]
        ]
    return exactly[-1]


def _merged(
    found: Iterable[tuple[tuple[str, str], list[Began], float]], scenes: Mapping[str, Scene]
) -> Iterator[Burst]:
    """One thing shows itself as a state and as events: what overlaps in time and place is told once."""
    groups: list[tuple[set[tuple[str, str]], set[Began], list[float]]] = []
    for sign, together, expected in sorted(found, key=lambda item: (item[1][0].at, item[0])):
        clusters = {one.cluster for one in together}
        for signs, known, chances in groups:
            near = min(one.at for one in together) - max(one.at for one in known) <= BUCKET
            if near and {one.cluster for one in known} == clusters:
                signs.add(sign)
                known.update(together)
                chances.append(expected)
                break
        else:
            groups.append(({sign}, set(together), [expected]))
    for signs, known, chances in groups:
        yield _burst(signs, known, min(chances), scenes)


def _burst(signs: set[tuple[str, str]], known: set[Began], expected: float, scenes: Mapping[str, Scene]) -> Burst:
    objects = {
        cluster: {one.about for one in known if one.cluster == cluster} for cluster in {it.cluster for it in known}
    }
    shared: Counter[tuple[str, str]] = Counter()
    for cluster in objects:
        shared.update({mark for one in known if one.cluster == cluster for mark in _marks(scenes[cluster], one)})
    common = {mark: count for mark, count in sorted(shared.items()) if count >= CLUSTERS}
    counts = {cluster: len(keys) for cluster, keys in sorted(objects.items())}
    times = [one.at for one in known]
    failing = len({(one.cluster, one.about) for one in known if one.fails})
    return Burst(tuple(sorted(signs)), min(times), max(times), counts, expected, common, failing)


def _marks(scene: Scene, began: Began) -> Iterator[tuple[str, str]]:
    """What may be the same in several clusters: the workload, its images and their registries, its chart, webhooks."""
    unit = scene.owner(began.about)
    if unit.namespace:
        yield "workload", named(unit)
    for image in images(scene, unit):
        yield "image", image
        yield "registry", registry(image)
    facts = scene.store.facts(unit)
    for label in RELEASES if facts else ():
        if facts and (value := facts.labels.get(label)):
            yield label, value
    for name in webhooks(began.told):
        yield "webhook", name
