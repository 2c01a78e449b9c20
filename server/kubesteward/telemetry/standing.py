"""What is looked up when somebody scrapes: how things stand at that moment, rather than what has happened."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

    from kubesteward.app import App


@dataclass(frozen=True, slots=True)
class Standing:
    """`actions` by status; seconds by which each connected cluster's picture is behind; the store and the stop."""

    actions: Mapping[str, int] = field(default_factory=dict)
    staleness: Mapping[str, float] = field(default_factory=dict)
    readable: bool = True
    stopped: bool = False

    def families(self) -> Iterator[Metric]:
        yield _family("actions", "Actions in the store.", "status", self.actions)
        words = "Seconds for which the worst watch of a cluster has not been confirmed."
        yield _family("world_staleness_seconds", words, "cluster", self.staleness)
        yield GaugeMetricFamily("kubesteward_store_up", "Whether the store can be read.", float(self.readable))
        yield GaugeMetricFamily("kubesteward_stopped", "Whether all changes are stopped.", float(self.stopped))


class Latest(Collector):
    """What was looked up for the scrape that is being answered."""

    def __init__(self) -> None:
        self.now = Standing()

    def collect(self) -> Iterator[Metric]:
        return self.now.families()


def _family(name: str, words: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"kubesteward_{name}", words, labels=[label])
    for value, number in sorted(values.items()):
        family.add_metric([value], number)
    return family


async def look(app: App) -> Standing:
    """Nothing is opened and connected to for a scrape: what is not there yet has nothing to tell."""
    from kubesteward.store.store import Store, StoreUnusable

    staleness = await _staleness(app)
    if not Store.exists(app.settings.state_dir):
        return Standing(staleness=staleness)
    try:
        rows = app.store.db.execute("SELECT status, COUNT(*) FROM actions GROUP BY status").fetchall()
    except (sqlite3.Error, StoreUnusable):
        return Standing(staleness=staleness, readable=False)
    return Standing({row[0]: row[1] for row in rows}, staleness, stopped=app.stopped() is not None)


async def _staleness(app: App) -> dict[str, float]:
    """Of the worlds that are there; with a world for each user the worst of them, and no user's name."""
    known = [app.clusters] if "clusters" in vars(app) else []
    if "people" in vars(app):
        known += app.people.all()
    found = dict[str, float]()
    for clusters in known:
        for info in clusters.describe():
            if info.state == "connected":
                seconds = (await clusters.world(info.name)).staleness()
                found[info.name] = max(seconds, found.get(info.name, 0.0))
    return found
