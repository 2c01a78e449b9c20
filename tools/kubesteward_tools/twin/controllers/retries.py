"""Creations that were refused and are tried again, each time later: what a full quota does to a controller."""

from __future__ import annotations

from kubesteward_tools.twin.controllers.base import Base
from kubesteward_tools.world.store import Event, Key

_FIRST, _LONGEST = 1.0, 1000.0
_SOON = 5
"""Retries within the first minute are waited for: by then a pod that was stopping no longer counts."""
_GRANTING = {"resourcequotas", "limitranges", "namespaces"}


class Retries:
    """The tries of one controller's objects, by UID; `resource` is what it controls."""

    def __init__(self, controller: Base, resource: str) -> None:
        self._controller = controller
        self._resource = resource
        self._tries: dict[str, int] = {}

    def failed(self, key: Key, uid: str) -> None:
        tries = self._tries[uid] = self._tries.get(uid, 0) + 1
        self._controller.after(_back_off(tries), key, idle=tries > _SOON)

    def succeeded(self, uid: str) -> None:
        self._tries.pop(uid, None)

    def hear(self, event: Event) -> None:
        """Nothing wakes an object that was refused, but its next try is worth waiting for once the rules change."""
        if event.key.resource not in _GRANTING or not _rules_change(event):
            return
        namespace = event.key.namespace or event.key.name
        for key, obj in self._controller.store.items(self._resource, namespace):
            tries = self._tries.get(obj["metadata"]["uid"])
            if tries or (obj.get("status") or {}).get("conditions"):
                self._controller.after(_back_off(tries) if tries else _LONGEST, key)


def _back_off(tries: int) -> float:
    return float(min(_FIRST * 2**tries, _LONGEST))


def _rules_change(event: Event) -> bool:
    """What pods are judged by: the spec of a quota or LimitRange, the labels of a namespace."""
    if event.type != "MODIFIED" or event.old is None:
        return True
    before, after = ((obj.get("spec"), obj["metadata"].get("labels")) for obj in (event.old, event.obj))
    return before != after
