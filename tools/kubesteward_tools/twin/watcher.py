"""Looks on while a change is played: who lost ready pods, which budgets fell short, what came and went."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.twin import disruption
from kubesteward_tools.twin.clock import Clock
from kubesteward_tools.twin.rehearsal import Step
from kubesteward_tools.world.store import Event, Key, Object, Store

SLICES = "endpointslices.discovery.k8s.io"
_SERVICE_NAME = "kubernetes.io/service-name"
_QUIET = {"events", SLICES, "leases.coordination.k8s.io", "resourcequotas"}
_BUDGETS = "poddisruptionbudgets.policy"
_STEPS = 60
_OWNERS = {
    "ReplicaSet": "replicasets.apps",
    "Deployment": "deployments.apps",
    "StatefulSet": "statefulsets.apps",
    "DaemonSet": "daemonsets.apps",
    "Job": "jobs.batch",
}
SIMULATED_OWNERS = {"DaemonSet", "Deployment", "Job", "ReplicaSet", "StatefulSet"}


def top_controller(store: Store, obj: Object) -> tuple[str, Key] | None:
    """The kind and key of the topmost controller of a pod that is still known."""
    owner = disruption.controller_of(obj)
    if owner is None or owner["kind"] not in _OWNERS:
        return None
    key = Key(_OWNERS[owner["kind"]], obj["metadata"].get("namespace", ""), owner["name"])
    above = store.get(key)
    return (top_controller(store, above) if above is not None else None) or (owner["kind"], key)


def pods_under(store: Store, workload: Key) -> Iterator[tuple[Key, Object]]:
    """The pods of a workload, through its ReplicaSets."""
    return ((key, found) for key in keys_under(store, workload) if (found := store.get(key)) is not None)


def keys_under(store: Store, workload: Key) -> Iterator[Key]:
    facts = store.facts(workload)
    owners = [facts.uid] if facts else []
    for uid in owners:
        for key in store.owned_by(uid):
            if key.resource == "pods":
                yield key
            elif key.resource == "replicasets.apps" and (found := store.facts(key)) and found.uid not in owners:
                owners.append(found.uid)  # at most once: owner references may go in circles


def ready_pods(store: Store, workload: Key) -> int:
    standings = (disruption.standing_of(store, key) for key in keys_under(store, workload))
    return sum(found is not None and found.healthy for found in standings)


def ready_endpoints(store: Store, service: Key) -> int:
    """Ready endpoints that can be reached: those of a slice without ports (a target port nobody has) cannot."""
    with_ports = bool(((store.get(service) or {}).get("spec") or {}).get("ports"))
    return sum(
        bool((item.get("conditions") or {}).get("ready"))
        for key in store.selected(SLICES, service.namespace, {"matchLabels": {_SERVICE_NAME: service.name}})
        if (one := store.get(key)) is not None and (one.get("ports") or not with_ports)
        for item in one.get("endpoints") or ()
    )


class Watcher:
    """Subscribed to the fork's store; `origin` is the store as it was before the change."""

    def __init__(self, origin: Store, store: Store, clock: Clock) -> None:
        self.origin = origin
        self.steps: list[Step] = []
        self.lowest: dict[Key, int] = {}
        self.budget_lowest: dict[Key, int] = {}
        self.touched: dict[Key, str] = {}
        self.seen: set[Key] = set()
        self.started: set[Key] = set()
        self.stopped: dict[Key, Object] = {}
        self._store, self._clock, self._start = store, clock, clock.now
        store.subscribe(self._hear)

    def fork(self, store: Store, clock: Clock) -> Watcher:
        """One that has seen the same, and looks on at a fork of the store from now on."""
        twin = Watcher(self.origin, store, clock)
        twin.steps, twin._start = list(self.steps), self._start
        twin.lowest, twin.budget_lowest = dict(self.lowest), dict(self.budget_lowest)
        twin.touched, twin.stopped = dict(self.touched), dict(self.stopped)
        twin.seen, twin.started = set(self.seen), set(self.started)
        return twin

    def _hear(self, event: Event) -> None:
        key = event.key
        if key.resource == SLICES:
            name = (event.obj["metadata"].get("labels") or {}).get(_SERVICE_NAME)
            if name:
                self._note(Key("services", key.namespace, name), ready_endpoints)
        if key.resource in _QUIET:
            return
        self.seen.add(key)
        self._touch(event)
        if key.resource == "pods":
            self._pod(event)
        elif key.resource == _BUDGETS and event.type == "MODIFIED" and _covers_others(event):
            self._note_budget(key)

    def _touch(self, event: Event) -> None:
        before = self.touched.get(event.key)
        if event.type == "ADDED":
            self.touched[event.key] = "created"
        elif event.type == "DELETED":
            self.touched[event.key] = "" if before == "created" else "deleted"
        elif before is None and event.old is not None and _changed(event.old, event.obj):
            self.touched[event.key] = "changed"
        if len(self.steps) < _STEPS and (what := _words(event)):
            path = "/".join(filter(None, (event.key.namespace, event.key.name)))
            at = round(self._clock.now - self._start, 1)
            self.steps.append(Step(t=at, object=f"{event.key.resource} {path}", what=what))

    def _pod(self, event: Event) -> None:
        key, old = event.key, event.old
        if event.type == "ADDED":
            self.started.add(key)
        elif self.origin.get(key) is not None and (
            event.type == "DELETED" or "deletionTimestamp" in event.obj["metadata"]
        ):
            self.stopped[key] = old or event.obj
        found = top_controller(self._store, old or event.obj)
        if found is not None:
            self._note(found[1], ready_pods)
        for budget_key in self._budgets(event):
            self._note_budget(budget_key)

    def _budgets(self, event: Event) -> Iterator[Key]:
        """Those that cover the pod, and when it was relabelled those that did before."""
        labels, before = event.obj["metadata"].get("labels"), (event.old or event.obj)["metadata"].get("labels")
        yield from self._store.selecting(_BUDGETS, event.key.namespace, labels)
        if before != labels:
            yield from self._store.selecting(_BUDGETS, event.key.namespace, before)

    def _note_budget(self, key: Key) -> None:
        if (budget := self._store.get(key)) is not None:
            healthy = sum(pod.healthy for pod in disruption.pods_of(self._store, budget))
            self.budget_lowest[key] = min(self.budget_lowest.get(key, healthy), healthy)

    def _note(self, key: Key, count: object) -> None:
        measure = ready_endpoints if count is ready_endpoints else ready_pods
        now = measure(self._store, key)
        before = self.lowest.get(key)
        self.lowest[key] = min(before if before is not None else measure(self.origin, key), now)


