"""Keeps a ResourceQuota's status: what it limits, and how much of that is used."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from kubesteward_tools.twin import quota
from kubesteward_tools.twin.controllers.base import Base
from kubesteward_tools.twin.engine import Hears
from kubesteward_tools.twin.quantity import format_like
from kubesteward_tools.world.store import Event, Key

_EPHEMERAL = {"events", "endpointslices.discovery.k8s.io", "leases.coordination.k8s.io"}


class Quotas(Base):
    component = "resourcequota-controller"
    hears = Hears("resourcequotas", "pods", gone=True)

    def watches(self, event: Event) -> Iterable[Hashable]:
        if event.key.resource == "resourcequotas":
            if event.type == "ADDED" or (event.old is not None and event.old["spec"] != event.obj["spec"]):
                yield event.key
        elif event.key.namespace and event.key.resource not in _EPHEMERAL and self._frees(event):
            for key, _ in self.store.items("resourcequotas", event.key.namespace):
                yield key

    def _frees(self, event: Event) -> bool:
        """Admission has already charged what was created; here is what it does not see."""
        if event.type == "DELETED":
            return True
        was_terminal = event.old is not None and quota.is_terminal(event.old)
        return event.key.resource == "pods" and not was_terminal and quota.is_terminal(event.obj)

    def reconcile(self, key: Hashable) -> None:
        if not isinstance(key, Key) or (obj := self.store.get(key)) is None:
            return
        hard = obj["spec"].get("hard") or {}
        counted = (
            (resource, item)
            for resource in sorted(quota.resources_of(hard))
            for item in self.store.objects(resource, key.namespace)
        )
        used = {name: format_like(value, hard[name]) for name, value in quota.total_usage(obj, counted).items()}
        self.api.update_status(*key, {**(obj.get("status") or {}), "hard": hard, "used": used})
