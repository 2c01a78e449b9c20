"""The ReplicaSet controller: as many pods as wanted, and on the way down the right ones first."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from typing import Any

from kubesteward_tools.twin.clock import parse_timestamp
from kubesteward_tools.twin.controllers.base import Base, is_own_report, owner_reference
from kubesteward_tools.twin.controllers.retries import GRANTING, Retries
from kubesteward_tools.twin.disruption import controller_of, is_ready, standing_of
from kubesteward_tools.twin.engine import Hears
from kubesteward_tools.twin.quota import is_terminal
from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.twin.standing import Standing
from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.world.facts import Facts
from kubesteward_tools.world.store import Event, Key, Object

REPLICA_SETS = "replicasets.apps"
_DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"


def is_active(pod: Object) -> bool:
    return not is_terminal(pod) and "deletionTimestamp" not in pod["metadata"]


class ReplicaSets(Base):
    component = "replicaset-controller"
    hears = Hears(REPLICA_SETS, "pods", *GRANTING)

    def __init__(self, engine: Any) -> None:
        super().__init__(engine)
        self._retries = Retries(self, REPLICA_SETS)

    def watches(self, event: Event) -> Iterable[Hashable]:
        self._retries.hear(event)
        if event.key.resource == REPLICA_SETS and event.type != "DELETED":
            if not is_own_report(event):
                yield event.key
        elif event.key.resource == "pods":
            owner = self.owner(event.obj, "ReplicaSet") or (self.owner(event.old, "ReplicaSet") if event.old else None)
            if owner:
                yield Key(REPLICA_SETS, event.key.namespace, owner)
            elif controller_of(event.obj) is None:
                yield from self._would_adopt(event)

    def _would_adopt(self, event: Event) -> Iterable[Key]:
        for key, replica_set in self.store.items(REPLICA_SETS, event.key.namespace):
            if matches(replica_set["spec"].get("selector"), event.obj["metadata"].get("labels")):
                yield key

    def reconcile(self, key: Hashable) -> None:
        if not isinstance(key, Key) or (replica_set := self.store.get(key)) is None:
            return
        self._claim(replica_set)
        error = None
        if "deletionTimestamp" not in replica_set["metadata"]:
            error = self._manage(key, replica_set)
        self._write_status(key, self.standings(replica_set["metadata"]["uid"]), error)

    def _claim(self, replica_set: Object) -> None:
        """Adopt matching orphans, let go of pods whose labels have moved away."""
        uid, selector = replica_set["metadata"]["uid"], replica_set["spec"].get("selector")
        for key, facts, _ in self.standings(uid):
            if not matches(selector, facts.labels) and (pod := self.store.get(key)) is not None:
                others = [ref for ref in pod["metadata"]["ownerReferences"] if ref["uid"] != uid]
                metadata = {**pod["metadata"], "ownerReferences": others}
                self.api.replace(key, {**pod, "metadata": metadata})
        if "deletionTimestamp" in replica_set["metadata"]:
            return
        for key in self.store.selected("pods", replica_set["metadata"]["namespace"], selector):
            state = standing_of(self.store, key)
            found = self.store.get(key) if state and state.controller is None and state.active else None
            if found is not None:
                references = [*(found["metadata"].get("ownerReferences") or ()), owner_reference(replica_set)]
                self.api.replace(key, {**found, "metadata": {**found["metadata"], "ownerReferences": references}})

    def _manage(self, key: Key, replica_set: Object) -> tuple[str, str] | None:
        """Create or delete pods; what could not be done as (reason, message)."""
        active = [item for item, _, state in self.standings(replica_set["metadata"]["uid"]) if state.active]
        missing = replica_set["spec"].get("replicas", 1) - len(active)
        if missing > 0:
            return self._create(key, replica_set, missing)
        pods = [pod for item in active if (pod := self.store.get(item)) is not None] if missing else []
        error = self._delete(key, replica_set, victims(pods, self.api.clock.now)[: -missing or 0])
        if error is None:
            self._retries.succeeded(replica_set["metadata"]["uid"])
        return error

    def _delete(self, key: Key, replica_set: Object, pods: list[Object]) -> tuple[str, str] | None:
        refused = None
        for pod in pods:
            name = pod["metadata"]["name"]
            try:
                self.api.delete("pods", key.namespace, name, user=self.user, options={})
            except ApiError as error:
                self.event(replica_set, "Warning", "FailedDelete", f"Error deleting: {error.message}")
                refused = "FailedDelete", error.message
                continue
            self.event(replica_set, "Normal", "SuccessfulDelete", f"Deleted pod: {name}")
        if refused:
            self._retries.failed(key, replica_set["metadata"]["uid"])
        return refused

    def _create(self, key: Key, replica_set: Object, missing: int) -> tuple[str, str] | None:
        for _ in range(missing):
            try:
                pod = self.api.create("pods", key.namespace, pod_from(replica_set), user=self.user)
            except ApiError as error:
                self.event(replica_set, "Warning", "FailedCreate", f"Error creating: {error.message}")
                self._retries.failed(key, replica_set["metadata"]["uid"])
                return "FailedCreate", error.message
            self.event(replica_set, "Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")
        return None

    def _write_status(self, key: Key, pods: list[tuple[Key, Facts, Standing]], error: tuple[str, str] | None) -> None:
        replica_set = self.store.get(key)
        if replica_set is None:
            return
        active, spec = [(item, facts, state) for item, facts, state in pods if state.active], replica_set["spec"]
        wanted = (spec["template"].get("metadata") or {}).get("labels") or {}
        ready = [item for item, _, state in active if state.ready]
        available = [item for item in ready if self._is_available(key, item, spec.get("minReadySeconds", 0))]
        status: dict[str, Any] = {
            "replicas": len(active),
            "fullyLabeledReplicas": sum(wanted.items() <= facts.labels.items() for _, facts, _ in active),
            "readyReplicas": len(ready),
            "availableReplicas": len(available),
            "terminatingReplicas": sum(state.leaving and not state.terminal for _, _, state in pods),
            "observedGeneration": replica_set["metadata"].get("generation", 1),
        }
        status = {name: value for name, value in status.items() if value or name in {"replicas", "observedGeneration"}}
        if error:
            status["conditions"] = self._failure(replica_set, *error)
        self.api.update_status(*key, status)

    def _failure(self, replica_set: Object, reason: str, message: str) -> list[dict[str, Any]]:
        """The first failure stays until it is over: its message names a pod that never was, and each try another."""
        old = (replica_set.get("status") or {}).get("conditions") or []
        kind = {"type": "ReplicaFailure", "status": "True", "lastTransitionTime": self.api.clock.timestamp}
        return old or [{**kind, "reason": reason, "message": message}]

    def _is_available(self, key: Key, item: Key, seconds: int) -> bool:
        """Ready for `minReadySeconds`; if not yet, look again when it will be."""
        if not seconds:
            return True
        left = ready_since(self.store.get(item) or {}) + seconds - self.api.clock.now
        if left > 0:
            self.after(left, key)
        return left <= 0


def ready_since(pod: Object) -> float:
    """Epoch seconds of the last change of the Ready condition; infinity when it is not ready."""
    for item in (pod.get("status") or {}).get("conditions") or ():
        if item["type"] == "Ready" and item["status"] == "True":
            return parse_timestamp(item["lastTransitionTime"]) if item.get("lastTransitionTime") else 0.0
    return math.inf


def pod_from(owner: Object) -> Object:
    """A pod as the owner's template describes it."""
    template = owner["spec"]["template"]
    metadata = template.get("metadata") or {}
    return {
        "metadata": {
            **{key: dict(metadata[key]) for key in ("labels", "annotations") if metadata.get(key)},
            **({"finalizers": metadata["finalizers"]} if metadata.get("finalizers") else {}),
            "generateName": f"{owner['metadata']['name']}-",
            "ownerReferences": [owner_reference(owner)],
        },
        "spec": template["spec"],
    }


