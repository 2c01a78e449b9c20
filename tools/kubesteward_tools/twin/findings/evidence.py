"""What the rules judge by: the cluster before, and two plays of the change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from kubesteward_tools.twin import resources
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.netpol.changes import Comparison, compare
from kubesteward_tools.twin.rehearsal import Admission
from kubesteward_tools.twin.watcher import Watcher, top_controller
from kubesteward_tools.world.store import Key, Object, Store

IF_NOT_READY = " if new pods do not become ready"


@dataclass(frozen=True, slots=True)
class Run:
    """One play of the change under one assumption. `settled` is False when it did not come to rest."""

    cluster: SimulatedCluster
    watcher: Watcher
    settled: bool

    @property
    def store(self) -> Store:
        return self.cluster.store


@dataclass(frozen=True)
class Evidence:
    """All there is to judge by. `targets` are the keys that the change's calls name."""

    origin: Store
    best: Run
    worst: Run
    targets: tuple[Key, ...]
    admission: tuple[Admission, ...]

    @cached_property
    def network(self) -> Comparison:
        """Who can reach whom before and after."""
        return compare(self.origin, self.best.store, self.best.watcher.seen)

    def runs(self) -> Iterator[tuple[Run, str]]:
        """Each run with the words that name its assumption."""
        yield self.best, ""
        yield self.worst, IF_NOT_READY

    def touched(self, run: Run, resource: str) -> Iterator[tuple[Key, Object | None, Object | None]]:
        """Objects of a resource that came, changed or went: key, before, after."""
        for key in sorted(run.watcher.seen):
            if key.resource == resource:
                yield key, self.origin.get(key), run.store.get(key)

    def known(self, run: Run, key: Key) -> Key:
        """The object, or where only the rehearsal has it, whoever it was made for: names that are drawn say nothing."""
        obj = run.store.get(key)
        if obj is None or key in self.targets or self.origin.get(key) is not None:
            return key
        above = top_controller(run.store, obj)
        return above[1] if above else key


def name(key: Key) -> str:
    plural, _, group = key.resource.partition(".")
    kind = resources.find(group, plural)
    return f"{kind.kind.lower() if kind else plural} {'/'.join(filter(None, key[1:]))}"
