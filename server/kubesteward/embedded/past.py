"""What the pods of a scenario have used so far: usage is computed, so that its past can be computed as well.

A `Monitor`, for commands that play a scenario and ask about its course without waiting for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from kubesteward_tools.errors import AskDifferently
from kubesteward_tools.twin.clock import parse_timestamp
from kubesteward_tools.twin.usage import node_metrics, pod_metrics
from kubesteward_tools.world.metrics.intake import measured
from kubesteward_tools.world.metrics.readings import Name, Question, Reading
from kubesteward_tools.world.metrics.samples import Points
from kubesteward_tools.world.store import Object, Store

SOURCE = "the simulated cluster's own past"
_STEPS = 60
_STEP = 60.0
_METRICS = {"cpu_usage": "cpu", "memory_usage": "memory"}


class Past:
    """Of one store, of which nothing has changed since its pods run."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, question: Question) -> Reading:
        """Raises AskDifferently for what is not simulated."""
        metric = _METRICS.get(question.query)
        if metric is None or question.level == "persistentvolumeclaims":
            raise AskDifferently(f"{question.query} of {question.level} is not simulated.")
        series: dict[Name, Points] = {}
        born = max((_started(pod) for pod in self._store.objects("pods")), default=0.0)
        for at in _times(question):
            if question.level in {"nodes", "namespaces"} and at < born:
                continue  # other pods ran there then
            for name, value in self._at(question, metric, at).items():
                series.setdefault(name, []).append((at, value))
        if not series:
            raise AskDifferently("nothing of what was asked runs in this scenario.")
        return Reading(SOURCE, question.end, series)

    def _at(self, question: Question, metric: str, at: float) -> dict[Name, float]:
        """What was used then, by what it is wanted of."""
        sums: dict[Name, float] = {}
        plural = "nodes" if question.level == "nodes" else "pods"
        for item in measured(plural, self._taken(plural, question.namespace, at), at):
            for container, used in item.usage.items():
                name = _name(question.level, item.key.namespace, item.key.name, container)
                if metric in used and question.wants(name):
                    sums[name] = sums.get(name, 0.0) + used[metric]
        return sums

    def _taken(self, plural: str, namespace: str, at: float) -> Iterator[Object]:
        if plural == "nodes":
            made = (node_metrics(self._store, node, at) for node in self._store.objects("nodes"))
        else:
            pods = self._store.objects("pods", namespace or None)
            made = (pod_metrics(pod, at) for pod in pods if _started(pod) <= at)
        yield from (item for item in made if item)

    async def close(self) -> None:
        """Nothing is held."""


def _name(level: str, namespace: str, name: str, container: str) -> Name:
    if level == "namespaces":
        return "", namespace
    return namespace, f"{name}/{container}" if level == "containers" else name


def _times(question: Question) -> list[float]:
    if question.latest:
        return [question.end]
    step = max(_STEP, (question.end - question.start) / _STEPS)
    return [
        question.end - step * number for number in range(math.floor((question.end - question.start) / step), -1, -1)
    ]


def _started(pod: Object) -> float:
    """When its last container was started: before, it was another one's use."""
    found = [0.0]
    for item in (pod.get("status") or {}).get("containerStatuses") or ():
        started = ((item.get("state") or {}).get("running") or {}).get("startedAt")
        found += [parse_timestamp(started)] if started else []
    return max(found)