def victims(pods: list[Object], now: float) -> list[Object]:
    """The pods in the order in which a scale-down takes them (ActivePodsWithRanks; ages by KEP-2185).

    Of two that are ready or exist for about as long - the same power of two of nanoseconds - the UID decides.
    """
    on_node: dict[str, int] = {}
    for pod in pods:
        on_node[pod["spec"].get("nodeName", "")] = on_node.get(pod["spec"].get("nodeName", ""), 0) + 1
    return sorted(pods, key=lambda pod: _rank(pod, on_node, now))


def _rank(pod: Object, on_node: dict[str, int], now: float) -> tuple[Any, ...]:
    status, metadata = pod.get("status") or {}, pod["metadata"]
    ready = is_ready(pod)
    since = ready_since(pod)
    restarts = max((item.get("restartCount", 0) for item in status.get("containerStatuses") or ()), default=0)
    try:
        cost = int((metadata.get("annotations") or {}).get(_DELETION_COST, "0"))
    except ValueError:
        cost = 0
    return (
        bool(pod["spec"].get("nodeName")),
        {"Pending": 0, "Unknown": 1, "Running": 2}.get(status.get("phase", "Pending"), 0),
        ready,
        cost,
        -on_node[pod["spec"].get("nodeName", "")],
        _age(since, now) if ready else 0,
        -restarts,
        _age(parse_timestamp(metadata["creationTimestamp"]), now),
        metadata["uid"],
    )


def _age(since: float, now: float) -> int:
    """The power of two of the age in nanoseconds; -1 for what lies in the future."""
    age = round((now - since) * 1e9)
    return age.bit_length() - 1 if age > 0 else -1
