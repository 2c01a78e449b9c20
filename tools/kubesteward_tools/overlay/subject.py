"""What an overlay is about: a whole cluster, a namespace, or an object with what it owns and what it needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kubesteward_tools.lookup.family import descendants, pods
from kubesteward_tools.lookup.notes import Note, columns, everywhere, of
from kubesteward_tools.world import walks
from kubesteward_tools.world.store import Key, Object, Store

if TYPE_CHECKING:
    from kubesteward_tools.lookup.targets import Found
    from kubesteward_tools.world.graph import Connection
    from kubesteward_tools.world.world import World

_NEEDED_STEPS = 6
"""From a Deployment to the StorageClass of a volume of its pods."""
_BUDGETS = "poddisruptionbudgets.policy"
_MATTERS = frozenset({"mounts", "env_from", "binds", "scheduled_on", "routes", "scales", "runs_as", "admits", "serves"})
"""Relations whose missing end keeps something from working."""


@dataclass(frozen=True, slots=True)
class Subject:
    """`start` is the object that is asked about; without one it is the namespace, and without that the cluster.

    `own` is the object and what it is made of, `needed` what that needs, `missing` the edges from it all that lead
    to nothing, `kinds` the kind of each resource in them.
    """

    start: Key | None = None
    namespace: str = ""
    own: frozenset[Key] = frozenset()
    needed: frozenset[Key] = frozenset()
    missing: tuple[Connection, ...] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)

    @property
    def many(self) -> bool:
        return self.start is None

    @property
    def keys(self) -> frozenset[Key]:
        return self.own | self.needed

    def notes(self, store: Store, resource: str) -> Iterator[tuple[Key, Note]]:
        """What is known of the objects of one resource that belong to it, sorted."""
        if self.start is not None:
            for key in sorted(key for key in self.keys if key.resource == resource):
                if (note := of(store, key)) is not None:
                    yield key, note
        elif self.namespace and resource == "nodes":
            used = sorted({facts.node for _, facts in store.known("pods", self.namespace) if facts.node})
            yield from ((key, note) for name in used if (note := of(store, key := Key("nodes", "", name))))
        elif self.namespace:
            there = columns(store, resource, self.namespace)
            yield from zip((Key(resource, self.namespace, name) for name in there.names), there.notes, strict=True)
        else:
            yield from everywhere(store, resource)

    def objects(self, store: Store, resource: str) -> Iterator[tuple[Key, Object]]:
        for key, _ in self.notes(store, resource):
            if (obj := store.get(key)) is not None:
                yield key, obj


def of_cluster(world: World) -> Subject:
    missing = _serious(world.graph.missing())
    return Subject(missing=missing, kinds=_kinds(world, missing))


def of_object(world: World, found: Found) -> Subject:
    """A Namespace stands for all that is in it."""
    key = found.key
    if key.resource == "namespaces":
        missing = _serious(item for item in world.graph.missing() if item.source.namespace == key.name)
        return Subject(namespace=key.name, missing=missing, kinds=_kinds(world, missing))
    own = frozenset([key, *descendants(world.store, key), *map(_pod_key, pods(world.store, key))])
    needed = set[Key]()
    for item in own:
        needed.update(walks.dependencies(world.graph, item, _MATTERS, _NEEDED_STEPS))
        needed.update(edge.source for edge in world.graph.edges(item, ("selects",)) if edge.source.resource == _BUDGETS)
    if any(item.resource == "pods" for item in own):
        needed.update(world.store.keys("resourcequotas", key.namespace or None) if key.namespace else ())
    missing = _serious(edge for item in own | needed for edge in world.graph.edges(item) if edge.dangling)
    return Subject(key, key.namespace, own, frozenset(needed) - own, missing, _kinds(world, missing))


def _pod_key(pod: Object) -> Key:
    return Key("pods", pod["metadata"].get("namespace", ""), pod["metadata"]["name"])


def _kinds(world: World, missing: Iterable[Connection]) -> dict[str, str]:
    return {edge.target.resource: world.ref(edge.target).kind for edge in missing}


def _serious(edges: Iterable[Connection]) -> tuple[Connection, ...]:
    """Not what can be done without, nor what is guessed. What a ReplicaSet lacks, its Deployment or pods tell."""
    return tuple(
        sorted(
            edge
            for edge in set(edges)
            if edge.dangling
            and not edge.optional
            and edge.confidence >= 1
            and edge.relation in _MATTERS
            and edge.source.resource != "replicasets.apps"
        )
    )
