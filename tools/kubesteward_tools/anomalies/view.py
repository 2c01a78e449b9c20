"""What all detectors look at: a part of one world, at one moment, over one window; and a place to say what is missing.

Pure: whatever has to be asked for (logs, baselines) was asked before. Nothing healthy is read without need.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from kubesteward_tools.analytics.records import Line
from kubesteward_tools.anomalies.happened import normal
from kubesteward_tools.diagnosis.scene import Scene, Warned
from kubesteward_tools.lookup.notes import Note, columns
from kubesteward_tools.overlay.subject import Subject
from kubesteward_tools.world.facts import Facts
from kubesteward_tools.world.graph import Graph
from kubesteward_tools.world.history import History
from kubesteward_tools.world.metrics.baselines import Moments
from kubesteward_tools.world.metrics.samples import Samples
from kubesteward_tools.world.store import Key, Object, Store

RECENT = 300.0
"""Seconds over which present use is averaged: a peak of a moment is none of anybody's business."""

FEWEST = 3
"""Samples within them."""

OWNING = ("replicasets.apps", "deployments.apps", "statefulsets.apps", "daemonsets.apps", "jobs.batch",
          "cronjobs.batch")  # fmt: skip
"""Built-in owners of pods."""

Usual = Mapping[str, Mapping[str, Moments]]
"""By metric and subject (see `Bucket`), what is usual in this hour of the week."""


@dataclass(frozen=True, slots=True)
class Member:
    """A pod among its siblings."""

    key: Key
    facts: Facts
    note: Note


@dataclass(frozen=True, slots=True)
class Logs:
    """The lines of one workload's containers in order of time, and the names of the containers they are from."""

    workload: Key
    lines: tuple[Line, ...]
    containers: tuple[str, ...]


class View:
    """`now` and `watched` (since when every write is in `history`) are in epoch seconds, `window` in seconds.

    `measured` tells whether there is anything that `samples` can come from.
    """

    def __init__(
        self,
        store: Store,
        graph: Graph,
        now: float,
        window: float = 3600.0,
        *,
        subject: Subject | None = None,
        history: History | None = None,
        watched: float = float("inf"),
        measured: bool = True,
        samples: Samples | None = None,
        usual: Usual | None = None,
        logs: tuple[Logs, ...] = (),
    ) -> None:
        self.store = store
        self.graph = graph
        self.now = now
        self.window = window
        self.subject = subject or Subject()
        self.history = history
        self.watched = watched
        self.measured = measured
        self.samples = samples or Samples()
        self.usual = usual or {}
        self.logs = logs
        self.scene = Scene(store, graph, now)
        self.unjudged: list[str] = []
        """Sentences that say what could not be told and why."""
        self.looked_at: dict[str, int] = {}

    @property
    def since(self) -> float:
        return self.now - self.window

    def move(self, now: float) -> None:
        """Look at it as of a later moment: a bundle is at least as new as the last line of its logs."""
        if now > self.now:
            self.now = now
            self.scene = Scene(self.store, self.graph, now)

    def get(self, key: Key) -> Object:
        """The object, {} where there is none."""
        return self.scene.get(key)

    def owner(self, key: Key) -> Key:
        """The workload on top of a pod, ReplicaSet or Job; the object itself where nothing owns it.

        Where all of them are known, the index tells; else the object is read.
        """
        at = key
        for _ in range(4):
            facts = self.store.facts(at)
            if facts is None or not facts.owners:
                return at
            above = next((self._owning[uid] for uid in facts.owners if uid in self._owning), None)
            if above is None:
                return self.scene.owner(at)
            at = above
        return at

    @cached_property
    def _owning(self) -> dict[str, Key]:
        """By UID, the built-in owners of pods."""
        return {facts.uid: key for resource in OWNING for key, facts in self.store.known(resource) if facts.uid}

    def notes(self, resource: str) -> Iterator[tuple[Key, Note]]:
        """How each object of a resource within the scope is doing. Counts them as looked at."""
        count = 0
        for item in self.subject.notes(self.store, resource):
            count += 1
            yield item
        if count:
            self.looked_at[resource] = max(count, self.looked_at.get(resource, 0))

    def created(self, key: Key) -> str:
        """The RFC 3339 timestamp, "" where there is none; nothing is read."""
        facts = self.store.facts(key)
        return facts.created if facts is not None else ""

    def covers(self, key: Key) -> bool:
        """Whether the scope holds an object, there or not."""
        if self.subject.start is not None:
            return key in self.subject.keys or self.owner(key) in self.subject.keys
        if not self.subject.namespace:
            return True
        return key.namespace == self.subject.namespace or key in self._used

    @cached_property
    def _used(self) -> frozenset[Key]:
        """Nodes of a namespace's pods, and the namespace itself."""
        nodes = (key for key, _ in self.subject.notes(self.store, "nodes"))
        return frozenset([Key("namespaces", "", self.subject.namespace), *nodes])

    @cached_property
    def families(self) -> dict[Key, list[list[Member]]]:
        """By workload, its pods; those with one owner (a ReplicaSet, say), and so with one template, together."""
        groups: dict[tuple[str, ...], list[Member]] = {}
        wanted = self.subject.keys
        spaces = [self.subject.namespace] if self.subject.namespace else self.store.spaces("pods")
        for space in spaces:
            there = columns(self.store, "pods", space)
            for name, facts, note in zip(there.names, there.facts, there.notes, strict=True):
                key = Key("pods", space, name)
                if not wanted or key in wanted:
                    groups.setdefault(facts.owners or (space, name), []).append(Member(key, facts, note))
        found: dict[Key, list[list[Member]]] = {}
        for members in groups.values():
            found.setdefault(self.owner(members[0].key), []).append(members)
        return found

    @cached_property
    def use(self) -> Mapping[str, Mapping[Key, float]]:
        """By metric, the present use of every pod, node and namespace that has samples enough."""
        since = self.now - min(self.window, RECENT)
        found: dict[str, dict[Key, float]] = {"cpu": {}, "memory": {}}
        for metric, key, mean in self.samples.means(since, FEWEST):
            found[metric][key] = mean
        return found

    @cached_property
    def normal(self) -> list[Warned]:
        """Normal events of the window about what is in scope, without those about pods and what makes them."""
        return [item for item in normal(self.scene, self.since) if self.covers(item.about)]

    @cached_property
    def warned(self) -> list[Warned]:
        """Warning events of the window about what is in scope, sorted by their objects."""
        found = ((key, items) for key, items in self.scene.warnings.items() if self.covers(key))
        return [item for _, items in sorted(found) for item in items if item.last >= self.since]

    def threshold(self, an_hour: int) -> int:
        """So many within an hour are too many: how many that is within the window; never fewer."""
        return max(an_hour, round(an_hour * self.window / 3600))

    def cannot(self, sentence: str) -> None:
        """Say what could not be judged, and why."""
        if sentence not in self.unjudged:
            self.unjudged.append(sentence)
