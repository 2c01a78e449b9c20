"""Which cluster a command that asks about use and growth looks at, with all that measures it."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kubesteward.cli.states import State
from kubesteward.settings import Settings

if TYPE_CHECKING:
    from kubesteward_tools.cluster.clusters import Clusters
    from kubesteward_tools.world.world import World


@dataclass(frozen=True, slots=True)
class Place:
    """One of the three at the most, as the parser sees to; `sample` are seconds to watch before anything is said."""

    context: str = ""
    bundle: Path | None = None
    scenario: str = ""
    sample: float = 0.0
    kubeconfig: Path | None = None

    @classmethod
    def of(cls, options: Namespace) -> Place:
        """Raises InvalidArguments for a span of time that is none."""
        from kubesteward_tools.text.ages import seconds

        sample = seconds(options.sample) if options.sample else 0.0
        return cls(options.context or "", options.bundle, options.embedded or "", sample, options.kubeconfig)

    @asynccontextmanager
    async def world(self) -> AsyncIterator[tuple[World, float]]:
        """The cluster's world and the moment that is spoken of, in epoch seconds.

        Raises:
            SteadyError: what is named is not there or does not answer.
        """
        from kubesteward_tools.lookup.moments import moment

        clusters = self._clusters()
        try:
            world = await clusters.world()
            if self.scenario:
                from kubesteward.embedded.past import Past

                world.telemetry.monitor = Past(world.store)
                yield world, time.time()
            else:
                await self._watch(world)
                yield world, moment(world, time.time())
        finally:
            await clusters.close()

    def _clusters(self) -> Clusters:
        if self.scenario or self.bundle:
            return State(bundle=self.bundle, scenario=self.scenario or None).clusters()
        clusters = State(cluster=self.context or None, kubeconfig=self.kubeconfig).clusters()
        settings = Settings.load()
        if clusters.names() and settings.prometheus_url:
            from kubesteward.monitoring import monitors
            from kubesteward_tools.world.metrics.telemetry import Instruments

            clusters.instruments = Instruments(monitors(settings, clusters).get)
        return clusters

    async def _watch(self, world: World) -> None:
        import asyncio

        if self.sample and world.writable:
            await world.ensure("pods", "nodes", "resourcequotas")
            world.telemetry.begin()
            await asyncio.sleep(self.sample)
