"""The DaemonSet controller: one pod on every node that fits, replaced node by node when the template changes.

Docs: "DaemonSet"; KEP-1591 (maxSurge).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from kubesteward_tools.twin.controllers import daemon_rollout, daemons
from kubesteward_tools.twin.controllers.base import Base, is_own_report, owner_reference
from kubesteward_tools.twin.controllers.daemon_rollout import Place
from kubesteward_tools.twin.controllers.fitting import Fits, Fitting
from kubesteward_tools.twin.controllers.replicasets import is_active, ready_since
from kubesteward_tools.twin.controllers.retries import GRANTING, Retries
from kubesteward_tools.twin.controllers.revisions import POD_LABEL, Revisions
from kubesteward_tools.twin.disruption import controller_of, is_ready
from kubesteward_tools.twin.engine import Engine, Hears
from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.world.store import Event, Key, Object

DAEMON_SETS = "daemonsets.apps"
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 900.0

Pods = dict[str, list[Object]]
"""By the node that they are on or for, oldest first."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """One look at one DaemonSet: its newest revision's hash, its pods, and which nodes they fit."""

    key: Key
    obj: Object
    mark: str
    pods: Pods
    fits: Fits

    @property
    def desired(self) -> int:
        return sum(wanted for wanted, _ in self.fits.values())

    def is_new(self, pod: Object) -> bool:
        return daemons.is_updated(self.obj, pod, self.mark)


