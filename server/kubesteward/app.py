"""The one place of assembly: what the server is made of, each part made when it is first needed.

Hosts time a server's first answers, so building an App connects to nothing, opens no file and imports nothing heavy.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from kubesteward.settings import Settings
from kubesteward_tools.errors import Refused

if TYPE_CHECKING:
    from kubesteward.audit.log import AuditLog
    from kubesteward.audit.webhook import Webhook
    from kubesteward.gate.gate import Caller, Gate
    from kubesteward.gate.records import Records
    from kubesteward.gate.switch import Stopped
    from kubesteward.middleware.call import Tell
    from kubesteward.middleware.rates import Rates
    from kubesteward.reasoning.brains.registry import Brains
    from kubesteward.reasoning.desk import OnBehalf
    from kubesteward.reasoning.ledger.ledger import Ledger
    from kubesteward.reasoning.running import Investigator
    from kubesteward.standin import StandIn
    from kubesteward.store.store import Store
    from kubesteward.telemetry.metrics import Metrics
    from kubesteward_policies.rules import RuleSet
    from kubesteward_tools.cluster.clusters import Clusters
    from kubesteward_tools.cluster.people import People
    from kubesteward_tools.tool import Tool
    from kubesteward_tools.world.metrics.telemetry import Instruments

T = TypeVar("T")


class App:
    """The parts of one process. `parts` replaces some of them by name, for tests."""

    def __init__(self, settings: Settings, **parts: Any) -> None:
        self.settings = settings
        self._tasks: set[asyncio.Task[Any]] = set()
        self.measuring = False
        """Whether somebody may scrape what is counted."""
        vars(self).update(parts)

    @classmethod
    def build(cls, settings: Settings, scenario: str | None = None) -> App:
        """With `scenario`, or where no cluster is configured at all, the embedded cluster stands in."""
        from kubesteward.standin import SCENARIO, StandIn, is_needed

        if scenario is None and is_needed(settings, os.environ, Path.home()):
            scenario = SCENARIO
        return cls(settings, standin=StandIn(scenario, settings.state_dir) if scenario else None)

    async def ready(self) -> None:
        """To be awaited before the clusters are used; does something once, and only where one stands in."""
        if self.standin is not None and "clusters" not in vars(self):
            kubeconfig = await self.standin.start()
            self.settings = self.settings.model_copy(update={"kubeconfig": kubeconfig, "context": None, "bundle": None})

    @cached_property
    def standin(self) -> StandIn | None:
        return None

    @cached_property
    def tools(self) -> Mapping[str, Tool]:
        from kubesteward_tools.catalog import load_tools

        return load_tools()

    @cached_property
    def clusters(self) -> Clusters:
        from kubesteward_tools.cluster.clusters import Clusters
        from kubesteward_tools.cluster.sets import parse
        from kubesteward_tools.world.history import Limits

        settings = self.settings
        if settings.bundle:
            found = Clusters.from_bundle(settings.bundle)
        else:
            found = Clusters.from_kubeconfig(settings.kubeconfig, settings.context, settings.namespaces)
            found.instruments = self._instruments(found)
            found.history = Limits(settings.history_minutes * 60.0, settings.history_mb * 2**20)
        found.sets = parse(settings.cluster_sets)
        return found

    @cached_property
    def rates(self) -> Rates:
        from kubesteward.middleware.rates import Rates

        return Rates(self.settings)

    @cached_property
    def people(self) -> People:
        """The clusters of whoever is acted for."""
        from kubesteward_tools.cluster.people import People

        return People(lambda: self.clusters, self._gone)

    async def _gone(self, who: tuple[str, ...]) -> None:
        if "gate" in vars(self):
            await self.gate.forget(who)

    def clusters_of(self, who: tuple[str, ...]) -> Clusters:
        """As a user and their groups see them.

        Raises:
            Refused: nobody is named, and this server acts for callers alone.
        """
        if who:
            return self.people.of(who)
        if self.settings.impersonate:
            raise Refused("this server acts for callers alone, and nobody is named.")
        return self.clusters

    def _instruments(self, clusters: Clusters) -> Instruments:
        """An embedded cluster is always a new one, so that nothing about it is worth keeping.

        Raises:
            InvalidArguments: an address of Prometheus is none, or is that of an unknown context.
        """
        from kubesteward.monitoring import monitors
        from kubesteward.store.baselines import KeptBaselines
        from kubesteward_tools.world.metrics.telemetry import Instruments

        kept = KeptBaselines(lambda: self.store) if self.standin is None else None
        return Instruments(monitors(self.settings, clusters).get, kept)

    @cached_property
    def store(self) -> Store:
        from kubesteward.store.store import Store

        return Store.open(self.settings.state_dir)

    @cached_property
    def audit(self) -> AuditLog:
        from kubesteward.audit.log import AuditLog

        return AuditLog(self.store, self.settings.audit_anchor, self._webhook(), self._heard)

    def _heard(self, record: Mapping[str, Any]) -> None:
        if self.measuring:
            self.metrics.heard(record)

    @cached_property
    def metrics(self) -> Metrics:
        """What this process counts; made when there is something to count and somebody may scrape it."""
        from kubesteward.telemetry.metrics import Metrics

        return Metrics()

    @cached_property
    def ledger(self) -> Ledger:
        """What brains cost. Raises InvalidArguments, StoreUnusable."""
        from kubesteward.reasoning.ledger.assembly import ledger_of

        return ledger_of(self.settings, self.store, self.audit)

    @cached_property
    def offline(self) -> dict[str, str]:
        """Of each principal whose last investigation found their brain offline: why."""
        return {}

    @cached_property
    def brains(self) -> Brains:
        from kubesteward.reasoning.assembly import brains_of

        return brains_of(self)

    @cached_property
    def investigator(self) -> Investigator:
        """Made when somebody first asks for an investigation. Raises StoreUnusable."""
        from kubesteward.gate import process
        from kubesteward.reasoning.assembly import investigator_of

        return investigator_of(self, process.name(), process.gone)

    def _webhook(self) -> Webhook | None:
        if not self.settings.audit_webhook:
            return None
        from kubesteward.audit.webhook import Webhook

        return Webhook(self.settings.audit_webhook, self.settings.audit_webhook_token)

    @cached_property
    def gate(self) -> Gate:
        from kubesteward.gate.gate import Gate

        return Gate(self.clusters, self.store, self.audit, self.settings, people=self.people)

    def stopped(self) -> Stopped | None:
        """The emergency stop. None also where the store cannot be read: the gate then refuses by itself."""
        from kubesteward.gate.switch import Switch
        from kubesteward.store.store import StoreUnusable

        try:
            return Switch(self.store).engaged()
        except StoreUnusable:
            return None

    def desk(self, caller: Caller, tell: Tell | None = None, *, agreed: bool = False) -> Desk:
        """What the tools of one call may reach. `agreed`: a person has said yes to what it may cost."""
        return Desk(self, caller, tell, agreed)

    def background(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run something to its end whatever happens to the call that began it; `close` waits for it."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def take_up(self) -> None:
        """See to what an earlier process left open: approvals that were given meanwhile, changes cut off in the middle.

        Without a store there is nothing; an embedded cluster is always a new one.
        """
        from kubesteward.store.store import Store

        if self.standin is None and Store.exists(self.settings.state_dir):
            self.gate.begin()
            if self.store.db.execute("SELECT 1 FROM investigations WHERE status = 'running' LIMIT 1").fetchone():
                self.investigator.take_up()

    async def close(self) -> None:
        """End in order: investigations, what is being executed, then the watches, then the store."""
        if "investigator" in vars(self):
            await self.investigator.close()
        if "brains" in vars(self):
            await self.brains.close()
        if "gate" in vars(self):
            self.gate.hurry()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if "gate" in vars(self):
            await self.gate.close()
        if "people" in vars(self):
            await self.people.close()
        if "clusters" in vars(self):
            await self.clusters.close()
        if self.standin is not None:
            await self.standin.stop()
        if "store" in vars(self):
            self.store.close()


@dataclass(frozen=True, slots=True)
class Desk:
    """`kubesteward_tools.tool.Desk` for one caller: records of others stay invisible."""

    app: App
    caller: Caller
    tell: Tell | None = None
    agreed: bool = False

    @property
    def clusters(self) -> Clusters:
        return self.app.clusters_of(self.caller.who)

    @property
    def records(self) -> Records:
        from kubesteward.gate.records import Records

        return Records(self.app.gate, self.app.store, self.caller)

    @property
    def investigations(self) -> OnBehalf:
        from kubesteward.reasoning.desk import OnBehalf

        return OnBehalf(self.app, self.caller, self.tell, agreed=self.agreed)

    def rules(self) -> RuleSet:
        """Those of the store where there is one: an operator may have gone back to an earlier set."""
        from kubesteward.guardrails.history import History
        from kubesteward.guardrails.sources import gathered, rules_of
        from kubesteward.store.store import Store

        configured = gathered(self.app.settings.policies)
        if not Store.exists(self.app.settings.state_dir):
            return rules_of(configured)
        return History(self.app.store, self.app.audit).in_force(configured, self.app.settings.principal)

    async def safe_mode(self, cluster: str = "") -> Sequence[str]:
        from kubesteward.store.store import StoreUnusable

        try:
            return [found.sentence for found in await self.app.gate.safe_mode(cluster, self.caller.who)]
        except StoreUnusable as error:
            return [f"safe mode, nothing is changed: {error.message}"]

    def brain_troubles(self) -> Sequence[str]:
        found = self.app.offline.get(self.caller.principal)
        return [f"{found} Tools and the built-in brain go on."] if found else []

    def now(self) -> float:
        return time.time()
