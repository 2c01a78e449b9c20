"""Claims get volumes: one that is there and fits, or one that the class's provisioner makes.

Whether a provisioner works is not to be seen in the API: it is taken to do so. Docs: "Persistent Volumes: Lifecycle",
"Storage Classes: Volume binding mode".
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from kubesteward_tools.twin.amounts import amounts
from kubesteward_tools.twin.controllers.base import Base
from kubesteward_tools.twin.controllers.claims import CLAIMS, VOLUMES, claims_of
from kubesteward_tools.twin.engine import Hears
from kubesteward_tools.twin.scheduling.volumes import fits, reachable
from kubesteward_tools.world.store import Event, Key, Object

CLASSES = "storageclasses.storage.k8s.io"
_NO_PROVISIONER = "kubernetes.io/no-provisioner"
_NODE = "volume.kubernetes.io/selected-node"
_PROVISIONER = ("volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner")
_BOUND = {"pv.kubernetes.io/bind-completed": "yes", "pv.kubernetes.io/bound-by-controller": "yes"}


class Volumes(Base):
    component = "persistentvolume-controller"
    hears = Hears(CLAIMS, CLASSES, VOLUMES, "pods")

    def watches(self, event: Event) -> Iterable[Hashable]:
        key, obj = event.key, event.obj
        if key.resource == CLAIMS and event.type != "DELETED" and _is_unbound(obj):
            yield key
        elif key.resource == "pods" and event.type != "DELETED" and obj["spec"].get("nodeName"):
            if event.old is None or not event.old["spec"].get("nodeName"):
                yield from claims_of(obj)
        elif key.resource in {CLASSES, VOLUMES} and event.type != "DELETED":
            yield from self._waiting(event)

    def _waiting(self, event: Event) -> Iterable[Key]:
        """Claims that this class, or this volume while it is nobody's, may be for."""
        name = event.key.name if event.key.resource == CLASSES else event.obj["spec"].get("storageClassName", "")
        if event.key.resource == VOLUMES and (event.obj.get("status") or {}).get("phase") == "Bound":
            return
        for key, claim in self.store.items(CLAIMS):
            if _is_unbound(claim) and (claim["spec"].get("storageClassName") or "") == name:
                yield key

    def reconcile(self, key: Hashable) -> None:
        if not isinstance(key, Key) or (claim := self.store.get(key)) is None or not _is_unbound(claim):
            return
        storage_class = self._class(claim)
        waits = (storage_class or {}).get("volumeBindingMode") == "WaitForFirstConsumer"
        node = self._consumer(key) if waits else None
        if waits and node is None:
            message = "waiting for first consumer to be created before binding"
            self.event(claim, "Normal", "WaitForFirstConsumer", message)
        elif (volume := self._found(claim, node)) is not None:
            self._bind(key, claim, volume)
        elif not claim["spec"].get("volumeName"):
            self._provide(key, claim, storage_class, node)

    def _class(self, claim: Object) -> Object | None:
        return self.store.get(Key(CLASSES, "", claim["spec"].get("storageClassName") or ""))

    def _consumer(self, claim: Key) -> Object | None:
        """The node of a pod that uses the claim."""
        for key, facts in self.store.known("pods", claim.namespace):
            if facts.node and (pod := self.store.get(key)) is not None and claim in claims_of(pod):
                return self.store.get(Key("nodes", "", facts.node))
        return None

    def _found(self, claim: Object, node: Object | None) -> Object | None:
        """The smallest free volume that fits; one that is the claim's by name before all others."""
        named = claim["spec"].get("volumeName")
        free = (
            volume
            for volume in self.store.objects(VOLUMES)
            if (not named or volume["metadata"]["name"] == named)
            and (volume.get("status") or {}).get("phase", "Available") in {"Available", "Pending"}
            and fits(volume, claim)
            and (node is None or reachable(volume, node))
        )
        return min(free, key=_preference, default=None)

    def _provide(self, key: Key, claim: Object, storage_class: Object | None, node: Object | None) -> None:
        if storage_class is None:
            name = claim["spec"].get("storageClassName")
            message = "no persistent volumes available for this claim and no storage class is set"
            if name:
                message = f'storageclass.storage.k8s.io "{name}" not found'
            self.event(
                claim, "Warning" if name else "Normal", "ProvisioningFailed" if name else "FailedBinding", message
            )
            return
        if storage_class["provisioner"] != _NO_PROVISIONER:
            self._provision(key, claim, storage_class, node)

    def _provision(self, key: Key, claim: Object, storage_class: Object, node: Object | None) -> None:
        provisioner: str = storage_class["provisioner"]
        self.event(
            claim,
            "Normal",
            "ExternalProvisioning",
            f"Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the "
            "system administrator. If volume creation is delayed, please verify that the provisioner is running and "
            "correctly registered.",
        )
        notes = dict.fromkeys(_PROVISIONER, provisioner)
        if node is not None:
            notes[_NODE] = node["metadata"]["name"]
        volume = self.api.create(VOLUMES, "", self._volume(claim, storage_class), user=self.user)
        self._bind(key, claim, volume, notes)

    def _volume(self, claim: Object, storage_class: Object) -> Object:
        spec, metadata = claim["spec"], claim["metadata"]
        name, provisioner = f"pvc-{metadata['uid']}", storage_class["provisioner"]
        return {
            "metadata": {
                "name": name,
                "annotations": {"pv.kubernetes.io/provisioned-by": provisioner},
                "finalizers": ["kubernetes.io/pv-protection"],
            },
            "spec": {
                "capacity": {"storage": _asked(claim)},
                "csi": {"driver": provisioner, "volumeHandle": name},
                "accessModes": spec.get("accessModes") or [],
                "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
                "storageClassName": storage_class["metadata"]["name"],
                "volumeMode": spec.get("volumeMode", "Filesystem"),
            },
        }

    def _bind(self, key: Key, claim: Object, volume: Object, notes: dict[str, str] | None = None) -> None:
        metadata, spec, name = claim["metadata"], volume["spec"], volume["metadata"]["name"]
        holder = {
            "kind": "PersistentVolumeClaim",
            "apiVersion": "v1",
            "namespace": key.namespace,
            "name": key.name,
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
        }
        status = {"phase": "Bound", "lastPhaseTransitionTime": self.api.clock.timestamp}
        self.api.replace(Key(VOLUMES, "", name), {**volume, "spec": {**spec, "claimRef": holder}, "status": status})
        annotations = {**(metadata.get("annotations") or {}), **_BOUND, **(notes or {})}
        bound = {"phase": "Bound", "accessModes": spec.get("accessModes") or [], "capacity": spec.get("capacity") or {}}
        new = {
            **claim,
            "metadata": {**metadata, "annotations": annotations},
            "spec": {**claim["spec"], "volumeName": name},
            "status": bound,
        }
        self.api.replace(key, new)


def _is_unbound(claim: Object) -> bool:
    return (claim.get("status") or {}).get("phase") != "Bound" and "deletionTimestamp" not in claim["metadata"]


def _asked(claim: Object) -> Any:
    return ((claim["spec"].get("resources") or {}).get("requests") or {}).get("storage", "0")


def _preference(volume: Object) -> tuple[Any, ...]:
    size = amounts(volume["spec"].get("capacity")).get("storage", 0)
    return "claimRef" not in volume["spec"], size, volume["metadata"]["name"]
