"""Nodes whose agents are told by an annotation to fail, as in recordings: `lab.fail/mode` of a Node.

It stands for what happens to a machine: not-ready, dead (nobody hears of it any more), or a pressure.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from kubesteward_tools.twin.controllers.base import Base
from kubesteward_tools.world.store import Event, Key, Object

NOTES = "lab."
NOTE = "lab.fail/mode"
_PRESSURES = {
    "memory-pressure": ("MemoryPressure", "KubeletHasInsufficientMemory"),
    "disk-pressure": ("DiskPressure", "KubeletHasDiskPressure"),
    "pid-pressure": ("PIDPressure", "KubeletHasInsufficientPID"),
}
_WELL = {
    "MemoryPressure": ("False", "KubeletHasSufficientMemory"),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID"),
    "Ready": ("True", "KubeletReady"),
}


class Agents(Base):
    component = "kubelet"

    def watches(self, event: Event) -> Iterable[Hashable]:
        if event.key.resource != "nodes" or event.type != "MODIFIED" or event.old is None:
            return
        if _mode(event.old) != _mode(event.obj):
            yield event.key

    def reconcile(self, key: Hashable) -> None:
        if not isinstance(key, Key) or (node := self.store.get(key)) is None:
            return
        told = _conditions(_mode(node))
        now, status = self.api.clock.timestamp, node.get("status") or {}
        conditions = [_told(item, told, now) for item in status.get("conditions") or ()]
        self.api.update_status(*key, {**status, "conditions": conditions})


def _mode(node: Object) -> str:
    return str((node["metadata"].get("annotations") or {}).get(NOTE, ""))


def _conditions(mode: str) -> dict[str, tuple[str, str]]:
    """Status and reason of each condition; the node controller writes those of a node that nobody hears of."""
    if mode == "dead":
        return dict.fromkeys(_WELL, ("Unknown", "NodeStatusUnknown"))
    if mode == "not-ready":
        return {**_WELL, "Ready": ("False", "KubeletNotReady")}
    if mode in _PRESSURES:
        kind, why = _PRESSURES[mode]
        return {**_WELL, kind: ("True", why)}
    return _WELL


def _told(item: dict[str, Any], told: dict[str, tuple[str, str]], now: str) -> dict[str, Any]:
    status, reason = told.get(item["type"], (item["status"], item.get("reason", "")))
    if item["status"] == status:
        return item
    return {**item, "status": status, "reason": reason, "lastTransitionTime": now}
