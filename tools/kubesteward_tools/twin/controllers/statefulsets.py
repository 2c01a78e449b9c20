"""The StatefulSet controller: one pod for each ordinal, one step after the other, never two under one name.

Docs: "StatefulSets" (guarantees of deployment and scaling, update strategies, forced rollback); KEP-961.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

from kubesteward_tools.twin.controllers import ordinals
from kubesteward_tools.twin.controllers.base import Base, owner_reference
from kubesteward_tools.twin.controllers.replicasets import ready_since
from kubesteward_tools.twin.controllers.retries import GRANTING, Retries
from kubesteward_tools.twin.controllers.revisions import Revisions
from kubesteward_tools.twin.controllers.rollout import resolve
from kubesteward_tools.twin.controllers.templated_claims import TemplatedClaims
from kubesteward_tools.twin.disruption import controller_of, is_ready
from kubesteward_tools.twin.engine import Engine, Hears
from kubesteward_tools.twin.memo import Memo
from kubesteward_tools.twin.quota import is_terminal
from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.world.store import Event, Key, Object

STATEFUL_SETS = "statefulsets.apps"
_HASH = "controller.kubernetes.io/hash"


@dataclass(frozen=True, slots=True)
class _Turn:
    """One look at one set: what there is, by ordinal, and the two revisions that its pods may be of."""

    key: Key
    obj: Object
    current: Object
    update: Object
    pods: dict[int, Object]

    @property
    def spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = self.obj["spec"]
        return spec

    @property
    def ordered(self) -> bool:
        return bool(self.spec.get("podManagementPolicy", "OrderedReady") == "OrderedReady")

    @property
    def rolling(self) -> dict[str, Any] | None:
        """The parameters of a rolling update; None when pods are only replaced by who deletes them."""
        strategy = self.spec.get("updateStrategy") or {}
        return None if strategy.get("type") == "OnDelete" else strategy.get("rollingUpdate") or {}

    @property
    def condemned(self) -> list[int]:
        """The ordinals that are too many, in the order in which they go."""
        return sorted(set(self.pods) - set(ordinals.wanted(self.obj)), reverse=True)

    def revision_for(self, ordinal: int) -> Object:
        """Below the partition a pod comes back as it was."""
        partition = (self.rolling or {}).get("partition", 0)
        return self.current if ordinal < ordinals.wanted(self.obj).start + partition else self.update


class StatefulSets(Base):
    component = "statefulset-controller"
    hears = Hears(STATEFUL_SETS, "pods", "persistentvolumeclaims", *GRANTING)

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._revisions = Revisions(self, _HASH)
        self._claims = TemplatedClaims(self)
        self._retries = Retries(self, STATEFUL_SETS)
        self._templates: Memo[str, Object] = Memo()

    def watches(self, event: Event) -> Iterable[Hashable]:
        self._retries.hear(event)
        key = event.key
        if key.resource == STATEFUL_SETS and event.type != "DELETED":
            self._note_template(event)
            yield key
        elif key.resource == "pods":
            owners = {name for obj in (event.obj, event.old) if obj and (name := self.owner(obj, "StatefulSet"))}
            yield from (Key(STATEFUL_SETS, key.namespace, name) for name in sorted(owners))
            if not owners:
                yield from self._would_adopt(event)
        elif key.resource == "persistentvolumeclaims" and event.type == "DELETED":
            for item, stateful_set in self.store.items(STATEFUL_SETS, key.namespace):
                if stateful_set["spec"].get("volumeClaimTemplates"):
                    yield item

    def _note_template(self, event: Event) -> None:
        """What the set was before it is changed, for sets whose history nobody could read."""
        if event.old is not None and event.old["spec"]["template"] != event.obj["spec"]["template"]:
            self._templates.setdefault(event.obj["metadata"]["uid"], event.old["spec"]["template"])

    def _would_adopt(self, event: Event) -> Iterable[Key]:
        parent = event.key.name.rpartition("-")[0]
        stateful_set = self.store.get(Key(STATEFUL_SETS, event.key.namespace, parent))
        if stateful_set and matches(stateful_set["spec"].get("selector"), event.obj["metadata"].get("labels")):
            yield Key(STATEFUL_SETS, event.key.namespace, parent)

    def reconcile(self, key: Hashable) -> None:
        if not isinstance(key, Key) or (obj := self.store.get(key)) is None:
            return
        current, update = self._history(obj)
        obj = self.store.get(key) or obj
        turn = _Turn(key, obj, current, update, self._pods(obj))
        if "deletionTimestamp" not in obj["metadata"]:
            self._act(turn)
        self._report(turn)
        self._revisions.forget(obj, lambda: self._live(turn))

    def _live(self, turn: _Turn) -> set[str]:
        """The hashes of the revisions that pods are of, or are to be."""
        names = {ordinals.revision_of(pod) for pod in turn.pods.values()}
        marks = {self._revisions.mark(revision) for revision in (turn.current, turn.update)}
        return marks | {name.removeprefix(f"{turn.key.name}-") for name in names}

    def _history(self, obj: Object) -> tuple[Object, Object]:
        """The revision that the pods come from and the one that they go to."""
        status = obj.get("status") or {}
        if status.get("updateRevision") and not self._revisions.of(obj):
            template = self._templates.get(obj["metadata"]["uid"], obj["spec"]["template"])
            mark = status["updateRevision"].removeprefix(f"{obj['metadata']['name']}-")
            self._revisions.remember(obj, mark, template)
        update = self._revisions.newest(obj)
        named = (item for item in self._revisions.of(obj) if item["metadata"]["name"] == status.get("currentRevision"))
        return next(named, update), update

    def _pods(self, obj: Object) -> dict[int, Object]:
        """By ordinal; orphans of the right name are adopted, pods whose labels have moved away are let go."""
        uid, selector = obj["metadata"]["uid"], obj["spec"].get("selector")
        for key, pod in self.owned(uid, "pods"):
            if not matches(selector, pod["metadata"].get("labels")):
                others = [ref for ref in pod["metadata"]["ownerReferences"] if ref["uid"] != uid]
                self.api.replace(key, {**pod, "metadata": {**pod["metadata"], "ownerReferences": others}})
        if "deletionTimestamp" not in obj["metadata"]:
            self._adopt(obj, selector)
        found = ((ordinals.ordinal_of(obj, pod), pod) for _, pod in self.owned(uid, "pods"))
        return {ordinal: pod for ordinal, pod in found if ordinal is not None}

    def _adopt(self, obj: Object, selector: Any) -> None:
        for key in self.store.selected("pods", obj["metadata"]["namespace"], selector):
            pod = self.store.get(key)
            if pod is None or controller_of(pod) is not None or ordinals.ordinal_of(obj, pod) is None:
                continue
            if "deletionTimestamp" not in pod["metadata"]:
                references = [*(pod["metadata"].get("ownerReferences") or ()), owner_reference(obj)]
                self.api.replace(key, {**pod, "metadata": {**pod["metadata"], "ownerReferences": references}})

    def _act(self, turn: _Turn) -> None:
        """Fill up, then shrink, then update; in order, each only once the one before has nothing left to wait for."""
        try:
            if self._fill(turn) or self._shrink(turn) or turn.rolling is None:
                return
            self._roll(turn, turn.rolling)
        except ApiError:
            self._retries.failed(turn.key, turn.obj["metadata"]["uid"])
        else:
            self._retries.succeeded(turn.obj["metadata"]["uid"])

    def _fill(self, turn: _Turn) -> bool:
        """Whether the pods of wanted ordinals keep anything else from being done."""
        return any(self._bring_up(turn, ordinal) and turn.ordered for ordinal in ordinals.wanted(turn.obj))

    def _bring_up(self, turn: _Turn, ordinal: int) -> bool:
        """Whether this ordinal is still to be waited for."""
        pod = turn.pods.get(ordinal)
        if pod is None:
            self._create(turn, ordinal)
            return True
        if is_terminal(pod):
            self._delete(turn, pod)
            return True
        if pod["status"].get("phase") == "Pending":
            self._claims.ensure(turn.obj, ordinal)
        if turn.ordered and not self._is_well(turn, pod):
            return True
        self._restore_identity(turn, ordinal, pod)
        self._claims.retain(turn.obj, pod)
        return False

    def _create(self, turn: _Turn, ordinal: int) -> None:
        if self._claims.are_going(turn.obj, ordinal):
            return
        name = ordinals.name_of(turn.obj, ordinal)
        self._claims.ensure(turn.obj, ordinal)
        try:
            new = ordinals.pod(turn.obj, ordinal, turn.revision_for(ordinal))
            pod = self.api.create("pods", turn.key.namespace, new, user=self.user)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                message = f"Create Pod {name} in StatefulSet {turn.key.name} failed error: {error.message}"
                self.event(turn.obj, "Warning", "FailedCreate", message)
            raise
        message = f"Create Pod {name} in StatefulSet {turn.key.name} successful"
        self.event(turn.obj, "Normal", "SuccessfulCreate", message)
        self._claims.retain(turn.obj, pod)

    def _delete(self, turn: _Turn, pod: Object) -> None:
        if "deletionTimestamp" in pod["metadata"]:
            return
        name = pod["metadata"]["name"]
        self.api.delete("pods", turn.key.namespace, name, options={})
        message = f"Delete Pod {name} in StatefulSet {turn.key.name} successful"
        self.event(turn.obj, "Normal", "SuccessfulDelete", message)

    def _restore_identity(self, turn: _Turn, ordinal: int, pod: Object) -> None:
        wanted, labels = ordinals.identity(turn.obj, ordinal), pod["metadata"].get("labels") or {}
        if not wanted.items() <= labels.items() and "deletionTimestamp" not in pod["metadata"]:
            key = Key("pods", turn.key.namespace, pod["metadata"]["name"])
            self.api.replace(key, {**pod, "metadata": {**pod["metadata"], "labels": {**labels, **wanted}}})

    def _shrink(self, turn: _Turn) -> bool:
        """Whether pods that are too many keep the update waiting. An unready pod holds up all but its own going."""
        everyone = [*ordinals.wanted(turn.obj), *reversed(turn.condemned)]
        sick = next((item for item in everyone if not self._is_well(turn, turn.pods.get(item))), None)
        for ordinal in turn.condemned:
            self._claims.retain(turn.obj, turn.pods[ordinal])
        for ordinal in turn.condemned:
            pod = turn.pods[ordinal]
            if not turn.ordered:
                self._delete(turn, pod)
                continue
            if "deletionTimestamp" not in pod["metadata"] and (ordinal == sick or self._is_well(turn, pod)):
                self._delete(turn, pod)
            return True
        return False

    def _roll(self, turn: _Turn, rolling: dict[str, Any]) -> None:
        """Replace outdated pods from the top; by default one, and none while another is not well."""
        whole = ordinals.wanted(turn.obj)
        targets = whole[rolling.get("partition", 0) :]
        if rolling.get("maxUnavailable") is not None:
            most = max(1, resolve(rolling["maxUnavailable"], len(whole), up=False))
            spare = most - sum(not self._is_well(turn, turn.pods.get(item)) for item in whole)
            outdated = [pod for item in reversed(targets) if (pod := self._outdated(turn, item))]
            for pod in outdated[: max(0, spare)]:
                self._delete(turn, pod)
            return
        for ordinal in reversed(targets):
            if outdated_pod := self._outdated(turn, ordinal):
                self._delete(turn, outdated_pod)
                return
            if not self._is_well(turn, turn.pods.get(ordinal)):
                return

    def _outdated(self, turn: _Turn, ordinal: int) -> Object | None:
        pod = turn.pods.get(ordinal)
        if pod is None or "deletionTimestamp" in pod["metadata"]:
            return None
        return pod if ordinals.revision_of(pod) != turn.update["metadata"]["name"] else None

    def _is_well(self, turn: _Turn, pod: Object | None) -> bool:
        """Running, ready for long enough, and staying."""
        return pod is not None and "deletionTimestamp" not in pod["metadata"] and self._is_available(turn, pod)

    def _is_available(self, turn: _Turn, pod: Object) -> bool:
        if not is_running_and_ready(pod):
            return False
        left = ready_since(pod) + turn.spec.get("minReadySeconds", 0) - self.api.clock.now
        if turn.spec.get("minReadySeconds") and left > 0:
            self.after(left, turn.key)
            return False
        return True

    def _report(self, turn: _Turn) -> None:
        obj = self.store.get(turn.key)
        if obj is None:
            return
        pods, wanted = list(self._pods(obj).values()), obj["spec"].get("replicas", 1)
        staying = [ordinals.revision_of(pod) for pod in pods if "deletionTimestamp" not in pod["metadata"]]
        current, update = turn.current["metadata"]["name"], turn.update["metadata"]["name"]
        updated, ready = staying.count(update), sum(map(is_running_and_ready, pods))
        if turn.rolling is not None and updated == ready == len(pods) == wanted:
            current = update
        status = {
            "observedGeneration": obj["metadata"].get("generation", 1),
            "replicas": len(pods),
            "readyReplicas": ready,
            "currentReplicas": staying.count(current),
            "updatedReplicas": updated,
            "currentRevision": current,
            "updateRevision": update,
            "collisionCount": (obj.get("status") or {}).get("collisionCount", 0),
            "availableReplicas": sum(self._is_available(turn, pod) for pod in pods),
        }
        omitted = {"readyReplicas", "currentReplicas", "updatedReplicas"}
        self.api.update_status(
            *turn.key, {name: value for name, value in status.items() if value or name not in omitted}
        )


def is_running_and_ready(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") == "Running" and is_ready(pod)
