"""Creations that were refused and are tried again, each time later: what a full quota does to a controller."""

from __future__ import annotations

from kubesteward_tools.twin.controllers.base import Base
from kubesteward_tools.world.store import Event, Key, Object

_FIRST, _LONGEST = 0.005, 1000.0
"""What client-go's rate limiter starts with and ends at."""
_SOON = 11.0
"""Seconds: shorter waits are waited for, 20 s in all; by then a pod that was stopping no longer counts."""
GRANTING = {
    "resourcequotas",
    "limitranges",
    "namespaces",
    "validatingwebhookconfigurations.admissionregistration.k8s.io",
    "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    "validatingadmissionpolicies.admissionregistration.k8s.io",
    "validatingadmissionpolicybindings.admissionregistration.k8s.io",
}


class Retries:
    """The tries of one controller's objects, by UID; `resource` is what it controls."""

    def __init__(self, controller: Base, resource: str) -> None:
        self._controller = controller
        self._resource = resource
        self._tries: dict[str, int] = {}
        self._due: dict[str, float] = {}

    def failed(self, key: Key, uid: str) -> None:
        """One more failure. As in client-go's queue what waits already keeps its time, the earlier one."""
        now = self._controller.api.clock.now
        tries = self._tries[uid] = self._tries.get(uid, 0) + 1
        if self._due.get(uid, now) <= now:
            self._due[uid] = now + _back_off(tries)
            self._controller.after(_back_off(tries), key, idle=_back_off(tries) > _SOON)

    def succeeded(self, uid: str) -> None:
        self._tries.pop(uid, None)
        self._due.pop(uid, None)

    def hear(self, event: Event) -> None:
        """Nothing wakes an object that was refused, but its next try is worth waiting for once the rules change."""
        if event.key.resource not in GRANTING or not _rules_change(event):
            return
        namespace = event.key.name if event.key.resource == "namespaces" else event.key.namespace
        for key, obj in self._controller.store.items(self._resource, namespace or None):
            tries = self._tries.get(obj["metadata"]["uid"])
            if tries or _lacks_pods(obj):
                self._controller.after(_back_off(tries) if tries else _LONGEST, key)


def _lacks_pods(obj: Object) -> bool:
    """Refused before anybody looked on, as it seems: it has fewer pods than it wants."""
    status = obj.get("status") or {}
    if "desiredNumberScheduled" in status:
        return bool(status.get("currentNumberScheduled", 0) < status["desiredNumberScheduled"])
    return bool(status.get("replicas", 0) < (obj.get("spec") or {}).get("replicas", 1))


def _back_off(tries: int) -> float:
    return float(min(_FIRST * 2 ** min(tries - 1, 20), _LONGEST))


def _rules_change(event: Event) -> bool:
    """What pods are judged by: the spec of a quota, LimitRange or policy, a webhook, the labels of a namespace."""
    if event.type != "MODIFIED" or event.old is None:
        return True
    before, after = (
        (obj.get("spec"), obj.get("webhooks"), obj["metadata"].get("labels")) for obj in (event.old, event.obj)
    )
    return before != after
