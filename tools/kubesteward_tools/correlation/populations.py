"""How much hangs on an ancestor, well or not: what the failures are compared with, so that what everybody uses is not
blamed for what a few suffer.

For things that templates name, it is workloads with pods that are counted; for nodes and zones pods; and for what only
new pods meet (registries, quotas, webhooks, free capacity) the pods that were made since the trouble began.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from kubesteward_tools.correlation.ailments import nodes_of
from kubesteward_tools.correlation.ancestors import Ancestor, images, registry
from kubesteward_tools.correlation.failures import Failure
from kubesteward_tools.diagnosis.reading import seconds
from kubesteward_tools.diagnosis.routing import workloads_behind
from kubesteward_tools.diagnosis.scene import SERVERS, Scene
from kubesteward_tools.lookup.notes import of
from kubesteward_tools.twin.clock import timestamp
from kubesteward_tools.world.store import Key

TOGETHER = 300.0
"""Seconds within which things count as rolled out together."""
_REVISIONS = frozenset({"replicasets.apps", "controllerrevisions.apps"})
_OVER = frozenset({"Succeeded", "Failed"})


class Populations:
    """Of one scene; every question is answered once. `units` is what `of` returns: sorted keys of workloads or pods."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._known: dict[Ancestor, frozenset[Key]] = {}
        self._rolled: dict[Key, float | None] = {}

    @cached_property
    def units(self) -> int:
        """How many workloads there are that keep pods running, for what happens by chance."""
        return sum(self._scene.store.count(resource) for resource in SERVERS)

    def of(self, ancestor: Ancestor, failures: Sequence[Failure]) -> frozenset[Key]:
        """Everything that hangs on it; `failures` are those that it may explain."""
        found = self._known.get(ancestor)
        if found is None:
            found = self._known[ancestor] = frozenset(self._find(ancestor, failures))
        return found

    def _find(self, ancestor: Ancestor, failures: Sequence[Failure]) -> Iterable[Key]:
        if ancestor.kind == "node":
            return self._pods([ancestor.name.rpartition("/")[2]])
        if ancestor.kind == "zone":
            return self._pods(node.name for node in nodes_of(self._scene, ancestor))
        if ancestor.kind == "image":
            return self._using.get(ancestor.name, ())
        if ancestor.kind == "rollout":
            return self._released(ancestor, failures)
        if ancestor.kind == "class":
            return self._claims(ancestor, failures)
        if ancestor.kind == "registry":
            return self._pulled(ancestor.name, failures)
        if ancestor.kind in {"admission", "capacity"}:
            space = ancestor.key.namespace if ancestor.key else ""
            return self._new(failures, space)
        if ancestor.kind == "workload":
            services = self._scene.store.keys("services", ancestor.key.namespace) if ancestor.key else ()
            return {one for service in services if self._serves(ancestor, service) for one in self._callers(service)}
        return self._dependents(ancestor)

    def _pods(self, nodes: Iterable[str]) -> Iterator[Key]:
        """Of these nodes, what has not ended."""
        for node in nodes:
            for key in self._scene.store.pods_on(node):
                note = of(self._scene.store, key)
                if note is not None and note.phase not in _OVER:
                    yield key

    @cached_property
    def _using(self) -> dict[str, set[Key]]:
        """Workloads by the images of their templates."""
        found: dict[str, set[Key]] = {}
        for unit, _ in self._scene.workloads():
            for image in images(self._scene, unit):
                found.setdefault(image, set()).add(unit)
        return found

    def _new(self, failures: Sequence[Failure], namespace: str = "") -> Iterator[Key]:
        """Pods made since the first of these failures."""
        since = _first(failures)
        for space in [namespace] if namespace else self._scene.store.spaces("pods"):
            there = self._scene.store.columns("pods", space)
            for name, created in zip(there.names, there.created, strict=True):
                if created >= since:
                    yield Key("pods", space, name)

    def _pulled(self, host: str, failures: Sequence[Failure]) -> Iterator[Key]:
        """The same of workloads with an image from this registry."""
        since = _first(failures)
        used = {unit for image, units in self._using.items() if registry(image) == host for unit in units}
        for unit in used:
            for pod in self._scene.pod_keys(unit):
                facts = self._scene.store.facts(pod)
                if facts is not None and facts.created >= since:
                    yield pod

    def _dependents(self, ancestor: Ancestor) -> set[Key]:
        """Workloads with pods that need this object; of a class, claims."""
        if ancestor.key is None:
            return set()
        if ancestor.kind == "service":
            return set(self._callers(ancestor.key))
        found = set[Key]()
        for edge in self._scene.graph.leading(ancestor.key, None, down=False):
            other = edge.other(ancestor.key)
            if other.resource == "pods":
                found.add(self._scene.owner(other))
        return found

    def _claims(self, ancestor: Ancestor, failures: Sequence[Failure]) -> Iterator[Key]:
        """Claims of a class that were made when the failing ones were, or later: older ones have got their volume."""
        claims = {one.unit for one in failures if one.unit.resource == "persistentvolumeclaims"}
        made = [facts.created for claim in claims if (facts := self._scene.store.facts(claim)) is not None]
        edges = self._scene.graph.leading(ancestor.key, None, down=False) if ancestor.key else ()
        for edge in edges:
            other = edge.source
            facts = self._scene.store.facts(other) if other.resource == "persistentvolumeclaims" else None
            if facts is not None and facts.created >= min(made, default=""):
                yield other

    def _callers(self, service: Key) -> Iterator[Key]:
        for edge in self._scene.graph.leading(service, ("calls",), down=False):
            unit = self._scene.owner(edge.other(service))
            if unit.resource != "replicasets.apps":
                yield unit

    def _serves(self, ancestor: Ancestor, service: Key) -> bool:
        return ancestor.key in workloads_behind(self._scene, service)

    def _released(self, ancestor: Ancestor, failures: Sequence[Failure]) -> Iterator[Key]:
        """Workloads with the same label whose newest template came within minutes of the failing ones'."""
        space, _, rest = ancestor.name.partition("/")
        label, _, value = rest.partition("=")
        times = sorted(time for one in failures if (time := self.rolled_out(one.unit)) is not None)
        middle = times[len(times) // 2] if times else None
        for resource in SERVERS if middle is not None else ():
            for key, facts in self._scene.store.known(resource, space):
                if not label or facts.labels.get(label) == value:
                    time = self.rolled_out(key)
                    if time is not None and middle is not None and abs(time - middle) <= TOGETHER:
                        yield key

    def rolled_out(self, unit: Key) -> float | None:
        """When its newest template came, in epoch seconds; None where nothing tells."""
        if unit not in self._rolled:
            store = self._scene.store
            facts = store.facts(unit)
            owned = store.owned_by(facts.uid) if facts and facts.uid else ()
            made = [one.created for key in owned if key.resource in _REVISIONS and (one := store.facts(key))]
            self._rolled[unit] = seconds(max(made, default=""))
        return self._rolled[unit]


def _first(failures: Sequence[Failure]) -> str:
    times = [one.began for one in failures if one.began is not None]
    return timestamp(min(times)) if times else ""
