"""The Deployment controller: ReplicaSets by template, rolled, scaled, kept as history, and reported on."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from kubesteward_tools.twin.clock import parse_timestamp
from kubesteward_tools.twin.controllers import rollout
from kubesteward_tools.twin.controllers.base import Base, condition, is_own_report, owner_reference
from kubesteward_tools.twin.controllers.replicasets import REPLICA_SETS
from kubesteward_tools.twin.disruption import controller_of
from kubesteward_tools.twin.engine import Engine, Hears
from kubesteward_tools.twin.memo import Memo
from kubesteward_tools.twin.quota import is_terminal
from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.world.store import Event, Key, Object

DEPLOYMENTS = "deployments.apps"
_REMEMBERED = 10
_NOT_INHERITED = {"kubectl.kubernetes.io/last-applied-configuration", rollout.REVISION}


class Deployments(Base):
    component = "deployment-controller"
    hears = Hears(DEPLOYMENTS, REPLICA_SETS, "pods")

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._gone: Memo[str, list[Object]] = Memo()

    def watches(self, event: Event) -> Iterable[Hashable]:
        resource, namespace = event.key.resource, event.key.namespace
        if resource == DEPLOYMENTS:
            if event.type == "DELETED":
                self._gone.pop(event.obj["metadata"]["uid"], None)
            elif not is_own_report(event):
                yield event.key
        elif resource == REPLICA_SETS:
            for obj in (event.obj, event.old):
                if obj is not None and (name := self.owner(obj, "Deployment")):
                    yield Key(DEPLOYMENTS, namespace, name)
            if event.type == "DELETED" and (above := controller_of(event.obj)):
                self._gone[above["uid"]] = [*self._gone.get(above["uid"], ())[-_REMEMBERED:], event.obj]
        elif resource == "pods" and event.type == "DELETED":
            yield from self._recreating(event)

    def _recreating(self, event: Event) -> Iterable[Key]:
        """A Recreate roll-out waits for the last old pod to go."""
        owner = self.owner(event.obj, "ReplicaSet")
        replica_set = self.store.get(Key(REPLICA_SETS, event.key.namespace, owner)) if owner else None
        if replica_set is not None and (name := self.owner(replica_set, "Deployment")):
            yield Key(DEPLOYMENTS, event.key.namespace, name)

    def reconcile(self, key: Hashable) -> None:
        if not isinstance(key, Key) or (deployment := self.store.get(key)) is None:
            return
        sets = self._claimed(deployment)
        if "deletionTimestamp" in deployment["metadata"]:
            self._report(key, sets)
            return
        if deployment["spec"].get("paused") or self._was_scaled(deployment, sets):
            self._scale(deployment, sets)
        elif rollout.is_rolling(deployment):
            self._roll(deployment, sets)
        else:
            self._recreate(deployment, sets)
        if (current := self.store.get(key)) is not None:
            sets = self._claimed(current)
            self._report(key, sets)
            self._forget_history(current, sets)

    def _claimed(self, deployment: Object) -> list[Object]:
        """Its ReplicaSets, oldest first; matching orphans are adopted, those that match no longer are let go."""
        uid, selector = deployment["metadata"]["uid"], deployment["spec"].get("selector")
        for key, item in self.owned(uid, REPLICA_SETS):
            if not matches(selector, item["metadata"].get("labels")):
                others = [ref for ref in item["metadata"]["ownerReferences"] if ref["uid"] != uid]
                self.api.replace(key, {**item, "metadata": {**item["metadata"], "ownerReferences": others}})
        if "deletionTimestamp" not in deployment["metadata"]:
            self._adopt(deployment, selector)
        found = [item for _, item in self.owned(uid, REPLICA_SETS)]
        return sorted(found, key=lambda item: (item["metadata"]["creationTimestamp"], item["metadata"]["name"]))

    def _adopt(self, deployment: Object, selector: Any) -> None:
        for key in self.store.orphaned_sets(deployment["metadata"]["namespace"]):
            item = self.store.get(key)
            if item is not None and matches(selector, item["metadata"].get("labels")):
                references = [*(item["metadata"].get("ownerReferences") or ()), owner_reference(deployment)]
                self.api.replace(key, {**item, "metadata": {**item["metadata"], "ownerReferences": references}})

    def _newest(self, deployment: Object, sets: list[Object]) -> Object | None:
        return next((item for item in sets if rollout.same_template(item, deployment)), None)

    def _was_scaled(self, deployment: Object, sets: list[Object]) -> bool:
        wanted = str(deployment["spec"].get("replicas", 1))
        active = [item for item in sets if item["spec"].get("replicas", 0) > 0]
        return any(
            (item["metadata"].get("annotations") or {}).get(rollout.DESIRED, wanted) != wanted for item in active
        )

    def _ensure_new(self, deployment: Object, sets: list[Object]) -> Object:
        """The ReplicaSet of the current template, with the highest revision; made when it is missing."""
        new = self._newest(deployment, sets)
        highest = max((rollout.revision_of(item) for item in sets if item is not new), default=0)
        if new is None:
            new = self._create(deployment, sets, highest + 1)
        elif rollout.revision_of(new) <= highest:
            new = self._annotate(new, {rollout.REVISION: str(highest + 1)})
        revision = str(rollout.revision_of(new))
        if (deployment["metadata"].get("annotations") or {}).get(rollout.REVISION) != revision:
            self._mark_revision(deployment, revision)
        return new

    def _mark_revision(self, deployment: Object, revision: str) -> None:
        key = Key(DEPLOYMENTS, deployment["metadata"]["namespace"], deployment["metadata"]["name"])
        current = self.store.get(key) or deployment
        annotations = {**(current["metadata"].get("annotations") or {}), rollout.REVISION: revision}
        self.api.replace(key, {**current, "metadata": {**current["metadata"], "annotations": annotations}})

    def _create(self, deployment: Object, sets: list[Object], revision: int) -> Object:
        metadata, spec = deployment["metadata"], deployment["spec"]
        template = spec["template"]
        mark = self._hash(deployment)
        labels = {**((template.get("metadata") or {}).get("labels") or {}), rollout.HASH: mark}
        selector = spec["selector"]
        wanted = rollout.new_replicas(deployment, sets, None)
        own = {k: v for k, v in (metadata.get("annotations") or {}).items() if k not in _NOT_INHERITED}
        new = {
            "metadata": {
                "name": f"{metadata['name']}-{mark}",
                "labels": labels,
                "annotations": own | self._marks(deployment) | {rollout.REVISION: str(revision)},
                "ownerReferences": [owner_reference(deployment)],
            },
            "spec": {
                "replicas": wanted,
                "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), rollout.HASH: mark}},
                "template": {**template, "metadata": {**(template.get("metadata") or {}), "labels": labels}},
                **({"minReadySeconds": spec["minReadySeconds"]} if spec.get("minReadySeconds") else {}),
            },
        }
        try:
            made = self.api.create(REPLICA_SETS, metadata["namespace"], new, user=self.user)
        except ApiError as error:
            message = f'Failed to create new replica set "{new["metadata"]["name"]}": {error.message}'
            self.event(deployment, "Warning", "ReplicaSetCreateError", message)
            self._progress(deployment, "False", "ReplicaSetCreateError", message)
            raise
        if wanted:
            self._tell_scaled(deployment, "up", made, 0, wanted)
        return made

    def _hash(self, deployment: Object) -> str:
        """The same template has the same hash again, so that a ReplicaSet finds the pods of one that went before it."""
        for item in self._gone.get(deployment["metadata"]["uid"], ()):
            mark = (item["metadata"].get("labels") or {}).get(rollout.HASH)
            if mark and rollout.same_template(item, deployment):
                return str(mark)
        collisions = (deployment.get("status") or {}).get("collisionCount", 0)
        return rollout.template_hash(deployment["spec"]["template"], collisions)

    def _marks(self, deployment: Object) -> dict[str, str]:
        wanted = deployment["spec"].get("replicas", 1)
        surge = rollout.bounds(deployment)[0] if rollout.is_rolling(deployment) else 0
        return {rollout.DESIRED: str(wanted), rollout.MAXIMUM: str(wanted + surge)}

    def _annotate(self, item: Object, marks: dict[str, str]) -> Object:
        annotations = item["metadata"].get("annotations") or {}
        if marks.items() <= annotations.items():
            return item
        key = Key(REPLICA_SETS, item["metadata"]["namespace"], item["metadata"]["name"])
        current = self.store.get(key) or item
        metadata = {**current["metadata"], "annotations": {**annotations, **marks}}
        return self.api.replace(key, {**current, "metadata": metadata})

    def _set_replicas(self, deployment: Object, item: Object, replicas: int) -> None:
        has, metadata = item["spec"].get("replicas", 0), item["metadata"]
        item = self._annotate(item, self._marks(deployment))
        if has == replicas:
            return
        new = {**item, "spec": {**item["spec"], "replicas": replicas}}
        self.api.update(REPLICA_SETS, metadata["namespace"], metadata["name"], new, user=self.user)
        self._tell_scaled(deployment, "up" if replicas > has else "down", item, has, replicas)

    def _tell_scaled(self, deployment: Object, way: str, item: Object, before: int, after: int) -> None:
        message = f"Scaled {way} replica set {item['metadata']['name']} from {before} to {after}"
        self.event(deployment, "Normal", "ScalingReplicaSet", message)

    def _scale(self, deployment: Object, sets: list[Object]) -> None:
        """Keep the proportions of a roll-out under way; a paused Deployment without one makes no ReplicaSet."""
        new = self._newest(deployment, sets)
        active = [item for item in sets if item["spec"].get("replicas", 0) > 0]
        if len(active) <= 1:
            target = active[0] if active else (new or (sets[-1] if sets else None))
            if target is not None:
                self._set_replicas(deployment, target, deployment["spec"].get("replicas", 1))
            return
        wanted = deployment["spec"].get("replicas", 1)
        if new is not None and (new.get("status") or {}).get("availableReplicas", 0) >= wanted:
            for item in active:
                self._set_replicas(deployment, item, wanted if item is new else 0)
            return
        if rollout.is_rolling(deployment):
            shares = rollout.proportional(deployment, active)
            for item in active:
                self._set_replicas(deployment, item, shares[item["metadata"]["name"]])

    def _roll(self, deployment: Object, sets: list[Object]) -> None:
        new = self._ensure_new(deployment, sets)
        sets = self._claimed(self._fresh(deployment))
        new = next(item for item in sets if item["metadata"]["name"] == new["metadata"]["name"])
        target = self._new_target(deployment, sets, new)
        if target != new["spec"].get("replicas", 0):
            self._set_replicas(deployment, new, target)
            return
        self._annotate(new, self._marks(deployment))
        self._shrink_old(deployment, sets, new)

    def _new_target(self, deployment: Object, sets: list[Object], new: Object) -> int:
        wanted, has = deployment["spec"].get("replicas", 1), new["spec"].get("replicas", 0)
        return int(wanted) if has > wanted else rollout.new_replicas(deployment, sets, new)

    def _fresh(self, deployment: Object) -> Object:
        metadata = deployment["metadata"]
        return self.store.get(Key(DEPLOYMENTS, metadata["namespace"], metadata["name"])) or deployment

    def _shrink_old(self, deployment: Object, sets: list[Object], new: Object) -> None:
        """Old pods go as new ones become available; the unhealthy among them first, for they are no loss."""
        old = [item for item in sets if item is not new and item["spec"].get("replicas", 0) > 0]
        if not old:
            return
        wanted = deployment["spec"].get("replicas", 1)
        least = wanted - rollout.bounds(deployment)[1]
        status = new.get("status") or {}
        new_unavailable = new["spec"].get("replicas", 0) - status.get("availableReplicas", 0)
        room = rollout.replicas_of(sets) - least - new_unavailable
        if room <= 0:
            return
        for index, item in enumerate(old):
            unhealthy = item["spec"]["replicas"] - (item.get("status") or {}).get("availableReplicas", 0)
            cut = min(room, max(0, unhealthy))
            if cut:
                room -= cut
                self._set_replicas(deployment, item, item["spec"]["replicas"] - cut)
                old[index] = (
                    self.store.get(Key(REPLICA_SETS, item["metadata"]["namespace"], item["metadata"]["name"])) or item
                )
        spare = rollout.available_of(sets) - least
        for item in old:
            cut = min(max(0, spare), item["spec"]["replicas"])
            if cut:
                spare -= cut
                self._set_replicas(deployment, item, item["spec"]["replicas"] - cut)

    def _recreate(self, deployment: Object, sets: list[Object]) -> None:
        new = self._newest(deployment, sets)
        old = [item for item in sets if item is not new]
        active = [item for item in old if item["spec"].get("replicas", 0) > 0]
        for item in active:
            self._set_replicas(deployment, item, 0)
        if active or any(self._has_pods(item) for item in old):
            return
        new = self._ensure_new(deployment, sets)
        self._set_replicas(deployment, new, deployment["spec"].get("replicas", 1))

    def _has_pods(self, item: Object) -> bool:
        return any(not is_terminal(pod) for _, pod in self.owned(item["metadata"]["uid"], "pods"))

    def _forget_history(self, deployment: Object, sets: list[Object]) -> None:
        limit = deployment["spec"].get("revisionHistoryLimit", 10)
        new = self._newest(deployment, sets)
        idle = [
            item
            for item in sets
            if item is not new
            and not item["spec"].get("replicas")
            and not (item.get("status") or {}).get("replicas")
            and "deletionTimestamp" not in item["metadata"]
        ]
        done = (new.get("status") or {}).get("availableReplicas", 0) if new else -1
        if done < deployment["spec"].get("replicas", 1):
            return
        for item in sorted(idle, key=rollout.revision_of)[: max(0, len(idle) - limit)]:
            self.api.delete(REPLICA_SETS, item["metadata"]["namespace"], item["metadata"]["name"])

    def _report(self, key: Key, sets: list[Object]) -> None:
        """Write the status from the ReplicaSets' own."""
        deployment = self.store.get(key)
        if deployment is None:
            return
        new = self._newest(deployment, sets)
        totals = {
            "replicas": sum((item.get("status") or {}).get("replicas", 0) for item in sets),
            "updatedReplicas": (new.get("status") or {}).get("replicas", 0) if new else 0,
            "readyReplicas": sum((item.get("status") or {}).get("readyReplicas", 0) for item in sets),
            "availableReplicas": rollout.available_of(sets),
            "terminatingReplicas": sum((item.get("status") or {}).get("terminatingReplicas", 0) for item in sets),
        }
        wanted = deployment["spec"].get("replicas", 1)
        old = deployment.get("status") or {}
        status = {"observedGeneration": deployment["metadata"].get("generation", 1)}
        status |= {name: value for name, value in totals.items() if value}
        missing = max(0, (wanted if wanted else totals["replicas"]) - totals["availableReplicas"])
        if missing:
            status["unavailableReplicas"] = missing
        status["conditions"] = self._conditions(key, deployment, new, sets, totals)
        if "collisionCount" in old:
            status["collisionCount"] = old["collisionCount"]
        self.api.update_status(*key, status)

    def _conditions(
        self, key: Key, deployment: Object, new: Object | None, sets: list[Object], totals: dict[str, int]
    ) -> list[dict[str, Any]]:
        old, now = deployment.get("status") or {}, self.api.clock.timestamp
        conditions = [item for item in old.get("conditions") or [] if item["type"] != "ReplicaFailure"]
        wanted = deployment["spec"].get("replicas", 1)
        least = wanted - rollout.bounds(deployment)[1] if rollout.is_rolling(deployment) else wanted
        enough = totals["availableReplicas"] >= least
        conditions = condition(
            conditions,
            now,
            kind="Available",
            value="True" if enough else "False",
            reason="MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
            message=f"Deployment {'has' if enough else 'does not have'} minimum availability.",
        )
        conditions = self._progressing(key, deployment, new, totals, conditions)
        failures = [item for one in sets for item in (one.get("status") or {}).get("conditions") or ()]
        if failures:
            first = failures[0]
            conditions = condition(
                conditions, now, kind="ReplicaFailure", value="True", reason=first["reason"], message=first["message"]
            )
        return conditions

    def _progressing(
        self,
        key: Key,
        deployment: Object,
        new: Object | None,
        totals: dict[str, int],
        conditions: list[dict[str, Any]],
    ) -> list[dict[str, Any]]:
        spec, old = deployment["spec"], deployment.get("status") or {}
        current = next((item for item in conditions if item["type"] == "Progressing"), None)
        if spec.get("paused"):
            words = "DeploymentPaused", "Deployment is paused"
            value = "Unknown"
        elif new is None:
            return conditions
        elif _complete(spec, totals):
            words = "NewReplicaSetAvailable", f'ReplicaSet "{new["metadata"]["name"]}" has successfully progressed.'
            value = "True"
        elif current and current["reason"] == "ProgressDeadlineExceeded" and not _moved(old, totals):
            return conditions
        else:
            value, words = self._still_going(key, deployment, new, totals, current)
        return condition(
            conditions, self.api.clock.timestamp, kind="Progressing", value=value, reason=words[0], message=words[1]
        )

    def _still_going(
        self, key: Key, deployment: Object, new: Object, totals: dict[str, int], current: dict[str, Any] | None
    ) -> tuple[str, tuple[str, str]]:
        """Progressing, or not any more: the deadline counts from the last step forward."""
        name, deadline = new["metadata"]["name"], deployment["spec"].get("progressDeadlineSeconds", 600)
        going = ("True", ("ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.'))
        fresh = current is None or _moved(deployment.get("status") or {}, totals)
        if fresh or current is None or name not in current["message"] or current["reason"] == "NewReplicaSetAvailable":
            self.after(deadline + 1, key, idle=True)
            return going
        if self.api.clock.now - parse_timestamp(current["lastUpdateTime"]) < deadline:
            return current["status"], (current["reason"], current["message"])
        return "False", ("ProgressDeadlineExceeded", f'ReplicaSet "{name}" has timed out progressing.')

    def _progress(self, deployment: Object, value: str, reason: str, message: str) -> None:
        metadata, old = deployment["metadata"], deployment.get("status") or {}
        conditions = condition(
            old.get("conditions") or [],
            self.api.clock.timestamp,
            kind="Progressing",
            value=value,
            reason=reason,
            message=message,
        )
        self.api.update_status(DEPLOYMENTS, metadata["namespace"], metadata["name"], {**old, "conditions": conditions})


def _complete(spec: Object, totals: dict[str, int]) -> bool:
    wanted = spec.get("replicas", 1)
    return all(totals[name] == wanted for name in ("updatedReplicas", "replicas", "availableReplicas"))


def _moved(old: Object, totals: dict[str, int]) -> bool:
    """Whether a roll-out has come one step further since the last report."""
    return any(totals[name] > old.get(name, 0) for name in ("updatedReplicas", "readyReplicas", "availableReplicas"))
