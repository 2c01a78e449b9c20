"""What actions have done without a person, counted for the hourly limits and the restart ladder.

Rows are written in the transaction that adds the action, after counting in the same one: two processes on one store
cannot both take the last of a limit.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubesteward.gate.action import Action
from kubesteward.store.store import Store

_PODS, _RESTART, _AGREED = "pods", "restart", "agreed"


class Automatic:
    """Counts are of one API server. `but` names an action that is left out: none stands in its own way."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def pods(self, server: str, since: float, but: str = "") -> dict[str, int]:
        """By namespace."""
        query = (
            "SELECT subject, SUM(amount) FROM automatic WHERE server = ? AND what = ? AND at > ? AND action <> ?"
            " GROUP BY subject"
        )
        return {row[0]: int(row[1]) for row in self._store.db.execute(query, (server, _PODS, since, but))}

    def restarts(self, server: str, workloads: Iterable[str], since: float, but: str = "") -> dict[str, int]:
        """By workload, since a person last agreed to one."""
        query = (
            "SELECT COUNT(*) FROM automatic WHERE server = ? AND what = ? AND subject = ? AND action <> ? AND at >"
            " MAX(?, COALESCE((SELECT MAX(at) FROM automatic WHERE server = ? AND what = ? AND subject = ?), 0))"
        )
        found = {}
        for workload in workloads:
            values = (server, _RESTART, workload, but, since, server, _AGREED, workload)
            found[workload] = int(self._store.db.execute(query, values).fetchone()[0])
        return found

    def enter(self, action: Action) -> None:
        """Count an action that runs alone. To be called within a transaction."""
        self._write(action, _PODS, action.created, action.pods)
        self._write(action, _RESTART, action.created, dict.fromkeys(action.restarts, 1))

    def agreed(self, action: Action, at: float) -> None:
        """A person let it through: the ladder of what it restarts begins anew."""
        self._write(action, _AGREED, at, dict.fromkeys(action.restarts, 0))

    def forget(self, action_id: str) -> None:
        """It did not run alone after all. To be called within a transaction."""
        self._store.db.execute("DELETE FROM automatic WHERE action = ? AND what <> ?", (action_id, _AGREED))

    def _write(self, action: Action, what: str, at: float, amounts: dict[str, int]) -> None:
        rows = [(action.id, at, action.server, what, subject, amount) for subject, amount in amounts.items()]
        self._store.db.executemany("INSERT INTO automatic VALUES (?, ?, ?, ?, ?, ?)", rows)
