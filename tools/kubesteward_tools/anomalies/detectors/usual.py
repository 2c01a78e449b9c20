"""Use of cpu and memory against what is usual in this hour of the week: workloads, nodes and namespaces."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from kubesteward_tools.anomalies.anomaly import Anomaly, Number, scored
from kubesteward_tools.anomalies.measures import SIGMAS, deviation
from kubesteward_tools.anomalies.units import FLOORS, UNITS, shown
from kubesteward_tools.anomalies.view import FEWEST, RECENT, View
from kubesteward_tools.diagnosis.reading import kind_of
from kubesteward_tools.world.metrics.baselines import Moments, hour_of_week
from kubesteward_tools.world.metrics.samples import CAPACITY
from kubesteward_tools.world.metrics.telemetry import ENOUGH
from kubesteward_tools.world.store import Key

_PART = 0.2
"""Of the mean, by which a value has to differ from what many weeks say."""
_OF_ONE_WEEK = 0.4
"""How much more where one week says it, half as much where two do: how weeks differ is hardly known then."""
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_WHY_NOT = {
    True: f"no samples yet, {FEWEST} are needed within {RECENT / 60:.0f}m; the server takes them from now on",
    False: "nothing is measured (a bundle, or a cluster without metrics-server)",
}


@dataclass(frozen=True, slots=True)
class _Away:
    """Something that is used unlike before."""

    metric: str
    key: Key
    value: float
    usual: Moments
    sigmas: float

    @property
    def more(self) -> float:
        return self.value - self.usual.mean


def find(view: View) -> Iterator[Anomaly]:
    if not any(view.use.values()):
        view.cannot(f"use of cpu and memory, against its past and among siblings: {_WHY_NOT[view.measured]}")
        return
    for metric in view.use:
        subjects = list(_subjects(view, metric))
        known = [(key, value, _usual(view, metric, key)) for key, value in subjects]
        _missing(view, metric, [seen.count for _, _, seen in known])
        away = [item for key, value, seen in known for item in _away(metric, key, value, seen)]
        yield from (_anomaly(view, item) for item in away if not _explained(view, item, away))


def _subjects(view: View, metric: str) -> Iterator[tuple[Key, float]]:
    """Workloads with the sum of their pods, nodes, and namespaces where all of one is asked about."""
    use = view.use[metric]
    for workload, families in view.families.items():
        parts = [use[pod.key] for family in families for pod in family if pod.key in use]
        if parts and workload.resource != "pods":
            yield workload, sum(parts)
    for key, _ in view.notes("nodes"):
        if key in use:
            yield key, use[key]
    if view.subject.start is None:
        for key in sorted(key for key in use if key.resource == "namespaces"):
            if view.subject.namespace in {"", key.name}:
                yield key, use[key]


def _usual(view: View, metric: str, key: Key) -> Moments:
    kind = kind_of(key.resource)
    subject = f"{key.namespace}/{kind}/{key.name}" if key.namespace else f"{kind}/{key.name}"
    return view.usual.get(metric, {}).get(subject, Moments())


def _missing(view: View, metric: str, counts: list[int]) -> None:
    few = [count for count in counts if count < ENOUGH]
    if few:
        view.cannot(
            f"{metric} against its past: no baseline yet for this hour of the week ({_hour(view)}) of {len(few)} of "
            f"{len(counts)} workloads, nodes and namespaces: at most {max(few)} of {ENOUGH} samples from earlier weeks"
        )


def _hour(view: View) -> str:
    hour = hour_of_week(middle(view.now, view.window))
    return f"{_DAYS[hour // 24]} {hour % 24:02}h UTC"


def middle(now: float, window: float) -> float:
    """The moment that present use speaks of: shortly after the hour, mostly of the hour before."""
    return now - min(window, RECENT) / 2


def _away(metric: str, key: Key, value: float, usual: Moments) -> Iterator[_Away]:
    if usual.count < ENOUGH:
        return
    part = _part(usual.count)
    part = part if value > usual.mean else max(_PART, part / (1 + part))  # as far by factors
    sigmas = deviation(value, usual, max(FLOORS[metric], part * abs(usual.mean)))
    if sigmas:
        yield _Away(metric, key, value, usual, sigmas)


def _part(count: int) -> float:
    """A sampler takes an hour's capacity of samples in a week at the most."""
    return _PART + _OF_ONE_WEEK / math.ceil(count / CAPACITY)


def _explained(view: View, item: _Away, away: list[_Away]) -> bool:
    """Whether workloads in a namespace, or on a node, make up for half of what is strange about it."""
    if item.key.resource == "namespaces":
        inside = [other for other in away if other.key.namespace == item.key.name]
    elif item.key.resource == "nodes":
        here = {view.owner(pod) for pod in view.store.pods_on(item.key.name)}
        inside = [other for other in away if other.key in here]
    else:
        return False
    same = sum(other.more for other in inside if (other.more > 0) == (item.more > 0))
    return abs(same) * 2 >= abs(item.more)


def _anomaly(view: View, item: _Away) -> Anomaly:
    value, mean = (shown(item.metric, number) for number in (item.value, item.usual.mean))
    word = "more" if item.more > 0 else "less"
    spread = shown(item.metric, item.usual.deviation)
    sentence = (
        f"uses {word} {item.metric} than is usual on {_hour(view)}: {value}, usually {mean} ± {spread} "
        f"({abs(item.sigmas):.1f} sigma, {item.usual.count} samples)"
    )
    numbers: dict[str, Number] = {
        "value": item.value,
        "unit": UNITS[item.metric],
        "mean": item.usual.mean,
        "deviation": item.usual.deviation,
        "sigmas": round(item.sigmas, 2),
        "samples": item.usual.count,
    }
    score = scored(abs(item.sigmas) / SIGMAS, 90.0)
    return Anomaly(f"usual.{item.metric}", "warning" if item.more > 0 else "info", item.key, sentence, score, numbers)