class DaemonSets(Base):
    component = "daemonset-controller"
    hears = Hears(DAEMON_SETS, "pods", "nodes", *GRANTING)

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._revisions = Revisions(self, POD_LABEL)
        self._retries = Retries(self, DAEMON_SETS)
        self._pauses: dict[tuple[str, int, str], tuple[float, float]] = {}
        self._fitting = Fitting(self.store)
        self._strays: set[Key] = set()

    def watches(self, event: Event) -> Iterable[Hashable]:
        self._retries.hear(event)
        key = event.key
        if key.resource == DAEMON_SETS and event.type != "DELETED":
            if not is_own_report(event):
                self._strays.add(key)
                yield key
        elif key.resource == "pods":
            yield from self._of_pod(event)
        elif key.resource == "nodes" and (event.type == "DELETED" or _where(event.old) != _where(event.obj)):
            yield from self._of_node(event)

    def _of_pod(self, event: Event) -> Iterable[Key]:
        """Of a pod's many states only those that count wake its owner; a pod that is nobody's may become somebody's."""
        owners = {name for obj in (event.obj, event.old) if obj and (name := self.owner(obj, "DaemonSet"))}
        counts = event.type != "MODIFIED" or _counts_as(event.old) != _counts_as(event.obj)
        relabelled = event.old is not None and _belongs(event.old) != _belongs(event.obj)
        for name in sorted(owners):
            key = Key(DAEMON_SETS, event.key.namespace, name)
            strays = relabelled and not self._selects(key, event.obj)
            if strays:
                self._strays.add(key)
            if counts or strays:
                yield key
        if controller_of(event.obj) is None and event.type != "DELETED":
            for key in self.store.keys(DAEMON_SETS, event.key.namespace):
                if self._selects(key, event.obj):
                    self._strays.add(key)
                    yield key

    def _selects(self, key: Key, pod: Object) -> bool:
        selector = ((self.store.get(key) or {}).get("spec") or {}).get("selector")
        return matches(selector, pod["metadata"].get("labels"))

    def _of_node(self, event: Event) -> Iterable[Key]:
        """Those that must act. A pod that may stay where none would be put now is no reason to look again."""
        found = (self.store.facts(key) for key in self.store.pods_on(event.key.name))
        here = {owner for facts in found if facts for owner in facts.owners}
        for key, daemon_set in self.store.items(DAEMON_SETS):
            wanted, may_stay = daemons.fits(daemon_set, event.obj)
            is_here = daemon_set["metadata"]["uid"] in here
            misplaced = is_here and (daemon_set.get("status") or {}).get("numberMisscheduled", 0) > 0
            if event.type == "DELETED" or (not may_stay if is_here else wanted) or misplaced:
                yield key

    def reconcile(self, key: Hashable) -> None:
        if not isinstance(key, Key) or (obj := self.store.get(key)) is None or "deletionTimestamp" in obj["metadata"]:
            return
        mark = self._revisions.mark(self._revisions.newest(obj))
        obj = self.store.get(key) or obj
        if key in self._strays:
            self._claim(obj)
            self._strays.discard(key)
        turn = _Turn(key, obj, mark, self._pods(obj), self._fitting.of(obj))
        try:
            if self._manage(turn) or self._roll(turn):
                return  # what was done is a reason to look again, and to report then
        except ApiError:
            self._retries.failed(key, obj["metadata"]["uid"])
            turn = replace(turn, pods=self._pods(obj))
        else:
            self._retries.succeeded(obj["metadata"]["uid"])
        self._report(turn)
        self._revisions.forget(obj, lambda: self._live(turn))

    def _claim(self, obj: Object) -> None:
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

    def _pods(self, obj: Object) -> Pods:
        pods: Pods = {}
        for _, pod in self.owned(obj["metadata"]["uid"], "pods"):
            pods.setdefault(daemons.node_of(pod), []).append(pod)
        for here in pods.values():
            here.sort(key=_age)
        return pods

    def _manage(self, turn: _Turn) -> bool:
        """Pods where there shall be one, none where there shall not. Whether there was anything to do."""
        doomed, lacking = list[Object](), list[str]()
        for name, (wanted, may_stay) in turn.fits.items():
            here = turn.pods.get(name, [])
            if len(here) == 1 and may_stay and _is_running(here[0]):
                continue
            staying = [pod for pod in here if "deletionTimestamp" not in pod["metadata"]]
            if not may_stay:
                doomed += staying
                continue
            ended = [pod for pod in staying if not is_active(pod)]
            doomed += [pod for pod in ended if self._may_retry(turn, name, pod)]
            running = [pod for pod in staying if is_active(pod)]
            doomed += self._excess(turn, running)
            if wanted and not (running if daemons.may_surge(turn.obj) else here):
                lacking.append(name)
        doomed += self._nowhere(turn.pods)
        self._delete(turn, doomed)
        self._create(turn, lacking)
        return bool(doomed or lacking)

    def _nowhere(self, pods: Pods) -> list[Object]:
        """Pods that wait for a node which is gone."""
        gone = (found for name, found in pods.items() if self.store.get(Key("nodes", "", name)) is None)
        waiting = (pod for found in gone for pod in found if not pod["spec"].get("nodeName"))
        return [pod for pod in waiting if "deletionTimestamp" not in pod["metadata"]]

    def _excess(self, turn: _Turn, running: list[Object]) -> list[Object]:
        """All but the oldest; with surge, all but the oldest of each kind while the new one is not available."""
        if not daemons.may_surge(turn.obj):
            return running[1:]
        new = [pod for pod in running if turn.is_new(pod)]
        old = [pod for pod in running if pod not in new]
        excess = new[1:] + old[1:]
        if new and old and (not is_ready(old[0]) or self._is_available(turn, new[0])):
            excess.append(old[0])
        return excess

    def _may_retry(self, turn: _Turn, node: str, pod: Object) -> bool:
        """A pod that has ended is made anew; one that fails again and again, ever later."""
        key, obj = turn.key, turn.obj
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

    def _roll(self, turn: _Turn) -> bool:
        """The next step of a rolling update. Whether there is one."""
        if (turn.obj["spec"].get("updateStrategy") or {}).get("type") == "OnDelete":
            return False
        if all(turn.is_new(pod) for here in turn.pods.values() for pod in here):
            return False
        places = [_place(turn, name) for name, (wanted, _) in turn.fits.items() if wanted or name in turn.pods]
        surge, unavailable = daemons.bounds(turn.obj, turn.desired)

        def available(pod: Object) -> bool:
            return self._is_available(turn, pod)

        if surge:
            step = daemon_rollout.surging(places, surge, turn.desired, available)
        else:
            step = daemon_rollout.replacing(places, unavailable, available)
        self._delete(turn, step.doomed)
        self._create(turn, step.nodes)
        return bool(step.doomed or step.nodes)

    def _create(self, turn: _Turn, nodes: list[str]) -> None:
        for node in nodes:
            new = daemons.pod(turn.obj, node, turn.mark)
            try:
                pod = self.api.create("pods", turn.key.namespace, new, user=self.user)
            except ApiError as error:
                self.event(turn.obj, "Warning", "FailedCreate", f"Error creating: {error.message}")
                raise
            self.event(turn.obj, "Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")

    def _delete(self, turn: _Turn, doomed: list[Object]) -> None:
        for pod in doomed:
            self.api.delete("pods", turn.key.namespace, pod["metadata"]["name"], options={})
            self.event(turn.obj, "Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")

    def _is_available(self, turn: _Turn, pod: Object) -> bool:
        """Ready for `minReadySeconds`; if not yet, look again when it will be."""
        if not is_ready(pod):
            return False
        seconds = turn.obj["spec"].get("minReadySeconds", 0)
        left = ready_since(pod) + seconds - self.api.clock.now if seconds else 0.0
        if left > 0:
            self.after(left, turn.key)
        return left <= 0

    def _report(self, turn: _Turn) -> None:
        """Only the oldest pod of a node counts: one that surges does not show."""
        counts = dict.fromkeys(("current", "misscheduled", "ready", "updated", "available"), 0)
        for name, (wanted, _) in turn.fits.items():
            here = turn.pods.get(name)
            if not here:
                continue
            if not wanted:
                counts["misscheduled"] += 1
                continue
            counts["current"] += 1
            counts["ready"] += is_ready(here[0])
            counts["available"] += self._is_available(turn, here[0])
            counts["updated"] += turn.is_new(here[0])
        self.api.update_status(*turn.key, _status(turn.obj, {**counts, "desired": turn.desired}))

    def _live(self, turn: _Turn) -> set[str]:
        labels = (pod["metadata"].get("labels") or {} for here in turn.pods.values() for pod in here)
        return {turn.mark, *(str(found.get(POD_LABEL)) for found in labels)}


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


def _place(turn: _Turn, node: str) -> Place:
    staying = [pod for pod in turn.pods.get(node, ()) if "deletionTimestamp" not in pod["metadata"]]
    new = tuple(pod for pod in staying if turn.is_new(pod))
    return Place(node, turn.fits[node][0], new, tuple(pod for pod in staying if pod not in new))


def _is_running(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]


def _belongs(pod: Object) -> tuple[Any, ...]:
    metadata = pod["metadata"]
    return metadata.get("labels"), metadata.get("ownerReferences")


def _counts_as(pod: Object | None) -> tuple[Any, ...]:
    if pod is None:
        return ()
    return is_ready(pod), (pod.get("status") or {}).get("phase"), "deletionTimestamp" in pod["metadata"]


def _age(pod: Object) -> tuple[bool, str, str]:
    metadata = pod["metadata"]
    return not pod["spec"].get("nodeName"), metadata.get("creationTimestamp", ""), metadata["name"]


def _where(node: Object | None) -> tuple[Any, ...]:
    """What decides about daemons."""
    if node is None:
        return ()
    return node["metadata"].get("labels"), node["spec"].get("taints"), node["spec"].get("unschedulable")
