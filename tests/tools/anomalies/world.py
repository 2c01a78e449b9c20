"""Views of small made-up clusters, with whatever samples, past, history and logs a test gives them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.tools.diagnosis import lab

from kubesteward_tools.anomalies.anomaly import Anomaly
from kubesteward_tools.anomalies.find import Report, find
from kubesteward_tools.anomalies.view import View
from kubesteward_tools.cluster.bundle import of_objects
from kubesteward_tools.twin.clock import parse_timestamp, timestamp
from kubesteward_tools.twin.resources import by_kind
from kubesteward_tools.world.graph import Graph
from kubesteward_tools.world.history import History, Limits
from kubesteward_tools.world.metrics.samples import Samples, Series
from kubesteward_tools.world.store import Key, Object, Store

NOW = parse_timestamp(lab.NOW)
WEB = Key("deployments.apps", "shop", "web")


def ago(seconds: float) -> str:
    return timestamp(NOW - seconds)


def aged(obj: Object, seconds: float) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "creationTimestamp": ago(seconds)}}


def with_metadata(obj: Object, **more: Any) -> Object:
    return {**obj, "metadata": {**obj["metadata"], **more}}


class World:
    """A store with a history that begins an hour ago; what is put later is a change."""

    def __init__(self, *objects: Object | Iterable[Object]) -> None:
        flat = [one for item in objects for one in ([item] if isinstance(item, dict) else item)]
        self.store: Store = of_objects(flat).store
        self.now = NOW - 3600
        self.history = History(self.store, lambda: self.now, lambda _resource, _space: True, Limits(window=86400))
        self.samples = Samples()

    def put(self, key: Key, obj: Object, before_now: float) -> None:
        self.now = NOW - before_now
        self.store.put(key, obj)

    def get(self, key: Key) -> Object:
        found = self.store.get(key)
        assert found is not None
        return found

    def keys(self, resource: str) -> list[Key]:
        return list(self.store.keys(resource))

    def use(self, key: Key, *, cpu: float = 0.2, memory: float = 256.0, container: str = "app") -> None:
        """Ten samples of the last five minutes; memory in MiB."""
        for metric, value in (("cpu", cpu), ("memory", memory * 2**20)):
            for number in range(10):
                self.samples.add(Series(metric, key, container), NOW - 295 + 30 * number, value)

    def view(self, window: float = 3600.0, **more: Any) -> View:
        graph = Graph(self.store, by_kind, lambda _resource, _space: True)
        given: Mapping[str, Any] = {"history": self.history, "watched": self.history.begins, "samples": self.samples}
        return View(self.store, graph, NOW, window, **{**given, **more})

    def look(self, window: float = 3600.0, **more: Any) -> Report:
        return find(self.view(window, **more))

    def found(self, **more: Any) -> list[Anomaly]:
        report = self.look(**more)
        assert report.unread == ()
        return list(report.anomalies)

    def codes(self, **more: Any) -> list[tuple[str, str]]:
        """Code and name of each anomaly."""
        return [(item.code, item.key.name) for item in self.found(**more)]
