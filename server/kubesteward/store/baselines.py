"""Keeps what is usual at each hour of the week. Several processes may watch one cluster: what each learnt is joined."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kubesteward.store.store import Store
from kubesteward_tools.world.metrics.baselines import Bucket, Moments

_WHERE = "cluster = ? AND metric = ? AND subject = ?"


class KeptBaselines:
    """A `kubesteward_tools.world.metrics.baselines.BaselineStore`. `store` opens the file when it is first needed."""

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store

    def join(self, cluster: str, learnt: Mapping[Bucket, Moments]) -> None:
        """Raises StoreUnusable; then nothing is kept."""
        with self._store().transaction() as db:
            for bucket, seen in learnt.items():
                where = (cluster, *bucket)
                query = f"SELECT count, mean, m2 FROM baselines WHERE {_WHERE} AND hour = ?"  # noqa: S608 - constants
                row = db.execute(query, where).fetchone()
                whole = Moments(*row).joined(seen) if row else seen
                new = (*where, whole.count, whole.mean, whole.m2)
                db.execute("INSERT OR REPLACE INTO baselines VALUES (?, ?, ?, ?, ?, ?, ?)", new)

    def kept(self, cluster: str, metric: str, subject: str) -> Mapping[int, Moments]:
        """By hour of the week. Raises StoreUnusable."""
        query = f"SELECT hour, count, mean, m2 FROM baselines WHERE {_WHERE}"  # noqa: S608 - constants
        rows = self._store().db.execute(query, (cluster, metric, subject))
        return {row["hour"]: Moments(row["count"], row["mean"], row["m2"]) for row in rows}

    def kept_of(self, cluster: str, metric: str, hour: int) -> Mapping[str, Moments]:
        """By subject. Raises StoreUnusable."""
        query = "SELECT subject, count, mean, m2 FROM baselines WHERE cluster = ? AND metric = ? AND hour = ?"
        rows = self._store().db.execute(query, (cluster, metric, hour))
        return {row["subject"]: Moments(row["count"], row["mean"], row["m2"]) for row in rows}