def _covers_others(event: Event) -> bool:
    """Whether a budget selects by other labels now."""
    before, after = ((item or {}).get("spec") or {} for item in (event.old, event.obj))
    return bool(before.get("selector") != after.get("selector"))


def _changed(old: Object, new: Object) -> bool:
    """Anything but status, and of the metadata what people write."""
    parts = {*old, *new} - {"metadata", "status"}
    before, after = old["metadata"], new["metadata"]
    return any(old.get(part) != new.get(part) for part in parts) or any(
        (before.get(part) or {}) != (after.get(part) or {}) for part in ("labels", "annotations", "finalizers")
    )


def _words(event: Event) -> str:
    if event.type != "MODIFIED":
        return {"ADDED": "created", "DELETED": "gone"}[event.type]
    old, new = event.old or {}, event.obj
    if event.key.resource == "pods":
        if new["spec"].get("nodeName") and not (old.get("spec") or {}).get("nodeName"):
            return f"placed on {new['spec']['nodeName']}"
        if disruption.is_ready(new) and not disruption.is_ready(old):
            return "ready"
        return (
            "stopping" if "deletionTimestamp" in new["metadata"] and "deletionTimestamp" not in old["metadata"] else ""
        )
    before, after = (old.get("spec") or {}).get("replicas"), (new.get("spec") or {}).get("replicas")
    return f"replicas {before} to {after}" if before != after else ""
