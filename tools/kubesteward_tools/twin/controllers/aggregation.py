"""ClusterRoles that are made of others: the union of what their selectors match. Docs: "Aggregated ClusterRoles"."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from kubesteward_tools.twin.controllers.base import Base
from kubesteward_tools.twin.engine import Engine, Hears
from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.world.store import Event, Key, Object

CLUSTER_ROLES = "clusterroles.rbac.authorization.k8s.io"
_BOOTSTRAPPED = "kubernetes.io/bootstrapping"


class Aggregation(Base):
    """Of the cluster's own roles the parts need not all be known: there, rules are only added or taken away."""

    component = "clusterrole-aggregation-controller"
    hears = Hears(CLUSTER_ROLES)

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._withdrawn: dict[Key, list[Any]] = {}

    def watches(self, event: Event) -> Iterable[Hashable]:
        if event.key.resource != CLUSTER_ROLES:
            return
        for key, role in self.store.items(CLUSTER_ROLES):
            if not role.get("aggregationRule"):
                continue
            before = event.old if event.type != "DELETED" else event.obj
            if before is not None and key != event.key and _selects(role, before):
                self._withdrawn.setdefault(key, []).extend(before.get("rules") or ())
            if key == event.key or any(item and _selects(role, item) for item in (event.obj, before)):
                yield key

    def reconcile(self, key: Hashable) -> None:
        if not isinstance(key, Key) or (role := self.store.get(key)) is None:
            return
        withdrawn = self._withdrawn.pop(key, [])
        rules: list[Any] = []
        if _BOOTSTRAPPED in (role["metadata"].get("labels") or {}):
            rules = [rule for rule in role.get("rules") or () if rule not in withdrawn]
        for other_key, other in self.store.items(CLUSTER_ROLES):
            if other_key != key and _selects(role, other):
                rules += [rule for rule in other.get("rules") or () if rule not in rules]
        if rules != (role.get("rules") or []):
            self.api.replace(key, {**role, "rules": rules})


def _selects(role: Object, other: Object) -> bool:
    selectors = (role.get("aggregationRule") or {}).get("clusterRoleSelectors") or ()
    return any(matches(selector, other["metadata"].get("labels")) for selector in selectors)
