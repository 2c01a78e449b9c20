"""Which nodes fit which DaemonSet, worked out once for each node and template: there may be very many of both looks."""

from __future__ import annotations

import copy
from typing import Any

from kubesteward_tools.twin.controllers import daemons
from kubesteward_tools.world.store import Key, Object, Store

Fit = tuple[bool, bool]
Fits = dict[str, Fit]
"""By node: (a pod shall be there, one that is there may stay)."""


class Fitting:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, tuple[Object, dict[str, tuple[str, Fit]]]] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> Fitting:
        """Worked out anew: nodes of two clusters may have the same version and not be the same."""
        return Fitting(copy.deepcopy(self._store, memo))

    def of(self, daemon_set: Object) -> Fits:
        """For every node there is."""
        uid, template = daemon_set["metadata"]["uid"], daemon_set["spec"]["template"]
        before, known = self._known.get(uid, (None, {}))
        if before is not template:
            known = {}
            self._known[uid] = template, known
        return {key.name: self._fit(daemon_set, key, facts.version, known) for key, facts in self._store.known("nodes")}

    def _fit(self, daemon_set: Object, node: Key, version: str, known: dict[str, tuple[str, Fit]]) -> Fit:
        found = known.get(node.name)
        if found is None or found[0] != version:
            obj = self._store.get(node)
            found = known[node.name] = version, daemons.fits(daemon_set, obj) if obj else (False, False)
        return found[1]
