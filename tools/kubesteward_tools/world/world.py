"""What is known about one cluster: a store kept up to date for the kinds somebody has asked for, and its age."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from kubesteward_policies.ref import Ref
from kubesteward_tools.errors import AskAgain, UnknownKind
from kubesteward_tools.lookup.notes import note
from kubesteward_tools.world import walks
from kubesteward_tools.world.feeds import Feeds
from kubesteward_tools.world.graph import Graph
from kubesteward_tools.world.history import UNRECORDED, History
from kubesteward_tools.world.kinds import ResourceType, guessed
from kubesteward_tools.world.metrics.guarded import Guarded
from kubesteward_tools.world.metrics.telemetry import Instruments, Telemetry
from kubesteward_tools.world.packing import Packing
from kubesteward_tools.world.served import Served
from kubesteward_tools.world.store import Key, Store

if TYPE_CHECKING:
    from kubesteward_tools.cluster.connection import Connection
    from kubesteward_tools.cluster.discovery import Kinds
    from kubesteward_tools.cluster.source import Source

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
    "controllerrevisions.apps",
    "jobs.batch",
    "horizontalpodautoscalers.autoscaling",
    "poddisruptionbudgets.policy",
    "endpointslices.discovery.k8s.io",
    "ingresses.networking.k8s.io",
    "networkpolicies.networking.k8s.io",
    "adminnetworkpolicies.policy.networking.k8s.io",
    "baselineadminnetworkpolicies.policy.networking.k8s.io",
    "httproutes.gateway.networking.k8s.io",
    "grpcroutes.gateway.networking.k8s.io",
    "tlsroutes.gateway.networking.k8s.io",
    "tcproutes.gateway.networking.k8s.io",
    "udproutes.gateway.networking.k8s.io",
    "referencegrants.gateway.networking.k8s.io",
    "priorityclasses.scheduling.k8s.io",
    "storageclasses.storage.k8s.io",
    "customresourcedefinitions.apiextensions.k8s.io",
    "validatingwebhookconfigurations.admissionregistration.k8s.io",
    "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    "validatingadmissionpolicies.admissionregistration.k8s.io",
    "validatingadmissionpolicybindings.admissionregistration.k8s.io",
    "mutatingadmissionpolicies.admissionregistration.k8s.io",
    "apiservices.apiregistration.k8s.io",
)
"""What a rehearsal has to know."""


class World:
    """One cluster. `kinds` are those it serves; `feeds` keep its `store`, and `graph` and `history` follow that."""

    def __init__(
        self, cluster: str, source: Source, kinds: Kinds, store: Store, instruments: Instruments | None = None
    ) -> None:
        self.cluster = cluster
        self.store = store
        self._source = source
        self._served = Served(source, kinds)
        self.feeds = Feeds(cluster, source, store, self._served.types)
        self.graph = Graph(store, self._served.kind, self.feeds.sees)
        self.history = History(store, time.time, self.feeds.sees)
        self.telemetry = self._telemetry(instruments or Instruments())

    @property
    def kinds(self) -> Kinds:
        """Those that the cluster served when it was last asked."""
        return self._served.kinds

    @property
    def forbidden(self) -> Mapping[str, str]:
        """Of each kind that may not be listed across the cluster, why."""
        return self.feeds.forbidden

    def sees(self, resource: str, namespace: str) -> bool:
        """Whether all objects of a resource in a namespace are in the store."""
        return self.feeds.sees(resource, namespace)

    def watched_since(self, resource: str) -> float:
        """Epoch seconds from which on every write to a resource is in the history; infinity where none is."""
        return max(self.history.begins, self.feeds.watched_since(resource))

    @classmethod
    async def over(cls, cluster: str, source: Source, instruments: Instruments | None = None) -> World:
        store = getattr(source, "store", None) or Store(Packing(), note)
        return cls(cluster, source, await source.kinds(), store, instruments)

    def _telemetry(self, instruments: Instruments) -> Telemetry:
        """Baselines belong to the name and the address together: a name may be given to another cluster."""
        measured = self.writable and self._serves_metrics()
        monitor = instruments.monitor(self.cluster) if self.writable else None
        if monitor is not None and self.who:
            monitor = Guarded(monitor, self.can_i)
        return Telemetry(
            self.cluster,
            self.store,
            self.metrics if measured else None,
            monitor,
            instruments.baselines,
            live=self.writable,
            identity=" ".join((self.cluster, self.server, *self.who)),
        )

    def _serves_metrics(self) -> bool:
        return any(kind.group == METRICS_GROUP for kind in self.kinds.all())

    async def close(self) -> None:
        """End what the world does by itself. The source is closed by whoever made it."""
        await self._served.close()
        await self.telemetry.close()

    @property
    def writable(self) -> bool:
        return self._source.connection is not None

    @property
    def connection(self) -> Connection | None:
        return self._source.connection

    @property
    def who(self) -> tuple[str, ...]:
        """The user, and the groups, whom everything here is read for; empty where it is the credentials' own user."""
        return tuple(getattr(self.connection, "who", ()))

    @property
    def server(self) -> str:
        return self.connection.url if self.connection else "bundle"

    async def ensure(self, *resources: str, namespace: str = "") -> None:
        """Have these resources ("pods", "deployments.apps") listed and watched; `forbidden` notes which may not.

        `namespace` is one to look in where not all may be seen.

        Raises:
            ClusterUnreachable, AskAgain: the server does not answer. NotSynced: it answers too slowly.
        """
        if self.writable:
            soon = bool(self.feeds.gone()) or not self._served.lost.isdisjoint(resources)
            self._served.in_time(self._ask_again, soon=soon)
        await self.feeds.ensure(resources, namespace)

    def key(self, ref: Ref) -> Key:
        """Where the object stands in the store. The Ref's cluster is not looked at: one world is one cluster."""
        return self.key_of(ref.group, ref.kind, ref.namespace, ref.name)

    def key_of(self, group: str, kind: str, namespace: str, name: str) -> Key:
        found = self._served.kind(group, kind)
        return Key(found.resource if found else guessed(group, kind), namespace, name)

    def ref(self, key: Key) -> Ref:
        kind = self._served.types.get(key.resource)
        if kind is None:
            plural, _, group = key.resource.partition(".")
            return Ref(self.cluster, group, plural, key.namespace, key.name)
        return Ref(self.cluster, kind.group, kind.kind, key.namespace, key.name)

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

    def state_at(self, ref: Ref, at: float) -> dict[str, Any] | None:
        """The object as it was at `at` (epoch seconds), None if it was not there.

        Raises:
            ValueError: the window of history begins later, or its kind is watched only since then or not recorded.
        """
        key = self.key(ref)
        if key.resource in UNRECORDED or (self.writable and at < self.watched_since(key.resource)):
            raise ValueError(f"the history of {key.resource} begins later")
        return self.history.state_at(key, at)

    def lowest_common_ancestors(self, refs: Iterable[Ref]) -> list[Ref]:
        """The nearest things that all of these objects depend on, sorted: where one cause of them all may be."""
        return [self.ref(key) for key in walks.common_ancestors(self.graph, (self.key(ref) for ref in refs))]

    async def ensure_for_rehearsal(self, namespace: str = "") -> None:
        await self.ensure(*TWIN_RESOURCES, namespace=namespace)

    def kind(self, name: str) -> ResourceType:
        """Raises UnknownKind with the nearest names."""
        return self.kinds.find(name)

    async def known(self, name: str) -> ResourceType:
        """The same; the cluster is asked again first where its definitions have changed, as far as is known here."""
        try:
            found = self.kinds.find(name)
            if found.resource not in self.feeds.gone():
                return found
        except UnknownKind:
            pass
        if self.writable:
            await self._ask_again()
        return self.kinds.find(name)

    async def _ask_again(self) -> None:
        if await self._served.ask(self.feeds.follows):
            self.feeds.forget_gone()

    def as_of(self) -> float:
        """Epoch seconds of the oldest confirmation among what is watched and was ever seen; now for a bundle."""
        return self.feeds.as_of()

    def staleness(self, *resources: str) -> float:
        """Seconds for which the worst of the watched kinds has failed to be confirmed; 0.0 while all watches stand.

        `resources` are those that matter, all where none is named.
        """
        return self.feeds.staleness(*resources)

    @property
    def skew(self) -> float | None:
        """Seconds by which this clock is ahead of the API server's, as its last answer told; None if it did not."""
        return getattr(self.connection, "skew", None)  # not every connection is one of ours

    async def version(self) -> str:
        return await self._source.version()

    async def log(self, namespace: str, pod: str, query: Mapping[str, str]) -> str:
        """The raw log text. Raises SteadyErrors worded by the server."""
        return await self._source.log(namespace, pod, query)

    async def metrics(self, plural: str, namespace: str = "") -> list[dict[str, Any]]:
        """PodMetrics or NodeMetrics objects. Raises AskAgain when no metrics API answers."""
        if self.writable and not self._serves_metrics():
            raise AskAgain("this cluster serves no metrics API.", todo="Install metrics-server.")
        return await self._source.metrics(plural, namespace)

    async def can_i(self, attributes: Mapping[str, str]) -> tuple[bool, str]:
        """A SelfSubjectAccessReview: ResourceAttributes in, allowed and reason out."""
        return await self._source.can_i(attributes)
