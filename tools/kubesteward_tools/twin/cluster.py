"""A simulated cluster put together: store, clock, names, API server and engine with everything that runs in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kubesteward_tools.twin import controllers
from kubesteward_tools.twin.api import Api
from kubesteward_tools.twin.bootstrap import populate
from kubesteward_tools.twin.clock import Clock
from kubesteward_tools.twin.engine import Engine
from kubesteward_tools.twin.kubelet.kubelet import LIVELY, REAL, Kubelet, Pace
from kubesteward_tools.twin.kubelet.outlook import Declared, Outlook
from kubesteward_tools.twin.names import Names
from kubesteward_tools.twin.requests import handle
from kubesteward_tools.twin.route import Request, Response
from kubesteward_tools.twin.scheduling.loop import Scheduler
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Store


@dataclass(frozen=True, slots=True)
class SimulatedCluster:
    """`handle` answers API requests; `engine` moves what follows from them."""

    store: Store
    clock: Clock
    api: Api
    engine: Engine

    @classmethod
    def over(
        cls,
        store: Store,
        *,
        now: float,
        seed: int | str = 0,
        outlook: Outlook | None = None,
        pace: Pace = REAL,
        kinds: Iterable[ResourceType] = (),
    ) -> SimulatedCluster:
        """Over a store as it is (for a rehearsal: a fork); only what happens from now on sets anything in motion.

        `kinds` are served, as far as the store does not say so itself.
        """
        clock = Clock(now)
        api = Api(store, clock, Names(seed), kinds)
        engine = Engine(api)
        measured = outlook is None or isinstance(outlook, Declared)
        standard = controllers.standard(engine, measured=measured)
        engine.use([*standard, Scheduler(engine), Kubelet(engine, outlook or Declared(), pace)])
        return cls(store, clock, api, engine)

    @classmethod
    def new(cls, *, nodes: int = 3, now: float, seed: int | str = 0, pace: Pace = LIVELY) -> SimulatedCluster:
        """An empty cluster with its system namespaces, nodes, classes and bootstrap roles."""
        cluster = cls.over(Store(), now=now, seed=seed, pace=pace)
        populate(cluster.api, nodes)
        cluster.engine.settle()
        return cluster

    def fork(self) -> SimulatedCluster:
        """Another cluster that is where this one is, and goes on by itself."""
        engine = self.engine.fork()
        api = engine.api
        return SimulatedCluster(api.store, api.clock, api, engine)

    def assume(self, outlook: Outlook) -> None:
        """What containers do that start from now on."""
        for controller in self.engine.controllers:
            if isinstance(controller, Kubelet):
                controller.assume(outlook)

    def handle(self, request: Request) -> Response:
        return handle(self.api, request)
