"""Who answers a question about metrics: the monitoring system if there is one, else own samples, else metrics-server.

One for each world. The first question starts the sampling; nothing is asked of anybody before.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from kubesteward_tools.errors import AskAgain, AskDifferently, SteadyError
from kubesteward_tools.world.metrics.baselines import Baselines, BaselineStore, Moments
from kubesteward_tools.world.metrics.intake import Measured
from kubesteward_tools.world.metrics.readings import Monitor, Name, Question, Reading
from kubesteward_tools.world.metrics.sampler import PERIOD, Ask, Sampler
from kubesteward_tools.world.metrics.samples import Points, Samples
from kubesteward_tools.world.store import Key, Store

METRICS_SERVER = "metrics-server (its latest sample)"
OWN = "own samples of metrics-server"
CONFIGURE = "set KUBESTEWARD_PROMETHEUS_URL to the Prometheus of this cluster"

_RESOURCES = {
    "cpu_usage": "cpu",
    "cpu_saturation": "cpu",
    "memory_usage": "memory",
    "memory_saturation": "memory",
}
"""What metrics-server measures."""

_LATE = 3 * PERIOD

ENOUGH = 20
"""Samples in an hour of the week before they are called usual."""


@dataclass(frozen=True, slots=True)
class Instruments:
    """What the server has for every world: a monitoring system by cluster name, and where baselines are kept."""

    monitor: Callable[[str], Monitor | None] = field(default=lambda _: None)
    baselines: BaselineStore | None = None


class Telemetry:
    """`ask` lists what metrics-server says, None where there is none. `live` is False for a bundle.

    `identity` is what baselines are kept under.
    """

    def __init__(
        self,
        cluster: str,
        store: Store,
        ask: Ask | None,
        monitor: Monitor | None = None,
        baselines: BaselineStore | None = None,
        *,
        live: bool = True,
        identity: str = "",
        now: Callable[[], float] = time.time,
    ) -> None:
        self.samples = Samples()
        self.baselines = Baselines(identity or cluster, baselines)
        self.monitor = monitor
        self._cluster = cluster
        self._ask = ask
        self._live = live
        self._now = now
        self._sampler = Sampler(ask, store, self.samples, self.baselines, now=now) if ask else None

    async def close(self) -> None:
        if self._sampler is not None:
            await self._sampler.close()
        if self.monitor is not None:
            await self.monitor.close()

    def begin(self, namespace: str = "") -> bool:
        """Have samples taken from now on; whether there is anything to take them from."""
        if self._sampler is None:
            return False
        self._sampler.namespaces |= {namespace} - {""}
        self._sampler.begin()
        return True

    async def read(self, question: Question, patience: float | None = None) -> Reading:
        """The answer of the first source that has one; what the others said is in its notes.

        A source that has not answered within `patience` seconds is passed over; with 0.0, only what is known here
        answers.

        Raises:
            AskDifferently: nobody measures that; says what to configure. AskAgain: who would know does not answer.
        """
        failures: list[SteadyError] = []
        self.begin(question.namespace)
        for source in (self._monitored, self._remembered, self._present):
            try:
                async with asyncio.timeout(patience):
                    found = await source(question)
            except SteadyError as error:
                failures.append(error)
            except TimeoutError:
                why = (
                    f"no answer within {patience:g} s." if patience else "not asked: the answers before took too long."
                )
                failures.append(AskAgain(why, todo="Ask again, or for a part of it."))
            else:
                if found is not None:
                    return replace(found, notes=(*(item.message for item in failures), *found.notes))
        raise self._nobody(question, failures)

    def usual(self, query: str, level: str, name: str, at: float) -> Moments | None:
        """What a node or namespace uses in this hour of the week; None where too little is known of it."""
        metric, kind = _RESOURCES.get(query), {"nodes": "Node", "namespaces": "Namespace"}.get(level)
        if metric is None or kind is None or not query.endswith("_usage"):
            return None
        try:
            found = self.baselines.usual(metric, f"{kind}/{name}", at)
        except SteadyError:  # what is asked for is known without it
            return None
        return found if found.count >= ENOUGH else None

    async def _monitored(self, question: Question) -> Reading | None:
        return await self.monitor.read(question) if self.monitor is not None else None

    async def _remembered(self, question: Question) -> Reading | None:
        """Own samples, where a stretch of time is asked for and two moments of it are known."""
        metric = _RESOURCES.get(question.query)
        if self._sampler is None or metric is None or question.latest:
            return None
        series = {name: points for name, points in self._own(metric, question) if len(points) > 1}
        if not series:
            return None
        notes = [*self._missing(question, series), *self._late()]
        return Reading(OWN, max(points[-1][0] for points in series.values()), series, tuple(notes))

    def _own(self, metric: str, question: Question) -> Iterator[tuple[Name, Points]]:
        for key in list(self._keys(metric, question)):
            if question.level == "containers":
                parts = self.samples.of_containers(metric, key, question.start)
                yield from (((key.namespace, f"{key.name}/{part}"), points) for part, points in parts.items())
            else:
                yield (key.namespace, key.name), self.samples.points(metric, key, question.start)

    def _keys(self, metric: str, question: Question) -> Iterable[Key]:
        resource = "pods" if question.level == "containers" else question.level
        if question.names is None:
            return self.samples.keys(metric, resource, question.namespace)
        return (Key(resource, question.namespace, name) for name in sorted(question.names))

    def _missing(self, question: Question, series: dict[Name, Points]) -> list[str]:
        first = min(points[0][0] for points in series.values())
        if first - question.start <= _LATE:
            return []
        known, asked = (f"{(question.end - at) / 60:.0f}m" for at in (first, question.start))
        return [f"Sampling began when metrics were first asked for: {known} of {asked} are known."]

    def _late(self) -> list[str]:
        failure = self._sampler.failure if self._sampler else None
        return [f"The last sampling failed: {failure.message}"] if failure else []

    async def _present(self, question: Question) -> Reading | None:
        """What metrics-server says now; a namespace is the sum of its pods."""
        metric = _RESOURCES.get(question.query)
        if self._sampler is None or self._ask is None or metric is None or question.level == "persistentvolumeclaims":
            return None
        plural = "nodes" if question.level == "nodes" else "pods"
        found = await self._sampler.take(plural, await self._ask(plural, _narrowed(question)))
        sums: defaultdict[Name, float] = defaultdict(float)
        times: dict[Name, float] = {}
        for item in found:
            for name, value in _called(item, metric, question.level):
                if question.wants(name):
                    sums[name] += value
                    times[name] = max(times.get(name, 0.0), item.at)
        if not sums:
            why = f"metrics-server has measured nothing of what was asked in {self._cluster!r} yet."
            raise AskAgain(why, todo="Ask again in a minute.")
        series = {name: [(times[name], value)] for name, value in sums.items()}
        notes = () if question.latest else ("No history of these is known yet: present values.",)
        return Reading(METRICS_SERVER, max(times.values()), series, notes)

    def _nobody(self, question: Question, failures: list[SteadyError]) -> SteadyError:
        if failures:
            *others, last = failures
            return type(last)(" ".join(item.message for item in (last, *others)), todo=last.todo)
        if not self._live:
            return AskDifferently("a bundle holds no metrics.", todo="Ask a live cluster.")
        if question.query in _RESOURCES:
            return AskAgain("this cluster serves no metrics API.", todo=f"Install metrics-server, or: {CONFIGURE}.")
        why = f"nothing here measures {question.query} of {question.level}: it needs a monitoring system."
        return AskDifferently(
            why, todo=f"Configure one: {CONFIGURE}. Without it there are: {', '.join(_RESOURCES)}, restarts."
        )


def _narrowed(question: Question) -> str:
    """The only namespace that matters, "" where several do."""
    only = tuple(question.names or ()) if question.level == "namespaces" else ()
    return only[0] if len(only) == 1 else question.namespace


def _called(item: Measured, metric: str, level: str) -> Iterator[tuple[Name, float]]:
    """What is measured of it, by what it is wanted of."""
    key = item.key
    if level == "containers":
        for part, used in item.usage.items():
            if metric in used:
                yield (key.namespace, f"{key.name}/{part}"), used[metric]
    elif (value := item.total(metric)) is not None:
        yield (("", key.namespace) if level == "namespaces" else (key.namespace, key.name)), value
