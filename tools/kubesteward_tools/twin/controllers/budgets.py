"""The disruption controller: keeps each PodDisruptionBudget's status, which evictions are judged by."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from kubesteward_tools.twin import disruption
from kubesteward_tools.twin.clock import parse_timestamp
from kubesteward_tools.twin.controllers.base import Base, condition
from kubesteward_tools.twin.engine import Hears
from kubesteward_tools.world.store import Event, Key, Object

_GIVEN_UP = 120.0
"""Seconds after which the controller takes an eviction for one that never became a delete."""
_SCALABLE = {"deployments.apps", "replicasets.apps", "statefulsets.apps"}


class Budgets(Base):
    component = "disruption-controller"
    hears = Hears("poddisruptionbudgets.policy", "pods", *_SCALABLE)

    def watches(self, event: Event) -> Iterable[Hashable]:
        resource, namespace = event.key.resource, event.key.namespace
        if resource == "poddisruptionbudgets.policy" and event.type != "DELETED":
            if event.old is None or _asked(event.old) != _asked(event.obj):
                yield event.key
        elif resource == "pods":
            yield from self._covering(namespace, [_labels(item) for item in (event.obj, event.old) if item])
        elif resource in _SCALABLE and (event.old is None or event.old["spec"] != event.obj["spec"]):
            templates = [item["spec"].get("template") or {} for item in (event.obj, event.old) if item]
            yield from self._covering(namespace, [_labels(item) for item in templates])

    def _covering(self, namespace: str, labels: list[dict[str, str]]) -> Iterable[Key]:
        """The budgets that select pods with any of these labels."""
        yield from self.store.selecting("poddisruptionbudgets.policy", namespace, labels[0])
        if len(labels) > 1 and labels[0] != labels[1]:
            yield from self.store.selecting("poddisruptionbudgets.policy", namespace, labels[1])

    def reconcile(self, key: Hashable) -> None:
        if not isinstance(key, Key) or (budget := self.store.get(key)) is None:
            return
        old = budget.get("status") or {}
        new = disruption.status(self.store, budget)
        if not disruption.can_be_computed(self.store, budget):
            self._fail_safe(key, old, new)
            return
        waiting = self._still_disrupted(key.namespace, old.get("disruptedPods") or {})
        new["disruptionsAllowed"] = max(0, new["disruptionsAllowed"] - len(waiting))
        new["currentHealthy"] = max(0, new["currentHealthy"] - len(waiting))
        allowed = new["disruptionsAllowed"] > 0
        conditions = condition(
            old.get("conditions") or [],
            self.api.clock.timestamp,
            kind="DisruptionAllowed",
            value="True" if allowed else "False",
            reason="SufficientPods" if allowed else "InsufficientPods",
            message="",
            updates=False,
        )
        status = {**new, "observedGeneration": budget["metadata"].get("generation", 1), "conditions": conditions}
        if waiting:
            status["disruptedPods"] = waiting
            self.after(_GIVEN_UP, key, idle=True)
        self.api.update_status(*key, status)

    def _fail_safe(self, key: Key, old: dict[str, Any], new: dict[str, Any]) -> None:
        """Nothing may be evicted, and the status does not say that it is up to date."""
        conditions = condition(
            old.get("conditions") or [],
            self.api.clock.timestamp,
            kind="DisruptionAllowed",
            value="False",
            reason="SyncFailed",
            message="the scale of the pods' controllers cannot be read",
            updates=False,
        )
        self.api.update_status(*key, {**old, **new, "conditions": conditions})

    def _still_disrupted(self, namespace: str, disrupted: dict[str, str]) -> dict[str, str]:
        """Evicted pods that do not show it yet; after two minutes it is clear that they stay."""

        def pending(pod: Object | None, at: str) -> bool:
            fresh = self.api.clock.now - parse_timestamp(at) < _GIVEN_UP
            return pod is not None and "deletionTimestamp" not in pod["metadata"] and fresh

        found = disrupted.items()
        return {name: at for name, at in found if pending(self.store.get(Key("pods", namespace, name)), at)}


def _asked(budget: Object) -> tuple[object, object]:
    """What the controller looks at again: the spec, and evictions that were granted."""
    return budget["metadata"].get("generation"), (budget.get("status") or {}).get("disruptedPods") or {}


def _labels(obj: Object) -> dict[str, str]:
    return (obj.get("metadata") or {}).get("labels") or {}
