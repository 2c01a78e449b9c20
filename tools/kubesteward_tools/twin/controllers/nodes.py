"""Node lifecycle: taints that follow a node's conditions, and pods that leave nodes they do not tolerate."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from kubesteward_tools.twin.controllers.base import Base
from kubesteward_tools.twin.engine import Engine, Hears
from kubesteward_tools.world.store import Event, Key, Object

_READY_TAINTS = {"False": "node.kubernetes.io/not-ready", "Unknown": "node.kubernetes.io/unreachable"}
_PRESSURE = {
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
    "PIDPressure": "node.kubernetes.io/pid-pressure",
    "NetworkUnavailable": "node.kubernetes.io/network-unavailable",
}
_UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
_MANAGED = {*_READY_TAINTS.values(), *_PRESSURE.values(), _UNSCHEDULABLE}


class Nodes(Base):
    """`held` are nodes whose pods are not evicted, for too much of their zone has failed with them."""

    component = "node-controller"
    hears = Hears("nodes", "pods")

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.held: frozenset[str] = frozenset()
        self._noticed: dict[str, float] = {}

    def watches(self, event: Event) -> Iterable[Hashable]:
        if event.key.resource == "nodes" and event.type != "DELETED":
            yield event.key
        elif event.key.resource == "pods" and event.type != "DELETED" and (name := event.obj["spec"].get("nodeName")):
            before = event.old["spec"].get("nodeName") if event.old else None
            if name != before:
                yield Key("nodes", "", name)
        elif event.key.resource == "pods" and event.type == "DELETED":
            self._noticed.pop(event.obj["metadata"].get("uid", ""), None)
        elif event.key.resource == "nodes":
            yield from self.store.pods_on(event.key.name)

    def reconcile(self, key: Hashable) -> None:
        if not isinstance(key, Key):
            return
        if key.resource == "pods":
            self._lost(key)
            return
        node = self.store.get(key)
        if node is None:
            return
        node = self._taint(key, node)
        if _condition(node, "Ready") == "Unknown":
            self._mark_pods(node)
        if self._noticed or any(taint["effect"] == "NoExecute" for taint in node["spec"].get("taints") or ()):
            for item in self.store.pods_on(key.name):
                self._evict_intolerant(item, node)

    def _lost(self, key: Key) -> None:
        """The pod's node is gone: the pod garbage collector takes it away."""
        pod = self.store.get(key)
        if pod is not None and self.store.get(Key("nodes", "", pod["spec"].get("nodeName", ""))) is None:
            self.api.remove(*key)

    def _taint(self, key: Key, node: Object) -> Object:
        wanted = list(_wanted(node))
        if key.name in self.held:
            wanted = [taint for taint in wanted if taint["effect"] != "NoExecute"]
        old = node["spec"].get("taints") or []
        kept = [taint for taint in old if taint["key"] not in _MANAGED or _in(taint, wanted)]
        fresh = [
            {**taint, "timeAdded": self.api.clock.timestamp} if taint["effect"] == "NoExecute" else taint
            for taint in wanted
            if not _in(taint, kept)
        ]
        taints = kept + fresh
        if taints == old:
            return node
        spec = {name: value for name, value in node["spec"].items() if name != "taints"}
        return self.api.replace(key, {**node, "spec": {**spec, **({"taints": taints} if taints else {})}})

    def _mark_pods(self, node: Object) -> None:
        """Nobody hears from the kubelet: its pods count as not ready."""
        for key in self.store.pods_on(node["metadata"]["name"]):
            pod = self.store.get(key)
            status = (pod or {}).get("status") or {}
            conditions = [
                {**item, "status": "False", "lastTransitionTime": self.api.clock.timestamp}
                if item["type"] == "Ready" and item["status"] == "True"
                else item
                for item in status.get("conditions") or ()
            ]
            if pod is not None and conditions != (status.get("conditions") or []):
                self.api.update_status(*key, {**status, "conditions": conditions})
                self.event(pod, "Warning", "NodeNotReady", "Node is not ready")

    def _evict_intolerant(self, key: Key, node: Object) -> None:
        """NoExecute taints ask no budget."""
        pod = self.store.get(key)
        taints = [taint for taint in node["spec"].get("taints") or () if taint["effect"] == "NoExecute"]
        if pod is None or "deletionTimestamp" in pod["metadata"]:
            return
        uid = pod["metadata"]["uid"]
        if not taints:
            self._noticed.pop(uid, None)
            return
        waits = [patience(pod, taint) for taint in taints]
        if any(wait is None for wait in waits):
            self._evict(key, pod)
            return
        finite = [wait for wait in waits if wait is not None and wait >= 0]
        if not finite:
            self._noticed.pop(uid, None)
            return
        now = self.api.clock.now
        due = min(finite) - (now - self._noticed.setdefault(uid, now))
        if due <= 0:
            self._noticed.pop(uid)
            self._evict(key, pod)
        else:
            self.after(due, Key("nodes", "", node["metadata"]["name"]), idle=due > 60)

    def _evict(self, key: Key, pod: Object) -> None:
        self.event(pod, "Normal", "TaintManagerEviction", f"Marking for deletion Pod {key.namespace}/{key.name}")
        self.api.delete(*key)


def _condition(node: Object, kind: str) -> str:
    conditions = (node.get("status") or {}).get("conditions") or ()
    return next((str(item["status"]) for item in conditions if item["type"] == kind), "")


def _wanted(node: Object) -> Iterable[dict[str, Any]]:
    if node["spec"].get("unschedulable"):
        yield {"key": _UNSCHEDULABLE, "effect": "NoSchedule"}
    if key := _READY_TAINTS.get(_condition(node, "Ready")):
        yield {"key": key, "effect": "NoSchedule"}
        yield {"key": key, "effect": "NoExecute"}
    for kind, key in _PRESSURE.items():
        if _condition(node, kind) == "True":
            yield {"key": key, "effect": "NoSchedule"}


def _in(taint: dict[str, Any], taints: list[dict[str, Any]]) -> bool:
    return any((item["key"], item["effect"]) == (taint["key"], taint["effect"]) for item in taints)


def patience(pod: Object, taint: dict[str, Any]) -> float | None:
    """Seconds the pod tolerates the taint: None not at all, -1 for ever."""
    from kubesteward_tools.twin.scheduling.taints import tolerates

    found = [item for item in pod["spec"].get("tolerations") or () if tolerates(item, taint)]
    if not found:
        return None
    limits = [item["tolerationSeconds"] for item in found if item.get("tolerationSeconds") is not None]
    return min(limits) if limits else -1
