"""The scheduler as a controller: binds pending pods, says why it cannot, and tries again when something has changed."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from kubesteward_tools.twin.controllers.base import Base
from kubesteward_tools.twin.engine import Engine, Hears
from kubesteward_tools.twin.quota import is_terminal
from kubesteward_tools.twin.scheduling.scheduler import GATED, Placement, schedule
from kubesteward_tools.twin.scheduling.usage import Usage
from kubesteward_tools.world.store import Event, Key, Object

_OPENING = {"nodes", "persistentvolumeclaims", "persistentvolumes"}


class Scheduler(Base):
    component = "default-scheduler"
    hears = Hears("pods", *_OPENING)

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._usage = Usage()
        self._nominated: set[Key] = set()

    def watches(self, event: Event) -> Iterable[Hashable]:
        key, obj = event.key, event.obj
        self._usage.hear(event)
        if key.resource == "pods":
            if event.type != "DELETED" and not obj["spec"].get("nodeName"):
                if event.old is None or event.old["spec"] != obj["spec"]:
                    yield key
            elif event.type == "DELETED" or (event.old and not is_terminal(event.old) and is_terminal(obj)):
                yield from self._waiting()
            elif event.old is None or _is_another_neighbour(event.old, obj):
                yield from filter(self._minds_neighbours, self._waiting())
        elif key.resource in _OPENING and (event.old is None or _differs(event.old, obj)):
            yield from self._waiting()

    def _waiting(self) -> list[Key]:
        """Pods without a node, in the order in which they are tried: first those of higher priority."""
        return sorted(self.store.pods_on(""), key=lambda key: -self._spec(key).get("priority", 0))

    def _minds_neighbours(self, key: Key) -> bool:
        """Whether a pod that comes to a node, or gets other labels there, can make room for this one."""
        spec = self._spec(key)
        affinity = spec.get("affinity") or {}
        return bool(spec.get("topologySpreadConstraints") or {"podAffinity", "podAntiAffinity"} & affinity.keys())

    def _spec(self, key: Key) -> Object:
        found: Object = (self.store.get(key) or {"spec": {}})["spec"]
        return found

    def reconcile(self, key: Hashable) -> None:
        if not isinstance(key, Key) or (pod := self.store.get(key)) is None:
            return
        for ahead in self._ahead(pod):
            self.reconcile(ahead)
        if pod["spec"].get("nodeName") or "deletionTimestamp" in pod["metadata"] or is_terminal(pod):
            return
        if pod["spec"].get("schedulingGates"):
            self._report(key, pod, "SchedulingGated", GATED)
            return
        if pod["spec"].get("schedulerName", "default-scheduler") != "default-scheduler":
            return
        placement = schedule(self.store, pod, self._usage)
        if placement.node:
            self._bind(key, pod, placement.node)
            return
        self._report(key, pod, "Unschedulable", placement.message, placement.nominated)
        self.event(pod, "Warning", "FailedScheduling", placement.message)
        self._preempt(pod, placement)

    def _ahead(self, pod: Object) -> list[Key]:
        """Pods of higher priority for which others had to go: the place is not given away before they had it."""
        waiting = self._nominated.intersection(self.store.pods_on("")) if self._nominated else set[Key]()
        self._nominated = waiting
        return sorted(key for key in waiting if self._spec(key).get("priority", 0) > pod["spec"].get("priority", 0))

    def _preempt(self, pod: Object, placement: Placement) -> None:
        message = f"Preempted by pod {pod['metadata']['uid']} on node {placement.nominated}"
        for victim in placement.victims:
            if "deletionTimestamp" not in victim["metadata"]:
                self.event(victim, "Normal", "Preempted", message)
                self.api.delete("pods", victim["metadata"]["namespace"], victim["metadata"]["name"])

    def _bind(self, key: Key, pod: Object, node: str) -> None:
        labels = (self.store.get(Key("nodes", "", node)) or {"metadata": {}})["metadata"].get("labels") or {}
        place = {name: labels[name] for name in _TOPOLOGY if name in labels}
        status = {**(pod.get("status") or {})}
        now = self.api.clock.timestamp
        status["conditions"] = [
            {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": now}
        ]
        metadata = {**pod["metadata"], "labels": {**(pod["metadata"].get("labels") or {}), **place}}
        self.api.bind(
            key.namespace,
            key.name,
            {**pod, "metadata": metadata, "spec": {**pod["spec"], "nodeName": node}, "status": status},
        )
        message = f"Successfully assigned {key.namespace}/{key.name} to {node}"
        self.event(pod, "Normal", "Scheduled", message)

    def _report(self, key: Key, pod: Object, reason: str, message: str, nominated: str = "") -> None:
        """Say why in the pod's condition; a nomination stays until it is replaced, for it holds the room."""
        old = pod.get("status") or {}
        before = next((item for item in old.get("conditions") or () if item["type"] == "PodScheduled"), None)
        since = before["lastTransitionTime"] if before else self.api.clock.timestamp
        condition = {"type": "PodScheduled", "status": "False", "lastProbeTime": None, "lastTransitionTime": since}
        condition |= {"reason": reason, "message": message}
        new = {**old, "conditions": [condition]}
        if nominated:
            self._nominated.add(key)
            new["nominatedNodeName"] = nominated
        self.api.update_status(*key, new)


_TOPOLOGY = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")


def _is_another_neighbour(old: Object, new: Object) -> bool:
    """Whether a pod on a node has only just come there, or has other labels than before."""
    before, after = (item["metadata"].get("labels") for item in (old, new))
    return bool(old["spec"].get("nodeName") != new["spec"].get("nodeName") or before != after)


def _differs(old: Object, new: Object) -> bool:
    """Whether a change can open a place; heartbeats cannot."""
    before, after = old.get("status") or {}, new.get("status") or {}
    same_room = before.get("allocatable") == after.get("allocatable") and before.get("phase") == after.get("phase")
    same_labels = old["metadata"].get("labels") == new["metadata"].get("labels")
    return old.get("spec") != new.get("spec") or not same_room or not same_labels
