"""What is known about one cluster: a store kept up to date for the kinds somebody has asked for, and its age."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from kubesteward_policies.ref import Ref
from kubesteward_tools.errors import AskAgain, Forbidden, NotSynced
from kubesteward_tools.world import walks
from kubesteward_tools.world.graph import Graph
from kubesteward_tools.world.kinds import ResourceType, guessed
from kubesteward_tools.world.metrics.telemetry import Instruments, Telemetry
from kubesteward_tools.world.packing import Packing
from kubesteward_tools.world.store import Key, Store

if TYPE_CHECKING:
    from kubesteward_tools.cluster.connection import Connection
    from kubesteward_tools.cluster.discovery import Kinds
    from kubesteward_tools.cluster.mirror import Mirror
    from kubesteward_tools.cluster.source import Source

SYNC_TIMEOUT = 20.0
METRICS_GROUP = "metrics.k8s.io"

TWIN_RESOURCES = (
    "namespaces",
    "nodes",
    "pods",
    "services",
    "configmaps",
    "secrets",
    "serviceaccounts",
    "limitranges",
    "resourcequotas",
    "persistentvolumeclaims",
    "persistentvolumes",
    "deployments.apps",
    "replicasets.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "jobs.batch",
    "horizontalpodautoscalers.autoscaling",
    "poddisruptionbudgets.policy",
    "endpointslices.discovery.k8s.io",
    "ingresses.networking.k8s.io",
    "priorityclasses.scheduling.k8s.io",
    "storageclasses.storage.k8s.io",
    "validatingwebhookconfigurations.admissionregistration.k8s.io",
    "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    "validatingadmissionpolicies.admissionregistration.k8s.io",
    "validatingadmissionpolicybindings.admissionregistration.k8s.io",
)
"""What a rehearsal has to know."""


class World:
    """One cluster. `kinds` are those it serves; `forbidden` says of each kind that may not be listed why."""

    def __init__(
        self, cluster: str, source: Source, kinds: Kinds, store: Store, instruments: Instruments | None = None
    ) -> None:
        self.cluster = cluster
        self.kinds = kinds
        self.store = store
        self.forbidden: dict[str, str] = {}
        self._source = source
        self._kinds = {(item.group, item.kind): item for item in kinds.all()}
        self._types = {item.resource: item for item in kinds.all()}
        self._mirrors: dict[str, Mirror] = {}
        self._complete = source.connection is None
        self.graph = Graph(store, self._resource, self.sees)
        self.telemetry = self._telemetry(instruments or Instruments())

    def sees(self, resource: str, namespace: str) -> bool:
        """Whether all objects of a resource in a namespace are in the store."""
        if self._complete:
            return self.store.count(resource) > 0
        mirror = self._mirrors.get(resource)
        return mirror is not None and mirror.confirmed > 0

    @classmethod
    async def over(cls, cluster: str, source: Source, instruments: Instruments | None = None) -> World:
        store = getattr(source, "store", None) or Store(Packing())
        return cls(cluster, source, await source.kinds(), store, instruments)

    def _telemetry(self, instruments: Instruments) -> Telemetry:
        """Baselines belong to the name and the address together: a name may be given to another cluster."""
        measured = self.writable and any(kind.group == METRICS_GROUP for kind in self.kinds.all())
        return Telemetry(
            self.cluster,
            self.store,
            self.metrics if measured else None,
            instruments.monitor(self.cluster) if self.writable else None,
            instruments.baselines,
            live=self.writable,
            identity=f"{self.cluster} {self.server}",
        )

    async def close(self) -> None:
        """End what the world does by itself. The source is closed by whoever made it."""
        await self.telemetry.close()

    @property
    def writable(self) -> bool:
        return self._source.connection is not None

    @property
    def connection(self) -> Connection | None:
        return self._source.connection

    @property
    def server(self) -> str:
        return self.connection.url if self.connection else "bundle"

    async def ensure(self, *resources: str) -> None:
        """Have these resources ("pods", "deployments.apps") listed and watched; `forbidden` notes which may not.

        Raises:
            ClusterUnreachable, AskAgain: the server does not answer. NotSynced: it answers too slowly.
        """
        wanted = [item for item in resources if item not in self._mirrors and not self._complete]
        for resource in wanted:
            kind = self._types.get(resource)
            if kind is not None and "list" in kind.verbs and (mirror := self._source.feed(kind, self.store)):
                self._mirrors[resource] = mirror
        feeding = {item: self._mirrors[item] for item in resources if item in self._mirrors}
        await asyncio.gather(*(self._wait(item, mirror) for item, mirror in feeding.items()))

    async def _wait(self, resource: str, mirror: Mirror) -> None:
        try:
            async with asyncio.timeout(SYNC_TIMEOUT):
                await mirror.synced.wait()
        except TimeoutError:
            why = f"{self.cluster!r} has not listed its {resource} within {SYNC_TIMEOUT:.0f} s."
            raise NotSynced(why, todo="Ask again; the list goes on in the background.") from None
        failure = mirror.failure
        if isinstance(failure, Forbidden):
            self.forbidden[resource] = failure.message
            if self._mirrors.get(resource) is mirror:  # the next question asks the server anew
                del self._mirrors[resource]
        elif failure is not None and not mirror.confirmed:
            raise failure
        else:
            self.forbidden.pop(resource, None)

    def key(self, ref: Ref) -> Key:
        """Where the object stands in the store. The Ref's cluster is not looked at: one world is one cluster."""
        return Key(self._resource(ref.group, ref.kind) or guessed(ref.group, ref.kind), ref.namespace, ref.name)

    def ref(self, key: Key) -> Ref:
        kind = self._types.get(key.resource)
        if kind is None:
            plural, _, group = key.resource.partition(".")
            return Ref(self.cluster, group, plural, key.namespace, key.name)
        return Ref(self.cluster, kind.group, kind.kind, key.namespace, key.name)

    def _resource(self, group: str, kind: str) -> str | None:
        found = self._kinds.get((group, kind))
        return found.resource if found else None

    def dependents(self, ref: Ref, relations: Collection[str] | None = None, depth: int | None = None) -> list[Ref]:
        """What breaks or changes when this object does, directly or not, the nearest first.

        `relations` names those to go along (all), `depth` the most steps (any number). Missing objects are among them.
        """
        return [self.ref(key) for key in walks.dependents(self.graph, self.key(ref), relations, depth)]

    def dependencies(self, ref: Ref, relations: Collection[str] | None = None, depth: int | None = None) -> list[Ref]:
        """What this object needs, directly or not, the nearest first; also what it names and is not there."""
        return [self.ref(key) for key in walks.dependencies(self.graph, self.key(ref), relations, depth)]

    def blast_radius(self, ref: Ref) -> list[Ref]:
        """Every existing object that is touched when this one changes, the nearest first: pods, workloads, Services."""
        reached = walks.dependents(self.graph, self.key(ref))
        return [self.ref(key) for key in reached if self.store.facts(key) is not None]

    def lowest_common_ancestors(self, refs: Iterable[Ref]) -> list[Ref]:
        """The nearest things that all of these objects depend on, sorted: where one cause of them all may be."""
        return [self.ref(key) for key in walks.common_ancestors(self.graph, (self.key(ref) for ref in refs))]

    async def ensure_for_rehearsal(self) -> None:
        await self.ensure(*TWIN_RESOURCES)

    def kind(self, name: str) -> ResourceType:
        """Raises UnknownKind with the nearest names."""
        return self.kinds.find(name)

    def as_of(self) -> float:
        """Epoch seconds of the oldest confirmation among what is watched; now for a bundle."""
        return min((mirror.confirmed for mirror in self._mirrors.values()), default=time.time())

    def staleness(self) -> float:
        """Seconds for which the worst of the watched kinds has failed to be confirmed; 0.0 while all watches stand."""
        failing = [mirror.confirmed for mirror in self._mirrors.values() if mirror.failure is not None]
        return max(0.0, time.time() - min(failing)) if failing else 0.0

    async def version(self) -> str:
        return await self._source.version()

    async def log(self, namespace: str, pod: str, query: Mapping[str, str]) -> str:
        """The raw log text. Raises SteadyErrors worded by the server."""
        return await self._source.log(namespace, pod, query)

    async def metrics(self, plural: str, namespace: str = "") -> list[dict[str, Any]]:
        """PodMetrics or NodeMetrics objects. Raises AskAgain when no metrics API answers."""
        if self.writable and not any(kind.group == METRICS_GROUP for kind in self.kinds.all()):
            raise AskAgain("this cluster serves no metrics API.", todo="Install metrics-server.")
        return await self._source.metrics(plural, namespace)

    async def can_i(self, attributes: Mapping[str, str]) -> tuple[bool, str]:
        """A SelfSubjectAccessReview: ResourceAttributes in, allowed and reason out."""
        return await self._source.can_i(attributes)
