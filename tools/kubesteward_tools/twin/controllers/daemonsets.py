"""The DaemonSet controller: one pod on every node that fits, replaced node by node when the template changes.

Docs: "DaemonSet"; KEP-1591 (maxSurge).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from kubesteward_tools.twin.controllers import daemon_rollout, daemons
from kubesteward_tools.twin.controllers.base import Base, owner_reference
from kubesteward_tools.twin.controllers.daemon_rollout import Place
from kubesteward_tools.twin.controllers.replicasets import is_active, ready_since
from kubesteward_tools.twin.controllers.retries import Retries
from kubesteward_tools.twin.controllers.revisions import POD_LABEL, Revisions
from kubesteward_tools.twin.disruption import controller_of, is_ready
from kubesteward_tools.twin.engine import Engine
from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.world.store import Event, Key, Object

DAEMON_SETS = "daemonsets.apps"
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 900.0

Pods = dict[str, list[Object]]
"""By the node that they are on or for, oldest first."""


class DaemonSets(Base):
    component = "daemonset-controller"

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._revisions = Revisions(self, POD_LABEL)
        self._retries = Retries(self, DAEMON_SETS)
        self._pauses: dict[tuple[str, int, str], tuple[float, float]] = {}

    def watches(self, event: Event) -> Iterable[Hashable]:
        self._retries.hear(event)
        key = event.key
        if key.resource == DAEMON_SETS and event.type != "DELETED":
            yield key
        elif key.resource == "pods":
            owners = {name for obj in (event.obj, event.old) if obj and (name := self.owner(obj, "DaemonSet"))}
            yield from (Key(DAEMON_SETS, key.namespace, name) for name in sorted(owners))
            if not owners and controller_of(event.obj) is None:
                yield from self._would_adopt(event)
        elif key.resource == "nodes" and (event.type == "DELETED" or _where(event.old) != _where(event.obj)):
            yield from self._concerned(event)

    def _concerned(self, event: Event) -> Iterable[Key]:
        """Those that must act. A pod that may stay where none would be put now is no reason to look again."""
        here = {owner for key in self.store.pods_on(event.key.name) for owner in self._owners(key)}
        for key, daemon_set in self.store.items(DAEMON_SETS):
            wanted, may_stay = daemons.fits(daemon_set, event.obj)
            is_here = daemon_set["metadata"]["uid"] in here
            misplaced = is_here and (daemon_set.get("status") or {}).get("numberMisscheduled", 0) > 0
            if event.type == "DELETED" or (not may_stay if is_here else wanted) or misplaced:
                yield key

    def _owners(self, pod: Key) -> tuple[str, ...]:
        facts = self.store.facts(pod)
        return tuple(facts.owners) if facts else ()

    def _would_adopt(self, event: Event) -> Iterable[Key]:
        for key, daemon_set in self.store.items(DAEMON_SETS, event.key.namespace):
            if matches(daemon_set["spec"].get("selector"), event.obj["metadata"].get("labels")):
                yield key

    def reconcile(self, key: Hashable) -> None:
        if not isinstance(key, Key) or (obj := self.store.get(key)) is None or "deletionTimestamp" in obj["metadata"]:
            return
        mark = self._revisions.mark(self._revisions.newest(obj))
        obj = self.store.get(key) or obj
        pods = self._pods(obj)
        try:
            rolls = (obj["spec"].get("updateStrategy") or {}).get("type") != "OnDelete"
            if not self._manage(key, obj, pods, mark) and rolls:
                self._roll(key, obj, pods, mark)
        except ApiError:
            self._retries.failed(key, obj["metadata"]["uid"])
        else:
            self._retries.succeeded(obj["metadata"]["uid"])
        self._report(key, mark)
        self._forget(obj)

    def _pods(self, obj: Object) -> Pods:
        """Orphans that match are adopted, pods whose labels have moved away are let go."""
        uid, selector = obj["metadata"]["uid"], obj["spec"].get("selector")
        for key, pod in self.owned(uid, "pods"):
            if not matches(selector, pod["metadata"].get("labels")):
                others = [ref for ref in pod["metadata"]["ownerReferences"] if ref["uid"] != uid]
                self.api.replace(key, {**pod, "metadata": {**pod["metadata"], "ownerReferences": others}})
        for key in self.store.selected("pods", obj["metadata"]["namespace"], selector):
            found = self.store.get(key)
            if found is not None and controller_of(found) is None and is_active(found):
                references = [*(found["metadata"].get("ownerReferences") or ()), owner_reference(obj)]
                self.api.replace(key, {**found, "metadata": {**found["metadata"], "ownerReferences": references}})
        pods: Pods = {}
        for _, pod in sorted(self.owned(uid, "pods"), key=lambda item: _age(item[1])):
            pods.setdefault(daemons.node_of(pod), []).append(pod)
        return pods

    def _manage(self, key: Key, obj: Object, pods: Pods, mark: str) -> bool:
        """Pods where there shall be one, none where there shall not. Whether there was anything to do."""
        doomed, lacking = list[Object](), list[str]()
        for node in self.store.objects("nodes"):
            name = node["metadata"]["name"]
            wanted, may_stay = daemons.fits(obj, node)
            here = pods.get(name, [])
            staying = [pod for pod in here if "deletionTimestamp" not in pod["metadata"]]
            if not may_stay:
                doomed += staying
                continue
            ended = [pod for pod in staying if not is_active(pod)]
            doomed += [pod for pod in ended if self._may_retry(key, obj, name, pod)]
            running = [pod for pod in staying if is_active(pod)]
            doomed += self._excess(key, obj, running, mark)
            if wanted and not (running if daemons.may_surge(obj) else here):
                lacking.append(name)
        doomed += self._nowhere(pods)
        self._delete(key, obj, doomed)
        self._create(key, obj, lacking, mark)
        return bool(doomed or lacking)

    def _nowhere(self, pods: Pods) -> list[Object]:
        """Pods that wait for a node which is gone."""
        gone = (found for name, found in pods.items() if self.store.get(Key("nodes", "", name)) is None)
        waiting = (pod for found in gone for pod in found if not pod["spec"].get("nodeName"))
        return [pod for pod in waiting if "deletionTimestamp" not in pod["metadata"]]

    def _excess(self, key: Key, obj: Object, running: list[Object], mark: str) -> list[Object]:
        """All but the oldest; with surge, all but the oldest of each kind while the new one is not available."""
        if not daemons.may_surge(obj):
            return running[1:]
        new = [pod for pod in running if daemons.is_updated(obj, pod, mark)]
        old = [pod for pod in running if pod not in new]
        excess = new[1:] + old[1:]
        if new and old and (not is_ready(old[0]) or self._is_available(key, obj, new[0])):
            excess.append(old[0])
        return excess

    def _may_retry(self, key: Key, obj: Object, node: str, pod: Object) -> bool:
        """A pod that has ended is made anew; one that fails again and again, ever later."""
        where = f"{key.namespace}/{pod['metadata']['name']} on node {node}"
        if pod["status"]["phase"] == "Succeeded":
            self.event(
                obj, "Normal", "SucceededDaemonPod", f"Found succeeded daemon pod {where}, will try to delete it"
            )
            return True
        metadata = obj["metadata"]
        now, who = self.api.clock.now, (metadata["uid"], metadata.get("generation", 1), node)
        last, pause = self._pauses.get(who, (0.0, 0.0))
        if now - last < pause:
            self.after(last + pause - now, key, idle=True)
            return False
        self._pauses[who] = now, min(max(_FIRST_PAUSE, pause * 2), _LONGEST_PAUSE)
        self.event(obj, "Warning", "FailedDaemonPod", f"Found failed daemon pod {where}, will try to kill it")
        return True

    def _roll(self, key: Key, obj: Object, pods: Pods, mark: str) -> None:
        fit = {name: daemons.fits(obj, node) for (_, _, name), node in self.store.items("nodes")}
        desired = sum(wanted for wanted, _ in fit.values())
        names = [name for name, (wanted, _) in fit.items() if wanted or name in pods]
        places = [_place(obj, name, fit[name][0], pods.get(name, []), mark) for name in names]
        surge, unavailable = daemons.bounds(obj, desired)

        def available(pod: Object) -> bool:
            return self._is_available(key, obj, pod)

        if surge:
            step = daemon_rollout.surging(places, surge, desired, available)
        else:
            step = daemon_rollout.replacing(places, unavailable, available)
        self._delete(key, obj, step.doomed)
        self._create(key, obj, step.nodes, mark)

    def _create(self, key: Key, obj: Object, nodes: list[str], mark: str) -> None:
        for node in nodes:
            try:
                pod = self.api.create("pods", key.namespace, daemons.pod(obj, node, mark), user=self.user)
            except ApiError as error:
                self.event(obj, "Warning", "FailedCreate", f"Error creating: {error.message}")
                raise
            self.event(obj, "Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")

    def _delete(self, key: Key, obj: Object, doomed: list[Object]) -> None:
        for pod in doomed:
            self.api.delete("pods", key.namespace, pod["metadata"]["name"], options={})
            self.event(obj, "Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")

    def _is_available(self, key: Key, obj: Object, pod: Object) -> bool:
        """Ready for `minReadySeconds`; if not yet, look again when it will be."""
        if not is_ready(pod):
            return False
        left = ready_since(pod) + obj["spec"].get("minReadySeconds", 0) - self.api.clock.now
        if obj["spec"].get("minReadySeconds") and left > 0:
            self.after(left, key)
            return False
        return True

    def _report(self, key: Key, mark: str) -> None:
        obj = self.store.get(key)
        if obj is None:
            return
        pods = self._pods(obj)
        counts = dict.fromkeys(("current", "misscheduled", "desired", "ready", "updated", "available"), 0)
        for node in self.store.objects("nodes"):
            here = pods.get(node["metadata"]["name"], [])
            if not daemons.fits(obj, node)[0]:
                counts["misscheduled"] += bool(here)
                continue
            counts["desired"] += 1
            counts["current"] += bool(here)
            for pod in here[:1]:
                counts["ready"] += is_ready(pod)
                counts["available"] += self._is_available(key, obj, pod)
                counts["updated"] += daemons.is_updated(obj, pod, mark)
        self.api.update_status(*key, _status(obj, counts))

    def _forget(self, obj: Object) -> None:
        labels = [pod["metadata"].get("labels") or {} for _, pod in self.owned(obj["metadata"]["uid"], "pods")]
        marks = {found.get(POD_LABEL) for found in labels}
        known = self._revisions.of(obj)
        live = [item["metadata"]["name"] for item in known if self._revisions.mark(item) in marks or item is known[-1]]
        self._revisions.forget(obj, live)


def _status(obj: Object, counts: dict[str, int]) -> dict[str, Any]:
    missing = counts["desired"] - counts["available"]
    collisions = (obj.get("status") or {}).get("collisionCount")
    optional = {
        "observedGeneration": obj["metadata"].get("generation", 1),
        "updatedNumberScheduled": counts["updated"],
        "numberAvailable": counts["available"],
        "numberUnavailable": missing,
        "collisionCount": collisions,
    }
    return {
        "currentNumberScheduled": counts["current"],
        "numberMisscheduled": counts["misscheduled"],
        "desiredNumberScheduled": counts["desired"],
        "numberReady": counts["ready"],
        **{name: value for name, value in optional.items() if value},
    }


def _place(obj: Object, node: str, wanted: bool, pods: list[Object], mark: str) -> Place:
    staying = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    new = tuple(pod for pod in staying if daemons.is_updated(obj, pod, mark))
    return Place(node, wanted, new, tuple(pod for pod in staying if pod not in new))


def _age(pod: Object) -> tuple[bool, str, str]:
    metadata = pod["metadata"]
    return not pod["spec"].get("nodeName"), metadata.get("creationTimestamp", ""), metadata["name"]


def _where(node: Object | None) -> tuple[Any, ...]:
    """What decides about daemons."""
    if node is None:
        return ()
    return node["metadata"].get("labels"), node["spec"].get("taints"), node["spec"].get("unschedulable")
