"""The state that a command looks at: a cluster, a bundle, or an embedded scenario; and never a guessed one."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kubesteward.settings import Settings
from kubesteward_tools.errors import InvalidArguments

if TYPE_CHECKING:
    from kubesteward_tools.cluster.clusters import Clusters
    from kubesteward_tools.world.store import Store
    from kubesteward_tools.world.world import World

SCENARIO = "incident"
_NODES = 3


@dataclass(frozen=True, slots=True)
class State:
    """As the command line names it. `cluster` is a context, "" the current one; None where it is not asked for."""

    cluster: str | None = None
    bundle: Path | None = None
    scenario: str | None = None
    kubeconfig: Path | None = None

    @classmethod
    def one_of(
        cls, cluster: str | None, bundle: Path | None, scenario: str | None, kubeconfig: Path | None = None
    ) -> State:
        """Of what an option each names. Raises InvalidArguments where several were given."""
        if sum(item is not None for item in (cluster, bundle, scenario)) > 1:
            raise InvalidArguments("a context, a bundle and --embedded name three states.", todo="Give one.")
        return cls(cluster, bundle, scenario, kubeconfig)

    @property
    def whole(self) -> bool:
        """Whether nothing of the cluster can have been left out."""
        return self.scenario is not None

    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        """Its world, until the block ends.

        Raises:
            InvalidArguments, UnknownCluster: as `clusters` does.
        """
        clusters = self.clusters()
        try:
            yield await clusters.world()
        finally:
            await clusters.close()

    def clusters(self) -> Clusters:
        """Nothing is connected to yet.

        Raises:
            InvalidArguments: no state is named, also not by the environment, or what is named is not there.
            UnknownCluster: there is no such context.
        """
        from kubesteward_tools.cluster.clusters import Clusters

        if self.scenario is not None:
            return _embedded(self.scenario)
        if self.bundle is not None:
            return Clusters.from_bundle(self.bundle)
        settings = Settings.load(None, **({"kubeconfig": self.kubeconfig} if self.kubeconfig else {}))
        if settings.bundle and self.cluster is None and self.kubeconfig is None:
            return Clusters.from_bundle(settings.bundle)
        _check(settings)
        context = self.cluster or settings.context
        return Clusters.from_kubeconfig(settings.kubeconfig, context, settings.namespaces)


def _check(settings: Settings) -> None:
    """A demonstration must not stand in for the cluster that a pipeline forgot to name."""
    from kubesteward.standin import is_needed

    if is_needed(settings.model_copy(update={"context": None, "bundle": None}), os.environ, Path.home()):
        todo = "Name a context, a bundle, or --embedded: --help shows how."
        raise InvalidArguments("there is no cluster: no kubeconfig was found.", todo=todo)


def _embedded(scenario: str) -> Clusters:
    """The scenario as it stands after it was played, without a server."""
    from kubesteward.embedded.scenarios import build
    from kubesteward_tools.cluster.bundle import BundleSource
    from kubesteward_tools.cluster.clusters import Clusters
    from kubesteward_tools.cluster.discovery import Kinds
    from kubesteward_tools.twin.resources import BUILT_IN

    store = build(scenario, _NODES, time.time()).store
    return Clusters.of({f"embedded {scenario}": BundleSource(store, Kinds(BUILT_IN), _logs(store))})


def _logs(store: Store) -> dict[str, str]:
    """As a bundle keeps them: `namespace/pod/container`, with the time in front of each line."""
    from kubesteward_tools.twin.logs import Excerpt, container_log
    from kubesteward_tools.twin.status import ApiError

    found, whole = {}, Excerpt(stamped=True)
    for key, pod in store.items("pods"):
        for container in pod["spec"]["containers"]:
            try:
                lines = container_log(pod, container["name"], time.time())
            except ApiError:  # it has not begun
                continue
            found[f"{key.namespace}/{key.name}/{container['name']}"] = whole.text(lines)
    return found
